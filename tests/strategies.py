"""Hypothesis strategies of every record, from its dataclass and its Avro schema together.

The dataclass says which classes to build, the schema how wide a number or a digest is.
"""

import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any

from hypothesis import strategies as st

from exchange.wire import avro
from exchange.wire.records import SCHEMA_IDS

Names = dict[str, Mapping[str, Any]]

LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001: bounds are naive
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31))
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


@cache
def values(cls: type) -> st.SearchStrategy[Any]:
    """Instances of a record class, every field anything that its schema allows."""
    return _record(cls, json.loads(avro.schemas()[SCHEMA_IDS[cls]].text), {})


def any_value() -> st.SearchStrategy[Any]:
    """An instance of any record class."""
    return st.sampled_from(sorted(SCHEMA_IDS, key=lambda cls: SCHEMA_IDS[cls])).flatmap(values)


def _record(cls: type, schema: Mapping[str, Any], names: Names) -> st.SearchStrategy[Any]:
    names[schema["name"]] = schema
    hints = typing.get_type_hints(cls)
    fields = {field["name"]: _value(hints[field["name"]], field["type"], names) for field in schema["fields"]}
    return st.builds(cls, **fields)


def _value(hint: Any, schema: Any, names: Names) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        inner = next(part for part in typing.get_args(hint) if part is not types.NoneType)
        return st.none() | _value(inner, schema[1], names)
    if isinstance(schema, str) and schema in PRIMITIVES:
        return PRIMITIVES[schema]
    named = names[schema] if isinstance(schema, str) else schema
    if "name" in named:
        names[named["name"]] = named
    match named.get("logicalType", named["type"]):
        case "record":
            return _record(hint, named, names)
        case "enum":
            return st.sampled_from(list[Enum](hint))
        case "fixed":
            return st.binary(min_size=named["size"], max_size=named["size"])
        case "array":
            return st.lists(_value(typing.get_args(hint)[0], named["items"], names), max_size=3).map(tuple)
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


