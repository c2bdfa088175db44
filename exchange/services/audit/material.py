"""What a verification is made with, opened anew in each of its processes."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from exchange.archive.kept import KeptContents
from exchange.archive.reading import LogReader, TileReader
from exchange.archive.remote import RemoteLogReader
from exchange.domain.directory import Directory
from exchange.domain.statement import Content
from exchange.journal.past import Past
from exchange.journal.proofs import Proofs
from exchange.journal.single import Entries
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.errors import DirectoryRefused
from exchange.services.audit.pieces import Material, Orders

ANSWER_SECONDS = 30.0


def open_log(place: Path | str) -> TileReader:
    """The logs in an archive's folder, or of the address where it is served."""
    if isinstance(place, Path):
        return LogReader(place)
    return RemoteLogReader(place, httpx.Client(timeout=ANSWER_SECONDS))


@dataclass(frozen=True, slots=True)
class Opening:
    """Where an archive and the auditor's own copy of the directory are.

    Attributes:
        archive: its folder, or the address under which it is served; that has no contents.
        directory: the auditor's copy of the directory.
        root: bytes of the exchange's first root file.
        with_contents: whether what people wrote is compared with its commitments.
    """

    archive: Path | str
    directory: Path
    root: bytes
    with_contents: bool = True

    def __call__(self) -> Material:
        """Open it.

        Raises:
            DirectoryRefused: the root file is none.
        """
        kept = None if isinstance(self.archive, str) else KeptContents(self.archive)
        folder = DirectoryFolder(self.directory, self.root)
        proofs = Proofs(self.root, Files(folder, kept), Past())
        entries = Entries(proofs, Versions(folder), kept.fetch if self.with_contents and kept is not None else None)
        log = open_log(self.archive)
        return Material(log, entries, Orders(log))


class Files:
    """Files of the directory and its policies: from the auditor's copy by name, from the content store by digest."""

    def __init__(self, folder: DirectoryFolder, kept: KeptContents | None) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._kept = kept

    def get(self, digest: bytes) -> bytes | None:
        """What travelled beside a basis; it is kept unsalted, under its digest."""
        content = None if self._kept is None else self._kept.fetch(digest)
        return content.data if isinstance(content, Content) else None

    def read(self, name: str, digest: bytes | None = None, /) -> bytes:
        """A file of the directory.

        Raises:
            DirectoryRefused: `directory-missing`.
        """
        try:
            return self._folder.read(name)
        except DirectoryRefused:
            data = None if digest is None else self.get(digest)
            if data is None:
                raise
            return data


class Versions:
    """Versions of the directory by number, as the auditor's copy proves them."""

    def __init__(self, folder: DirectoryFolder) -> None:
        """Nothing is read yet."""
        self._folder = folder

    def __call__(self, number: int) -> Directory | None:
        """A version; None when the copy has not got it, or does not prove it."""
        try:
            return self._folder.version(number)
        except DirectoryRefused:
            return None
