"""Checkpoints (C2SP tlog-checkpoint): what is signed of a log, its name, size and root."""

from base64 import b64decode, b64encode
from dataclasses import dataclass

from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import HASH_BYTES
from exchange.tlog.note import Note, is_name

SIZE_DIGITS = 19
"""Of a size in decimal, at most."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at a size; extension lines are refused, since nobody could audit them.

    Attributes:
        origin: the log's name.
        size: entries.
        root: of the Merkle tree of these.
    """

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text of its signed note."""
        return f"{self.origin}\n{self.size}\n{hash_text(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a note's text.

        Raises:
            LogRefused: `checkpoint-invalid`.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not is_name(lines[0]):
            message = "a checkpoint has three lines, the log's name, size and root: take it again from the archive"
            raise LogRefused(message, code="checkpoint-invalid")
        return cls(lines[0], size_of(lines[1]), hash_of(lines[2]))


def unproven(note: bytes) -> Checkpoint:
    """What a signed note says as a checkpoint; no signature is looked at.

    Raises:
        LogRefused: `note-invalid`, `checkpoint-invalid`.
    """
    return Checkpoint.parse(Note.parse(note).text)


def size_of(text: str) -> int:
    """A number in decimal without leading zeros.

    Raises:
        LogRefused: `checkpoint-invalid`.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > SIZE_DIGITS or (text[0] == "0" and text != "0"):
        message = f"'{text[:40]}' is no size: sizes are decimal, without leading zeros"
        raise LogRefused(message, code="checkpoint-invalid")
    return int(text)


def hash_of(text: str) -> bytes:
    """A hash out of its base64, which has one form only.

    Raises:
        LogRefused: `checkpoint-invalid`.
    """
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if len(data) != HASH_BYTES or hash_text(data) != text:
        message = f"'{text[:60]}' is no hash: hashes are 32 bytes in base64"
        raise LogRefused(message, code="checkpoint-invalid")
    return data


def hash_text(data: bytes) -> str:
    """A hash in base64."""
    return b64encode(data).decode()
