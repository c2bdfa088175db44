"""Avro with Confluent framing and fixed schema ids (rule 1.1).

A framed record is `0x00`, the schema id as 4 bytes big-endian, then the Avro body. Schemas are the
files of `schemas/avro/`; the number before the first dash is the id and never changes meaning.
"""

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import fastavro

from exchange.domain.errors import WireError
from exchange.resources import resource

MAGIC = 0
FRAME_BYTES = 5
_FRAME = struct.Struct(">BI")


@dataclass(frozen=True, slots=True)
class Schema:
    """A released schema: its id, its name without the namespace, its text, and fastavro's parsed form."""

    id: int
    name: str
    text: str
    parsed: Any


@cache
def schemas() -> Mapping[int, Schema]:
    """All released schemas by id."""
    found = {}
    for path in sorted(resource("schemas", "avro").glob("*.avsc")):
        text = path.read_text(encoding="utf-8")
        record = json.loads(text)
        schema_id = int(path.name.split("-", 1)[0])
        found[schema_id] = Schema(schema_id, record["name"], text, fastavro.parse_schema(record))
    return MappingProxyType(found)


def schema_id_of(data: bytes) -> int:
    """The schema id in the frame.

    Raises:
        WireError: shorter than a frame, or the first byte is not 0x00.
    """
    if len(data) < FRAME_BYTES or data[0] != MAGIC:
        message = "no Avro frame: expected 0x00 and a 4-byte schema id"
        raise WireError(message)
    return int.from_bytes(data[1:FRAME_BYTES], "big")


def frame(schema_id: int) -> bytes:
    """What stands before a record's body."""
    return _FRAME.pack(MAGIC, schema_id)


def decode_prefix(schema: Schema, data: bytes) -> tuple[dict[str, Any], int]:
    """Decode a record of `schema` from behind the frame, whatever the id; also how many bytes are left.

    Raises:
        WireError: the body does not decode.
    """
    source = io.BytesIO(data)
    source.seek(FRAME_BYTES)
    try:
        record: Any = fastavro.schemaless_reader(source, schema.parsed, None)
    except Exception as error:
        # fastavro raises whatever its reader trips over (EOFError, IndexError, OverflowError,
        # UnicodeDecodeError, …); for any bytes whatever the caller gets one family.
        message = f"not a {schema.name}: {type(error).__name__} while decoding"
        raise WireError(message) from error
    return record, len(data) - source.tell()
