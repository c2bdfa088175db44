"""How a service speaks: the statement key of its own body, and where it keeps what it says.

[speaking]
key = "exchange-tracker/statement.key.pem"            with passphrase_file when it is encrypted
certificate = "exchange-tracker/statement.crt.pem"
spool = "spool/tracker"                               a folder of this process's own
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.security.keys import KeyFiles
from exchange.settings.tables import LOCK
from exchange.settings.toml import Table, given_file


@dataclass(frozen=True, slots=True)
class SpeakingSettings:
    """Key and certificate of a service's body, and the folder of what it says."""

    statement: KeyFiles
    spool: Path


def speaking_settings(top: Table, environ: Mapping[str, str]) -> SpeakingSettings | None:
    """The [speaking] table; None when the file has none, and the service says nothing.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`.
    """
    if not top.has("speaking"):
        return None
    with top.table("speaking") as table:
        key, certificate = (given_file(table, name, environ) for name in ("key", "certificate"))
        lock = given_file(table, LOCK, environ) if table.has(LOCK) else None
        return SpeakingSettings(KeyFiles(key, certificate, lock), table.path("spool"))
