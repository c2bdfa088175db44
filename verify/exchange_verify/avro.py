"""Statements and decisions: Avro behind five bytes of frame, in the one encoding that they have (docs/evidence.md).

Numbers take the fewest bytes, an array is one block, nothing is left over: so bytes under a signature or a digest say
one thing only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange_verify.errors import require

# The schemas of `schemas/avro/`, fields in order. `32`: so many bytes; `*`: array of; `?`: null or; `A|B`: enum.
_LAYOUTS = """
head      exchange:32 body:str origin:16 number:long previous:32 created:time
item      digest:32 size:long media_type:str form:INLINE|SEALED|REFERENCE
group     expression:str directory_version:long
seal      suite:str key_commitment:32 wraps_root:32
before    origin:16 number:long digest:32
place     lane:long number:long previous:32
letter    head:head message_id:str consignment_id:str kind:DOCUMENT|ADDITION|REPLY conversation:str in_reply_to:?32
letter    recipients:*str group:?group ack:NONE|ERRORS|ALWAYS wanted:*str urgency:ROUTINE|URGENT|IMMEDIATE
letter    reply_due:?date access:PUBLIC|RESTRICTED|CONFIDENTIAL seal:?seal contents:*item
receipt   head:head letter:32 sender:str event:str at:time reason:str contents:*item
open      head:head predecessor:?before
void      head:head replaced:32 reason:str
deadline  head:head letter:32 sender:str recipient:str stage:str due:time through:time policy:32 notify:*str
command   head:head action:str task:str person:str second:str reason:str detail:str letter:?32 recipient:str
command   contents:*item
decision  place:place partition:long offset:long arrived:time decided:time directory_version:long directory_digest:32
decision  policy_digest:32 statement:32 verdict:ACCEPTED|REFUSED reason:str detail:str recipients:*str
decided   decision:decision statement:bytes signature:bytes
"""
_NUMBERED = {10: "letter", 11: "receipt", 12: "open", 13: "void", 14: "deadline", 15: "command", 30: "decided"}

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
Fields = Mapping[str, Any]


def read(data: bytes) -> tuple[str, Fields]:
    """A record's kind and fields; only its one encoding is read."""
    reader = _Reader(data)
    kind = _NUMBERED.get(reader.schema, "")
    require(kind, f"schema {reader.schema} is not known here")
    value = reader.read(kind)
    require(reader.at == len(data), f"{len(data) - reader.at} bytes are left over")
    return kind, value


def read_head(data: bytes) -> Fields:
    """What every statement begins with, also one that cannot be read further."""
    return dict(_Reader(data).read("head"))


class _Reader:
    """Reads from behind the frame: a zero byte and the schema's number in four."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 5
        require(len(data) >= self.at and not data[0], "it has no frame, a zero byte and a schema's number")
        self.schema = int.from_bytes(data[1:5], "big")

    def read(self, layout: str) -> Any:
        """The next value of that layout."""
        if layout[0] == "*":
            return self._items(layout[1:])
        if layout[0] == "?":
            return self.read(layout[1:]) if self._choice(2) else None
        if "|" in layout:
            return layout.split("|")[self._choice(layout.count("|") + 1)]
        if layout in {"long", "time", "date"}:
            number, day = self._number(), timedelta(days=1)
            return number if layout == "long" else _EPOCH + number * (day if layout == "date" else _MICROSECOND)
        if layout in {"str", "bytes"} or layout.isdigit():
            data = self._take(int(layout) if layout.isdigit() else self._number())
            return data.decode() if layout == "str" else data
        lines = (line.split() for line in _LAYOUTS.strip().splitlines())
        fields = [field.split(":") for record, *fields in lines if record == layout for field in fields]
        return {name: self.read(inner) for name, inner in fields}

    def _items(self, layout: str) -> list[Any]:
        number = self._number()
        require(0 <= number <= len(self._data), "it has an array in blocks with their sizes, or too long a one")
        items = [self.read(layout) for _ in range(number)]
        require(not number or not self._number(), "it has an array in several blocks")
        return items

    def _choice(self, limit: int) -> int:
        number = self._number()
        require(0 <= number < limit, f"it has choice {number} where there are {limit}")
        return number

    def _number(self) -> int:
        """Zigzag, seven bits a byte, the lowest first."""
        value, shift, byte = 0, 0, 0x80
        while byte >= 0x80:
            (byte,) = self._take(1)
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        require(not value >> 64 and (byte or shift == 7), "it has a number in more bytes than it needs")
        return (value >> 1) ^ -(value & 1)

    def _take(self, size: int) -> bytes:
        require(0 <= size <= len(self._data) - self.at, "it ends early")
        self.at += size
        return self._data[self.at - size : self.at]
