"""Files as values of columns: bytes where the column holds bytes, else text in the document's own encoding."""

import re
from typing import Any

import sqlalchemy as sa

from adapters.connectors.durable import ConnectorError
from exchange.domain.errors import DocumentError

_DECLARED = re.compile(r"\ufeff?<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,39})[\"']")


def to_bytes(value: Any, place: str) -> bytes:
    """Bytes of a file that came as what the driver made of its column.

    A text column may hold XML that declares another encoding than the database's: it is encoded as it declares.

    Raises:
        DocumentError: `document-encoding`: the text has characters that the encoding does not know;
            `package-unsound`: neither bytes nor text, where the database lets that stand in any column.
    """
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return bytes(value or b"")
    if not isinstance(value, str):
        message = "the column holds a number or the like: write the file's bytes or text into it"
        raise DocumentError(message, code="package-unsound", place=place)
    encoding = _declared(value)
    try:
        return value.encode(encoding)
    except (LookupError, UnicodeError) as error:
        message = f"the text cannot be written in the encoding that it declares, {encoding}: declare UTF-8"
        raise DocumentError(message, code="document-encoding", place=place) from error


def to_value(data: bytes, column: sa.Column[Any]) -> bytes | str:
    """A file as its column holds it.

    Raises:
        ConnectorError: `sql-table-unfit`: the column holds text, and the file is none.
    """
    if not isinstance(column.type, sa.String):
        return data
    try:
        text = data.decode(_declared(data[:300].decode("latin-1")))
    except (LookupError, UnicodeError):
        text = "\0"
    if "\0" in text:
        message = f"the column '{column}' holds text, and a file is none: give it a binary type"
        raise ConnectorError(message, code="sql-table-unfit")
    return text


def _declared(start: str) -> str:
    """The encoding that an XML declaration names; UTF-8 where there is none."""
    match = _DECLARED.match(start)
    return match[1] if match else "utf-8"
