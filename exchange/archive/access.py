"""An archive as whoever checks it reads it: from its folder, from where it is served, or from an object store."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from exchange.archive.addresses import ArchiveAddress, ArchivePlace
from exchange.archive.contents import Authority
from exchange.archive.index import Index
from exchange.archive.kept import KeptContents
from exchange.archive.layout import Place
from exchange.archive.published import PublishedArchive
from exchange.archive.reading import LogReader, TileReader
from exchange.archive.remote import ServedArchive
from exchange.archive.tokens import Stamped, Tokens
from exchange.domain.statement import Content


class Archive(Protocol):
    """Read only, and a context manager. What it says is believed by nobody: roots, digests and signatures decide."""

    def __enter__(self) -> Self:
        """Begin to read."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        ...

    @property
    def log(self) -> TileReader:
        """Its logs."""
        ...

    @property
    def gives_contents(self) -> bool:
        """Whether what people wrote can be had here, as far as it is kept."""
        ...

    def places(self, letter: bytes, /) -> Sequence[Place]:
        """Entries about a letter, by its digest, in the journal's order."""
        ...

    def file(self, digest: bytes, /) -> bytes | None:
        """A file that proves a version of the directory, a policy or a revocation list; None: it is not here."""
        ...

    def content(self, commitment: bytes, at: datetime | None = None, /) -> Content | Authority | None:
        """An item; the order by which it was deleted; None when it is not given, or gone without one."""
        ...

    def stamped(self) -> Sequence[int]:
        """Sizes of the checkpoints that are stamped, growing."""
        ...

    def stamp(self, size: int, /) -> Stamped:
        """A checkpoint with its time-stamp."""
        ...


def open_archive(place: ArchivePlace) -> Archive:
    """An archive, wherever it is.

    Raises:
        KeyRefused, ConfigurationError: keys or certificates for the address cannot be used.
    """
    if isinstance(place, Path):
        return FolderArchive(place)
    return ServedArchive(place) if isinstance(place, ArchiveAddress) else PublishedArchive(place)


class FolderArchive:
    """An archive's folder, beside whoever writes there. Not for several threads at once."""

    gives_contents = True

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._tokens = Tokens(folder)
        self._stack = ExitStack()
        self._index: Index | None = None
        self._kept = self._stack.enter_context(KeptContents(folder))
        self.log = LogReader(folder)

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        self._index = None
        self._stack.close()

    def places(self, letter: bytes) -> list[Place]:
        """What the index has.

        Raises:
            ArchiveError: `archive-unusable`, `archive-damaged`.
        """
        if self._index is None:
            self._index = self._stack.enter_context(Index(self._folder))
        return self._index.places(letter)

    def file(self, digest: bytes) -> bytes | None:
        """What travelled beside a basis; it is kept unsalted, under its digest.

        Raises:
            ArchiveError: `archive-unusable`.
        """
        found = self._kept.fetch(digest)
        return found.data if isinstance(found, Content) and not found.salt else None

    def content(self, commitment: bytes, at: datetime | None = None) -> Content | Authority | None:
        """As `KeptContents.fetch`."""
        return self._kept.fetch(commitment, at)

    def stamped(self) -> list[int]:
        """What lies in the folder."""
        return self._tokens.sizes()

    def stamp(self, size: int) -> Stamped:
        """As `Tokens.read`."""
        return self._tokens.read(size)
