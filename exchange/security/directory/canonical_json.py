"""Canonical JSON: one value has exactly one encoding, because versions name files by digest (rules 1.2, 3.2, 5.3).

Keys sorted, UTF-8, one space of indent, times in UTC with microseconds, digests in hexadecimal, certificates in
base64. It is readable, so that two versions can be compared with any tool.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from exchange.security.errors import DirectoryRefused

FORMAT = 1
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"

_Choice = TypeVar("_Choice", bound=StrEnum)


def format_time(moment: datetime) -> str:
    """A time as the directory's files write it."""
    return moment.astimezone(UTC).strftime(_TIME)


def parse_time(text: str) -> datetime:
    """A time as the directory's files write it.

    Raises:
        ValueError: anything else.
    """
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def fields_of(document: bytes, place: str) -> "Fields":
    """The members of a document in JSON, format 1; `place` names it in refusals.

    Raises:
        DirectoryRefused: `directory-unreadable`, `directory-field-invalid`.
    """
    try:
        fields = Fields(json.loads(document.decode()), place)
    except (ValueError, RecursionError) as error:
        message = f"{place} is no JSON in UTF-8: fetch the file again"
        raise DirectoryRefused(message) from error
    known = fields.number("format", least=1) == FORMAT
    fields.require("format", f"is not {FORMAT}, the only one known here", holds=known)
    return fields


def require_canonical(encoded: bytes, document: bytes, place: str) -> None:
    """Refuse a document that is not what its value is `encoded` to.

    Raises:
        DirectoryRefused: `directory-not-canonical`.
    """
    if encoded != document:
        message = f"{place} is not in its canonical encoding: write it with exchange.security.directory"
        raise DirectoryRefused(message, code="directory-not-canonical")


def canonical(document: Mapping[str, object]) -> bytes:
    """The one encoding of a document."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


class Fields:
    """Reads the members of one JSON object; every refusal names the member's place."""

    def __init__(self, value: Any, place: str) -> None:
        """Read `value`, which must be an object; `place` is where it stands."""
        self._place = place
        if not isinstance(value, dict):
            raise self.refusal("", "is no object")
        self._members: dict[str, Any] = value

    def refusal(self, name: str, what: str) -> DirectoryRefused:
        """The error that says what is wrong with member `name`, or with the object itself."""
        place = f"{self._place}.{name}" if name else self._place
        return DirectoryRefused(f"{place} {what}", code="directory-field-invalid")

    def require(self, name: str, what: str, *, holds: bool) -> None:
        """Refuse member `name`, saying `what`, unless the condition `holds`."""
        if not holds:
            raise self.refusal(name, what)

    def names(self) -> list[str]:
        """Names of all members."""
        return list(self._members)

    def absent(self, name: str) -> bool:
        """Whether the member says null."""
        return self._get(name) is None

    def text(self, name: str) -> str:
        """A string that UTF-8 can carry."""
        value = self._get(name)
        if not isinstance(value, str) or not _is_plain(value):
            raise self.refusal(name, "is no text")
        return value

    def texts(self, name: str) -> list[str]:
        """An array of different strings."""
        values = self._list(name)
        plain = all(isinstance(value, str) and _is_plain(value) for value in values)
        self.require(name, "is no list of different texts", holds=plain and len(set(values)) == len(values))
        return values

    def number(self, name: str, least: int) -> int:
        """A whole number of 31 bits, `least` or more."""
        value = self._get(name)
        if type(value) is not int or not least <= value < 1 << 31:
            raise self.refusal(name, f"is no whole number from {least} on")
        return value

    def binary(self, name: str, size: int) -> bytes:
        """Exactly `size` bytes in hexadecimal."""
        try:
            value = bytes.fromhex(self.text(name))
        except ValueError:
            value = b""
        self.require(name, f"is not {size} bytes in hexadecimal", holds=len(value) == size)
        return value

    def time(self, name: str) -> datetime:
        """A time in UTC with microseconds."""
        try:
            return parse_time(self.text(name))
        except ValueError as error:
            raise self.refusal(name, "is no time like 2026-01-31T09:00:00.000000Z") from error

    def day(self, name: str) -> date:
        """A date."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.refusal(name, "is no date like 2026-01-31") from error

    def choice(self, name: str, choices: type[_Choice]) -> _Choice:
        """One of the values of an enumeration."""
        try:
            return choices(self.text(name))
        except ValueError as error:
            raise self.refusal(name, f"is none of {', '.join(choices)}") from error

    def inner(self, name: str) -> "Fields":
        """A nested object."""
        return Fields(self._get(name), f"{self._place}.{name}")

    def document(self, name: str) -> bytes:
        """A nested object as a document of its own."""
        try:
            return canonical(self.inner(name)._members)  # noqa: SLF001 - one of its own
        except (ValueError, RecursionError) as error:
            raise self.refusal(name, "cannot be written in UTF-8") from error

    def items(self, name: str) -> list["Fields"]:
        """An array of objects."""
        return [Fields(item, f"{self._place}.{name}[{at}]") for at, item in enumerate(self._list(name))]

    def _get(self, name: str) -> Any:
        if name not in self._members:
            raise self.refusal(name, "is missing")
        return self._members[name]

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self.refusal(name, "is no list")
        return value


def _is_plain(text: str) -> bool:
    """Whether `text` has no lone surrogates, which JSON can say and UTF-8 cannot."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
