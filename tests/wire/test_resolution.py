"""The compatibility checker itself, on planted changes: it must cry at each bad one and at no good one."""

import io
from typing import Any

import fastavro
import pytest

from tests.wire.resolution import obstacles

DIGEST = {"type": "fixed", "name": "Digest", "size": 32}
COLOUR = {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"]}


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    """A record schema."""
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """A field of a record schema."""
    return {"name": name, "type": kind, **more}


OLD = record(
    field("id", DIGEST),
    field("size", "int"),
    field("colour", COLOUR),
    field("due", ["null", {"type": "int", "logicalType": "date"}]),
    field("inner", {"type": "array", "items": record(field("digest", "Digest"), name="Inner")}),
)
VALUE = {"id": bytes(32), "size": 5, "colour": "BLUE", "due": None, "inner": [{"digest": bytes(32)}]}


def changed(name: str, kind: Any) -> dict[str, Any]:
    """`OLD` with the type of one field changed."""
    return record(*[field(old["name"], kind if old["name"] == name else old["type"]) for old in OLD["fields"]])


GOOD = {
    "the same": OLD,
    "a new field with a default": record(*OLD["fields"], field("note", "string", default="")),
    "a wider number": changed("size", "long"),
    "a field may be absent from now on": changed("size", ["null", "int"]),
    "one more symbol": changed("colour", COLOUR | {"symbols": ["RED", "BLUE", "GREEN"]}),
    "a field dropped": record(*OLD["fields"][:4]),
}
BAD = {
    "a new field without a default": (record(*OLD["fields"], field("note", "string")), ".note: not written"),
    "another type": (changed("size", "string"), ".size: int became string"),
    "a symbol lost": (changed("colour", COLOUR | {"symbols": ["BLUE"]}), ".colour: the reader does not know ['RED']"),
    "another width": (changed("id", DIGEST | {"size": 16}), ".id: 32 bytes became 16"),
    "another record name": (OLD | {"name": "S"}, ": R was renamed to S"),
    "no longer optional": (changed("due", {"type": "int", "logicalType": "date"}), ".due: logical type None"),
    "dates become plain numbers": (changed("due", ["null", "int"]), ".due: no branch"),
    "a record inside changed": (
        changed("inner", {"type": "array", "items": record(field("digest", "string"), name="Inner")}),
        ".inner[].digest: fixed became string",
    ),
}


@pytest.mark.parametrize("why", GOOD)
def test_good_changes_pass(why: str) -> None:
    """A change that Avro resolves is found good, and fastavro does resolve it."""
    assert obstacles(GOOD[why], OLD) == []
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(OLD), VALUE)
    out.seek(0)
    assert fastavro.schemaless_reader(out, fastavro.parse_schema(OLD), fastavro.parse_schema(GOOD[why]))


@pytest.mark.parametrize("why", BAD)
def test_bad_changes_are_named(why: str) -> None:
    """A change that breaks old records is named by its field."""
    schema, expected = BAD[why]
    assert any(found.startswith(expected) for found in obstacles(schema, OLD)), obstacles(schema, OLD)
