"""Where an archive is: named by configurations of processes of which most never ask one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.security.keys import KeyFiles


@dataclass(frozen=True, slots=True)
class ArchiveAddress:
    """Where an archive is served, and as whom it is asked.

    Attributes:
        url: of the folder.
        ca: PEM certificates that vouch for who answers; None: those of this machine.
        files: key and certificate that we show; None: we show none.
    """

    url: str
    ca: Path | None = None
    files: KeyFiles | None = None

    def __str__(self) -> str:
        """The address."""
        return self.url


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A place in an object store.

    Attributes:
        url: of it.
        options: how it is reached, and keys; what is not here the environment has.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """The address."""
        return self.url


ArchivePlace = Path | ArchiveAddress | StoreAddress
"""A folder, the address where it is served, or what was put of it into an object store."""
