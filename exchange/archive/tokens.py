"""Time-stamps over checkpoints, as they lie in the archive's folder.

    tokens/<size>.checkpoint    the signed note with its cosignatures, exactly the bytes that were stamped
    tokens/<size>.tsr           the authority's whole answer over them (RFC 3161), written after the note

`size` is the log of heads' in twenty digits, so that names sort as sizes. Anybody checks a pair without us:

    openssl ts -verify -data <size>.checkpoint -in <size>.tsr -CAfile <the authority's root>
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from exchange.archive.errors import ArchiveError, disk_error
from exchange.archive.layout import TOKENS, token_file
from exchange.security.files import write_atomically
from exchange.tlog.checkpoint import unproven
from exchange.tlog.note import NOTE_BYTES

RESPONSE_BYTES = 64 * 1024
_DIGITS = 20
_STAMPED = re.compile(rf"([0-9]{{{_DIGITS}}})\.tsr")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint with its time-stamp; neither is looked at.

    Attributes:
        size: of the log of heads.
        note: the signed checkpoint.
        response: the authority's answer.
    """

    size: int
    note: bytes
    response: bytes


class Tokens:
    """The time-stamps in an archive's folder. One process writes them, any may read."""

    def __init__(self, archive: Path) -> None:
        """Nothing is read or made yet."""
        self.folder = archive / TOKENS
        self._archive = archive

    def sizes(self) -> list[int]:
        """Of the checkpoints that have a time-stamp, growing.

        Raises:
            ArchiveError: `archive-unusable`; so do all others.
        """
        names = done(self.folder, lambda: [each.name for each in self.folder.iterdir()] if self.folder.exists() else [])
        return sorted(size for name in names if (size := stamped_size(name)) is not None)

    def read(self, size: int) -> Stamped:
        """A checkpoint and its time-stamp.

        Raises:
            ArchiveError: `entry-missing`: there is none of that size; `archive-damaged`: one is longer than any.
        """
        note, response = self.file(size, "checkpoint"), self.file(size, "tsr")
        return Stamped(size, read_file(note, NOTE_BYTES), read_file(response, RESPONSE_BYTES))

    def keep(self, note: bytes, response: bytes) -> int:
        """Put a checkpoint and its time-stamp there, durably; return the checkpoint's size.

        Raises:
            ArchiveError: `archive-full`.
            LogRefused: `note-invalid`, `checkpoint-invalid`.
        """
        size = size_of(note)
        for kind, data in (("checkpoint", note), ("tsr", response)):
            path = self.file(size, kind)
            done(path, partial(write_atomically, path, data))
        return size

    def file(self, size: int, kind: str) -> Path:
        """Path of a `checkpoint` or `tsr`."""
        return self._archive / token_file(size, kind)


def stamped_size(name: str) -> int | None:
    """Of the checkpoint whose time-stamp a file is, by the file's name; None: it is none."""
    found = _STAMPED.fullmatch(name)
    return None if found is None else int(found[1])


def size_of(note: bytes) -> int:
    """Of the log that a signed checkpoint is of; no signature is looked at.

    Raises:
        LogRefused: `note-invalid`, `checkpoint-invalid`.
    """
    return unproven(note).size


def read_file(path: Path, most: int) -> bytes:
    """A file that must be there, of at most so many bytes.

    Raises:
        ArchiveError: `entry-missing`; `archive-damaged`: it is longer; `archive-unusable`.
    """
    if not path.exists():
        message = f"{path} is not there: `exchange archive` has no time-stamp of that size"
        raise ArchiveError(message, code="entry-missing")

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(most + 1)

    data = done(path, read)
    if len(data) > most:
        message = f"{path} is longer than {most} bytes: put it back from a copy of the archive's folder"
        raise ArchiveError(message)
    return data


def done(path: Path, work: Callable[[], Result]) -> Result:
    """Work on a disk.

    Raises:
        ArchiveError: what it says, in our words: `archive-full`, `archive-unusable`.
    """
    try:
        return work()
    except OSError as error:
        raise disk_error(error, str(path)) from error
