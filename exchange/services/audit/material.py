"""What a verification is made with, opened anew in each of its processes."""

from dataclasses import dataclass
from pathlib import Path

from exchange.archive.access import Archive, open_archive
from exchange.archive.addresses import ArchivePlace
from exchange.archive.errors import ArchiveError
from exchange.domain.directory import Directory
from exchange.journal.past import Past
from exchange.journal.proofs import Proofs
from exchange.journal.single import Entries
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.errors import DirectoryRefused
from exchange.services.audit.pieces import Material, Orders


@dataclass(frozen=True, slots=True)
class Opening:
    """Where an archive and the auditor's own copy of the directory are.

    Attributes:
        archive: its folder, or the address under which it is served; that gives no contents.
        directory: the auditor's copy of the directory.
        root: bytes of the exchange's first root file.
        with_contents: whether what people wrote is compared with its commitments.
    """

    archive: ArchivePlace
    directory: Path
    root: bytes
    with_contents: bool = True

    def __call__(self) -> Material:
        """Open it.

        Raises:
            DirectoryRefused: the root file is none.
            KeyRefused, ConfigurationError: as `open_archive`.
        """
        archive = open_archive(self.archive)
        folder = DirectoryFolder(self.directory, self.root)
        proofs = Proofs(self.root, Files(folder, archive), Past())
        fetch = archive.content if self.with_contents and archive.gives_contents else None
        return Material(archive.log, Entries(proofs, Versions(folder), fetch), Orders(archive.log))


class Files:
    """Files of the directory and its policies: from the auditor's copy by name, from the archive by digest."""

    def __init__(self, folder: DirectoryFolder, archive: Archive | None) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._archive = archive

    def get(self, digest: bytes) -> bytes | None:
        """A file that an entry names by its digest.

        Raises:
            DirectoryRefused: `directory-file-differs`: who answers gives another one.
            ArchiveError: the archive cannot be read.
        """
        try:
            return None if self._archive is None else self._archive.file(digest)
        except ArchiveError as error:
            if error.code == "archive-answer-invalid":
                raise DirectoryRefused(str(error), code="directory-file-differs") from error
            raise

    def read(self, name: str, digest: bytes | None = None, /) -> bytes:
        """A file of the directory.

        Raises:
            DirectoryRefused: `directory-missing`.
            ArchiveError: the archive cannot be read.
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
