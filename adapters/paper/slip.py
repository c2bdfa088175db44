"""What a printed letter says about itself to machines: the QR code, and the record beside the page."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.domain.errors import DocumentError
from exchange.domain.ids import is_body_code

RECORD = "delivery.json"
_FORMAT = 1
_SCHEME = "KG-EXCHANGE"
_CODE = re.compile(rf"{_SCHEME}/{_FORMAT} (?P<recipient>\S+) (?P<letter>[0-9a-f]{{64}}) ?(?P<message_id>.*)")
_ID_CHARACTERS = 64
"""Of a message id that the QR code repeats: longer ones would make it too fine to print."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One printed letter.

    Attributes:
        letter: its digest, its id in the exchange, in hexadecimal.
        recipient: code of the body that it is for.
        sender: code of the body that wrote it.
        message_id: the sender's own id of the message.
        document_id: the sender's own id of the document.
        number: its registration number at the sender.
        created: when the sender said it (UTC).
    """

    letter: str
    recipient: str
    sender: str
    message_id: str
    document_id: str
    number: str
    created: datetime

    @property
    def code(self) -> str:
        """The text of the QR code."""
        message_id = "".join(char if char.isprintable() else " " for char in self.message_id[:_ID_CHARACTERS])
        return f"{_SCHEME}/{_FORMAT} {self.recipient} {self.letter} {message_id}".rstrip()

    def encode(self) -> bytes:
        """The record that lies beside the page."""
        fields = {name: getattr(self, name) for name in _TEXTS}
        record = {"format": _FORMAT, **fields, "created": self.created.isoformat()}
        return f"{json.dumps(record, ensure_ascii=False, indent=1)}\n".encode()

    @classmethod
    def decode(cls, data: bytes, place: str) -> "Slip":
        """Read a record.

        Raises:
            DocumentError: `document-invalid`: it is none.
        """
        record = read_object(data, place)
        try:
            created = datetime.fromisoformat(text_of(record, "created", place))
        except ValueError as error:
            raise DocumentError("created is no time: print the letter again", place=place) from error
        letter, recipient, sender, message_id, document_id, number = (text_of(record, name, place) for name in _TEXTS)
        return cls(letter, recipient, sender, message_id, document_id, number, created)


OBJECT_BYTES = 64 * 1024
"""Of a record or a receipt: JSON takes 50 times its bytes to read."""
_TEXTS = ("letter", "recipient", "sender", "message_id", "document_id", "number")


def read_code(text: str) -> tuple[str, str]:
    """Recipient and letter that a QR code names.

    Raises:
        DocumentError: `paper-code-unreadable`.
    """
    found = _CODE.fullmatch(text.strip())
    if found is None or not is_body_code(found["recipient"]):
        message = f"this is no code of a printed letter: it begins with '{_SCHEME}/{_FORMAT}', scan it again"
        raise DocumentError(message, code="paper-code-unreadable")
    return found["recipient"], found["letter"]


def read_object(data: bytes, place: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        DocumentError: `document-invalid`, `document-too-large`.
    """
    if len(data) > OBJECT_BYTES:
        message = f"{len(data)} bytes are no record of a printed letter: write it with `exchange paper`"
        raise DocumentError(message, code="document-too-large", place=place)
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DocumentError("no JSON in UTF-8: write it with `exchange paper`", place=place) from error
    if not isinstance(value, dict):
        raise DocumentError("no JSON object: write it with `exchange paper`", place=place)
    return value


def text_of(record: dict[str, Any], name: str, place: str) -> str:
    """A text of an object that UTF-8 can carry.

    Raises:
        DocumentError: `document-invalid`.
    """
    value = record.get(name)
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise DocumentError(f"{name} is no text: write it with `exchange paper`", place=place)
    return value
