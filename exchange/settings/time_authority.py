"""The file of the time-stamping authority for trying out: [authority] [observe].

[authority]
folder = "tsa"                 its keys, made when there are none
port = 20318                     of this machine; 0 takes any free one
"""

from dataclasses import dataclass
from pathlib import Path

from exchange.settings.tables import ObserveSettings, read_observe
from exchange.settings.toml import opened


@dataclass(frozen=True, slots=True)
class TimeAuthoritySettings:
    """Folder of its keys, and the port where it answers."""

    folder: Path
    port: int
    observe: ObserveSettings


def time_authority_settings(file: Path) -> TimeAuthoritySettings:
    """Read its file.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`.
    """
    with opened(file) as top:
        with top.table("authority") as table:
            folder, port = table.path("folder"), table.number("port", least=0, most=65535)
        return TimeAuthoritySettings(folder, port, read_observe(top))
