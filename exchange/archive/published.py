"""An archive as it was put into an object store: all that is public, neither contents nor what finds entries."""

import importlib
from datetime import datetime
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, Self

from exchange.archive.addresses import StoreAddress
from exchange.archive.errors import ArchiveError
from exchange.archive.layout import TOKENS, Place, proof_file, token_file
from exchange.archive.remote import PROOF_BYTES
from exchange.archive.tokens import RESPONSE_BYTES, Stamped, stamped_size
from exchange.domain.errors import ConfigurationError
from exchange.tlog.note import NOTE_BYTES

if TYPE_CHECKING:
    from exchange.archive.objects import ObjectLogReader


def object_stores() -> ModuleType:
    """`exchange.archive.objects`, which needs a package that need not be installed.

    Raises:
        ConfigurationError: `object-stores-missing`.
    """
    try:
        return importlib.import_module("exchange.archive.objects")
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        message = "an object store is named, and what speaks to it is not here: pip install 'exchange[object-storage]'"
        raise ConfigurationError(message, code="object-stores-missing") from error


class PublishedArchive:
    """An archive in an object store. Not for several threads at once."""

    gives_contents = False

    def __init__(self, address: StoreAddress) -> None:
        """Nothing is asked yet.

        Raises:
            ConfigurationError: `object-stores-missing`, `object-store-invalid`.
        """
        self.log: ObjectLogReader = object_stores().ObjectLogReader(address.url, address.options)

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def places(self, _letter: bytes) -> list[Place]:
        """What finds entries is not published.

        Raises:
            ArchiveError: `archive-not-served`.
        """
        message = f"{self.log}: an object store does not say where a letter's entries are: set [archive] folder, or url"
        raise ArchiveError(f"{message} to the archive's own address", code="archive-not-served")

    def file(self, digest: bytes) -> bytes | None:
        """A file that proves a version of the directory, a policy or a revocation list, by its digest.

        Raises:
            ArchiveError: `archive-answer-invalid`: it is another one; as `stamped`.
        """
        path = proof_file(digest)
        data = self.log.get(path, PROOF_BYTES)
        if data is not None and sha256(data).digest() != digest:
            message = f"{self.log}/{path}: it has another digest: somebody altered it; ask the archive's operator"
            raise ArchiveError(message, code="archive-answer-invalid")
        return data

    def content(self, _commitment: bytes, _at: datetime | None = None) -> None:
        """What people wrote is never published."""
        return

    def stamped(self) -> list[int]:
        """Sizes of the checkpoints that are stamped, growing.

        Raises:
            ArchiveError: `object-store-away`, `object-store-refused`.
        """
        return sorted(size for name in self.log.names(TOKENS) if (size := stamped_size(name)) is not None)

    def stamp(self, size: int) -> Stamped:
        """A checkpoint with its time-stamp; neither is looked at.

        Raises:
            ArchiveError: `entry-missing`; as `stamped`.
        """
        note = self.log.get(token_file(size, "checkpoint"), NOTE_BYTES)
        response = self.log.get(token_file(size, "tsr"), RESPONSE_BYTES)
        if note is None or response is None:
            message = f"{self.log} has no time-stamp of size {size}: ask for one of those that it has"
            raise ArchiveError(message, code="entry-missing")
        return Stamped(size, note, response)
