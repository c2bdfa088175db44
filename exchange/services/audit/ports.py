"""What is asked of an archive; `exchange.archive.reading` answers from a folder and over HTTP."""

from collections.abc import Iterator
from typing import Protocol

from exchange.tlog.tiles import WIDTH, TiledTree

HEADS = "heads"


def journal_log(partition: int) -> str:
    """Name of a partition's log."""
    return f"journal/{partition}"


class Tiles(Protocol):
    """Logs by their tiles, read only. What is read is believed by nobody: roots decide."""

    def tree(self, log: str, size: int, /) -> TiledTree:
        """A log's hashes as its tiles have them, at a size."""
        ...

    def bundle(self, log: str, index: int, size: int, /) -> list[bytes]:
        """Entries of a bundle, of a log of a size."""
        ...


class Log(Tiles, Protocol):
    """The same, with what was signed last."""

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint of the log of heads."""
        ...

    def entry(self, log: str, index: int, /) -> bytes:
        """One entry under the newest checkpoint."""
        ...


def entry_at(log: Tiles, name: str, index: int, size: int) -> bytes:
    """One entry of a log of a size."""
    return log.bundle(name, index // WIDTH, size)[index % WIDTH]


def entries_between(log: Tiles, name: str, first: int, last: int, size: int) -> Iterator[bytes]:
    """Entries from `first` to before `last` of a log of a size, which reads them bundle by bundle."""
    for index in range(first // WIDTH, -(-last // WIDTH)):
        begin = index * WIDTH
        yield from log.bundle(name, index, size)[max(0, first - begin) : last - begin]
