"""The one encoding that a record of the exchange has, between bytes and frozen dataclasses (rule 1.3).

Avro can write one value in several ways: numbers padded with zeros, arrays in several blocks or with
their sizes. Here one is written, the one that every Avro library writes, and no other is read. A reader
sees at each byte whether it is the only one that could stand there, so nothing is encoded again to be
compared with what came.

    long, int       zigzag, 7 bits a byte, the fewest bytes
    bytes, string   size as a long, then so many bytes; a string is UTF-8
    array           none: 0; else how many, the items, 0
    union           0 for null, 2 and the value
    enum            its symbol's place, below 64
    timestamp       microseconds since 1970 as a long; date: days since 1970

Fields of a dataclass and of its schema have the same names in the same order, so a new field is one
line in each and nothing here. New fields stand at the end and have a default: an older version's schema
ends before them, and what it wrote is read with the defaults (rule 1.8). A codec is put together once
per version of a class.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Any

from exchange.domain.errors import WireError

Read = Callable[[bytes, int], tuple[Any, int]]
"""From bytes and an offset to a value and the offset behind it.

What lies behind the end of the bytes is read as nothing, or is an `IndexError`: whoever reads a whole
record compares the last offset with the size. Other values that cannot be are a `ValueError` or an
`OverflowError`, other encodings `NotCanonicalError`.
"""

Write = Callable[[Any], bytes]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LONG_BITS = 64
_SYMBOLS = 64
_MICROSECOND = timedelta(microseconds=1)


class NotCanonicalError(WireError):
    """Bytes that Avro reads, but that no canonical writer writes."""

    code = "not-canonical"


class TooManyItemsError(WireError):
    """An array of more items than its record can sensibly hold; none of them was built."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are read and written."""

    read: Read
    write: Write


def codec(cls: type, schema: Mapping[str, Any], most_items: int) -> Codec:
    """The codec of dataclass `cls` in one of its versions.

    Args:
        cls: its annotations say which classes to build.
        schema: Avro's JSON of a record with `cls`'s fields, or all but the last ones.
        most_items: no array in the record is read that has more; a reader builds an object per item
            before anybody can say that there are too many.

    Raises:
        TypeError: class and schema differ, or a field that the schema lacks has no default.
    """
    return _Plan(most_items).record(cls, schema)


class _Plan:
    """Puts one codec together; remembers the named types that a schema mentions again."""

    def __init__(self, most_items: int) -> None:
        self._named: dict[str, Mapping[str, Any]] = {}
        self._most_items = most_items

    def record(self, cls: type, schema: Mapping[str, Any]) -> Codec:
        hints = typing.get_type_hints(cls)
        kinds = {field["name"]: field["type"] for field in schema["fields"]}
        fields = dataclasses.fields(cls)
        names, later = [field.name for field in fields[: len(kinds)]], fields[len(kinds) :]
        if names != list(kinds):
            message = f"{cls.__name__} and its schema differ in their fields"
            raise TypeError(message)
        for field in later:
            if field.default is dataclasses.MISSING:
                message = f"{cls.__name__}.{field.name} needs a default: an older schema lacks it"
                raise TypeError(message)
        return _record(cls, names, [self._value(hints[name], kinds[name]) for name in names])

    def _value(self, hint: Any, kind: Any) -> Codec:
        if isinstance(kind, list):
            inner = next(part for part in typing.get_args(hint) if part is not types.NoneType)
            return _optional(self._value(inner, kind[1]))
        if isinstance(kind, str):
            return self._complex(hint, self._named[kind]) if kind in self._named else _PRIMITIVES[kind]
        return self._complex(hint, kind)

    def _complex(self, hint: Any, kind: Mapping[str, Any]) -> Codec:
        if "name" in kind:
            self._named[kind["name"]] = kind
        match kind.get("logicalType", kind["type"]):
            case "record":
                return self.record(hint, kind)
            case "array":
                return _array(self._value(typing.get_args(hint)[0], kind["items"]), self._most_items)
            case "enum":
                return _enum(hint, kind["symbols"])
            case "fixed":
                return _fixed(kind["size"])
            case primitive:
                return _PRIMITIVES[primitive]


def _record(cls: type, names: list[str], fields: list[Codec]) -> Codec:
    readers, writers = [field.read for field in fields], [field.write for field in fields]
    parts = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        values = []
        for read_field in readers:
            value, at = read_field(data, at)
            values.append(value)
        return cls(*values), at

    def write(value: Any) -> bytes:
        return b"".join([write_field(part) for write_field, part in zip(writers, parts(value), strict=True)])

    return Codec(read, write)


def _array(item: Codec, most: int) -> Codec:
    read_item, write_item = item.read, item.write

    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        if data[at] == 0:
            return (), at + 1
        count, at = _read_long(data, at)
        if count <= 0:
            raise NotCanonicalError("an array in blocks with their sizes")
        if count > most:
            raise TooManyItemsError(f"{count} items, at most {most} are accepted")
        items = []
        for _ in range(count):
            value, at = read_item(data, at)
            items.append(value)
        if data[at] != 0:
            raise NotCanonicalError("an array in several blocks")
        return tuple(items), at + 1

    def write(items: tuple[Any, ...]) -> bytes:
        if not items:
            return b"\0"
        return b"".join([_write_long(len(items)), *map(write_item, items), b"\0"])

    return Codec(read, write)


def _optional(inner: Codec) -> Codec:
    read_inner, write_inner = inner.read, inner.write

    def read(data: bytes, at: int) -> tuple[Any, int]:
        branch = data[at]
        if branch == 0:
            return None, at + 1
        if branch == 2:
            return read_inner(data, at + 1)
        raise _unexpected(branch, "a union's branch")

    def write(value: Any) -> bytes:
        return b"\0" if value is None else b"\2" + write_inner(value)

    return Codec(read, write)


def _enum(cls: type[Enum], symbols: list[str]) -> Codec:
    by_value = {member.value: member for member in cls}
    members = [by_value[symbol] for symbol in symbols]
    encoded = {member: _write_long(place) for place, member in enumerate(members)}
    if len(symbols) > _SYMBOLS:
        message = f"{cls.__name__} has more than {_SYMBOLS} symbols: their places take two bytes"
        raise TypeError(message)

    def read(data: bytes, at: int) -> tuple[Enum, int]:
        place, odd = divmod(data[at], 2)
        if odd or place >= len(members):
            raise _unexpected(data[at], "an enum's symbol")
        return members[place], at + 1

    return Codec(read, encoded.__getitem__)


def _fixed(size: int) -> Codec:
    def read(data: bytes, at: int) -> tuple[bytes, int]:
        end = at + size
        return data[at:end], end

    def write(value: bytes) -> bytes:
        if len(value) != size:
            message = f"{len(value)} bytes where {size} belong"
            raise ValueError(message)
        return value

    return Codec(read, write)


def _read_long(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    value, shift = byte & 0x7F, 7
    while byte >= 0x80:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > _LONG_BITS and value >> _LONG_BITS:
            break
    if shift > 7 and (byte == 0 or value >> _LONG_BITS):
        raise NotCanonicalError("a number in more bytes than it needs")
    return (value >> 1) ^ -(value & 1), at


def _write_long(value: int) -> bytes:
    left = value << 1 if value >= 0 else ~(value << 1)
    if left >> _LONG_BITS:
        message = "a number beyond 64 bits"
        raise OverflowError(message)
    if left < 0x80:
        return bytes((left,))
    out = bytearray()
    while left >= 0x80:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def _read_size(data: bytes, at: int) -> tuple[int, int]:
    size = data[at]
    if not size & 0x81:  # neither more bytes nor negative: what almost every size is
        return size >> 1, at + 1
    size, at = _read_long(data, at)
    if size < 0:
        raise ValueError("a negative size")
    return size, at


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _read_size(data, at)
    end = at + size
    return data[at:end], end


def _write_bytes(value: bytes) -> bytes:
    return _write_long(len(value)) + value


def _read_string(data: bytes, at: int) -> tuple[str, int]:
    if data[at] == 0:  # as many of a card's
        return "", at + 1
    size, at = _read_size(data, at)
    end = at + size
    return data[at:end].decode(), end


def _write_string(value: str) -> bytes:
    return _write_bytes(value.encode())


def _read_timestamp(data: bytes, at: int) -> tuple[datetime, int]:
    microseconds, at = _read_long(data, at)
    return _EPOCH + microseconds * _MICROSECOND, at


def _write_timestamp(value: datetime) -> bytes:
    return _write_long((value - _EPOCH) // _MICROSECOND)


def _read_date(data: bytes, at: int) -> tuple[date, int]:
    days, at = _read_long(data, at)
    return date.fromordinal(_EPOCH_DAY + days), at


def _write_date(value: date) -> bytes:
    return _write_long(value.toordinal() - _EPOCH_DAY)


def _read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at]
    if byte > 1:
        raise _unexpected(byte, "a boolean")
    return byte == 1, at + 1


def _write_boolean(value: bool) -> bytes:  # noqa: FBT001 - it is the value
    return b"\1" if value else b"\0"


_PRIMITIVES = {
    "long": Codec(_read_long, _write_long),
    "int": Codec(_read_long, _write_long),
    "bytes": Codec(_read_bytes, _write_bytes),
    "string": Codec(_read_string, _write_string),
    "boolean": Codec(_read_boolean, _write_boolean),
    "timestamp-micros": Codec(_read_timestamp, _write_timestamp),
    "date": Codec(_read_date, _write_date),
}


def _unexpected(byte: int, place: str) -> Exception:
    """Not one byte, or none that stands for anything."""
    if byte >= 0x80:
        return NotCanonicalError(f"{place} in more bytes than it needs")
    return ValueError(f"{place} that does not exist")
