"""Hypothesis strategies of every record, from its dataclass and its Avro schema together.

The dataclass says which classes to build, the schema how wide a number or a digest is.
"""

import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC
from enum import Enum
from functools import cache
from typing import Any

from hypothesis import strategies as st

from exchange.wire import avro
from exchange.wire.records import VERSIONS

Names = dict[str, Mapping[str, Any]]

LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
DATES = st.dates()
TEXTS = st.text(max_size=12)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "bytes": st.binary(max_size=40),
    "long": LONGS,
    "int": INTS,
    "boolean": st.booleans(),
    "timestamp-micros": MOMENTS,
    "date": DATES,
}


def values(cls: type) -> st.SearchStrategy[Any]:
    """Instances of a record class, every field anything that its schema allows."""
    return _values(cls)


@cache
def _values(cls: type) -> st.SearchStrategy[Any]:
    return _record(cls, json.loads(avro.schemas()[VERSIONS[cls][-1]].text), {})


def any_value() -> st.SearchStrategy[Any]:
    """An instance of any record class."""
    return st.sampled_from(list(VERSIONS)).flatmap(values)


def _record(cls: type, schema: Mapping[str, Any], names: Names) -> st.SearchStrategy[Any]:
    names[schema["name"]] = schema
    hints = typing.get_type_hints(cls)
    fields = {field["name"]: _value(hints[field["name"]], field["type"], names) for field in schema["fields"]}
    return st.builds(cls, **fields)


def _value(hint: Any, schema: Any, names: Names) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        inner = next(part for part in typing.get_args(hint) if part is not types.NoneType)
        return st.none() | _value(inner, schema[1], names)
    if isinstance(schema, str):
        return PRIMITIVES[schema] if schema in PRIMITIVES else _named(hint, names[schema], names)
    return _named(hint, schema, names)


def _named(hint: Any, schema: Mapping[str, Any], names: Names) -> st.SearchStrategy[Any]:
    names[schema.get("name", "")] = schema
    match schema.get("logicalType", schema["type"]):
        case "record":
            return _record(hint, schema, names)
        case "enum":
            return st.sampled_from(list[Enum](hint))
        case "fixed":
            return st.binary(min_size=schema["size"], max_size=schema["size"])
        case "array":
            return st.lists(_value(typing.get_args(hint)[0], schema["items"], names), max_size=3).map(tuple)
        case primitive:
            return PRIMITIVES[primitive]


def mutations(data: bytes) -> st.SearchStrategy[bytes]:
    """`data` cut, overwritten, lengthened or with bytes slipped in: near misses for a decoder."""
    places = st.integers(0, len(data))
    some = st.binary(min_size=1, max_size=12)
    return st.one_of(
        places.map(lambda at: data[:at]),
        st.tuples(places, some).map(lambda m: data[: m[0]] + m[1] + data[m[0] + len(m[1]) :]),
        st.tuples(places, some).map(lambda m: data[: m[0]] + m[1] + data[m[0] :]),
        st.tuples(places, places).map(lambda m: data[: m[0]] + data[m[1] :]),
        some.map(lambda more: data + more),
    )
