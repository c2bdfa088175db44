"""Signed notes (C2SP signed-note) with Ed25519: the log's signatures and witnesses' cosignatures (tlog-cosignature).

A note is text, an empty line, and a line for each signature: `— NAME base64(key id, signature)`. A line by a key that
nobody named here says nothing and is passed over; one by a known key that does not hold spoils the whole note.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.tlog.errors import LogRefused

NOTE_BYTES = 64 * 1024
"""No note that anybody has to read is longer."""
_KEY_BYTES = 32
_ID_BYTES = 4
_TIME = struct.Struct(">Q")
_DASH = "\u2014"


class Kind(IntEnum):
    """What a signature by a key means; part of the key's name."""

    NOTE = 1
    """Its holder says the note's text."""
    COSIGNATURE = 4
    """Its holder saw this checkpoint of a log, at a time, as a continuation of the one before."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, as `NAME+ID+KEY` states it."""

    name: str
    kind: Kind
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """The text by which others name it (a vkey)."""
        return f"{self.name}+{self.id.hex()}+{_text(bytes([self.kind]) + self.key)}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read what `str` writes.

        Raises:
            LogRefused: `log-key-invalid`.
        """
        name, plus, rest = text.partition("+")
        stated, _, encoded = rest.partition("+")
        data = _bytes(encoded)
        if not plus or not is_name(name) or len(data) != 1 + _KEY_BYTES or data[0] not in set(Kind):
            message = f"'{text[:120]}' names no Ed25519 key: write it as NAME+ID+KEY, as its holder gave it"
            raise LogRefused(message, code="log-key-invalid")
        made = cls(name, Kind(data[0]), data[1:])
        if made.id.hex() != stated:
            message = f"'{text[:120]}' has another ID than its name and key give: take it from its holder again"
            raise LogRefused(message, code="log-key-invalid")
        return made

    def holds(self, text: str, signature: bytes) -> int | None:
        """When a cosignature was made, seconds since 1970, 0 for a note's; None when the signature does not hold."""
        at = 0
        if self.kind is Kind.COSIGNATURE:
            if len(signature) < _TIME.size:
                return None
            (at,) = _TIME.unpack(signature[: _TIME.size])
            text, signature = _cosigned(text, at), signature[_TIME.size :]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature:
            return None
        return at


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key with its name; never shown in a log."""

    name: str
    kind: Kind
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """Its public half."""
        return Verifier(self.name, self.kind, self.key.public_key().public_bytes_raw())

    def sign(self, text: str, at: int = 0) -> str:
        """A signature's line, with its newline.

        Args:
            text: of the note.
            at: when, seconds since 1970; of cosignatures only.
        """
        if self.kind is Kind.NOTE:
            signature = self.key.sign(text.encode())
        else:
            signature = _TIME.pack(at) + self.key.sign(_cosigned(text, at).encode())
        return f"{_DASH} {self.name} {_text(self.verifier.id + signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it came: text with its last newline, and the lines of signatures, each with its own."""

    text: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        """The whole note."""
        return f"{self.text}\n{''.join(self.lines)}"

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Read a note; no signature is looked at.

        Raises:
            LogRefused: `note-invalid`.
        """
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise _invalid("is not UTF-8") from error
        text, gap, signed = whole.rpartition("\n\n")
        lines = tuple(signed.splitlines(keepends=True))
        if len(data) > NOTE_BYTES or not gap or not lines or "".join(lines) != signed:
            raise _invalid("has no text, empty line and signatures")
        if any(not line.startswith(f"{_DASH} ") or not line.endswith("\n") or line.count(" ") != 2 for line in lines):
            raise _invalid("has something that is no signature among its signatures")
        if any(ord(character) < 0x20 and character != "\n" for character in whole):
            raise _invalid("has control characters")
        return cls(f"{text}\n", lines)

    def with_lines(self, lines: Iterable[str]) -> "Note":
        """The same with more signatures; none twice."""
        return Note(self.text, tuple(dict.fromkeys((*self.lines, *lines))))

    def signed_by(self, known: Iterable[Verifier]) -> dict[Verifier, int]:
        """Which of the keys signed it, with the time that each states.

        Raises:
            LogRefused: `note-signature-invalid`: a line by one of them does not hold.
        """
        keys = {(key.name, key.id): key for key in known}
        found: dict[Verifier, int] = {}
        for line in self.lines:
            _, name, encoded = line.rstrip("\n").split(" ")
            data = _bytes(encoded)
            key = keys.get((name, data[:_ID_BYTES]))
            if key is None:
                continue
            at = key.holds(self.text, data[_ID_BYTES:])
            if at is None:
                message = f"the note's signature by {name} does not hold: the note was altered"
                raise LogRefused(message, code="note-signature-invalid")
            found[key] = at
        return found


def is_name(text: str) -> bool:
    """Whether a key may be called so: not empty, without blanks and plus signs."""
    return bool(text) and not any(character.isspace() or character == "+" for character in text)


def _cosigned(text: str, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _bytes(text: str) -> bytes:
    """Empty when it is no base64, or not its one form."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if _text(data) == text else b""


def _invalid(what: str) -> LogRefused:
    return LogRefused(f"the signed note {what}: take it again from where it was published", code="note-invalid")
