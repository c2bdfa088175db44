"""The one encoding of each record, against an independent writer and reader of Avro."""

import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.errors import WireError
from exchange.domain.policy import ITEMS
from exchange.domain.statement import Content, Signed
from exchange.wire import avro, records
from exchange.wire.canonical import Codec, NotCanonicalError, codec
from tests.golden.samples import SAMPLES
from tests.strategies import any_value, mutations


def plain(value: Any) -> Any:
    """A value as fastavro has it: dicts, lists, and enums by their symbols."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def by_fastavro(schema: avro.Schema, record: Mapping[str, Any]) -> bytes:
    """The framed bytes that fastavro writes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, record)
    return avro.frame(schema.id) + out.getvalue()


def read_and_written_again(schema: avro.Schema, data: bytes) -> tuple[Any, bytes]:
    """Rule 1.3 word by word: decoded whole, encoded again."""
    record, rest = avro.decode_prefix(schema, data)
    if rest:
        raise WireError("left over")
    return record, by_fastavro(schema, record)


def schema_of(cls: type) -> avro.Schema:
    """The schema that a class is written with."""
    return avro.schemas()[records.VERSIONS[cls][-1]]


@given(any_value())
def test_writes_what_fastavro_writes(value: object) -> None:
    """Byte for byte, for every record and any value."""
    assert records.encode(value) == by_fastavro(schema_of(type(value)), plain(value))


def paddings(data: bytes) -> st.SearchStrategy[bytes]:
    """One byte made two that mean the same number."""
    return st.integers(avro.FRAME_BYTES, len(data) - 1).map(
        lambda at: data[:at] + bytes((data[at] | 0x80, 0)) + data[at + 1 :]
    )


def near(value: object) -> st.SearchStrategy[bytes]:
    """The bytes of a value, and bytes that are almost these."""
    data = records.encode(value)
    return st.just(data) | mutations(data) | paddings(data)


SAMPLED = st.sampled_from([value for samples in SAMPLES.values() for value in samples.values()])


@given(st.one_of(any_value(), SAMPLED).flatmap(lambda value: st.tuples(st.just(type(value)), near(value))))
def test_reads_exactly_what_encodes_to_the_same_bytes(case: tuple[type, bytes]) -> None:
    """Rule 1.3: accepted is what decodes whole and encodes again to identical bytes, and nothing else."""
    cls, data = case
    if data[: avro.FRAME_BYTES] != avro.frame(schema_of(cls).id):
        return
    try:
        expected, again = read_and_written_again(schema_of(cls), data)
    except (WireError, OverflowError):
        again = b""
    try:
        value: object = records.decode(cls, data)
    except WireError as error:
        assert again != data, error
    else:
        assert again == data
        assert plain(value) == expected


class Colour(StrEnum):
    """An enum whose schema has another order."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A record with one field."""

    colour: Colour


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything that a record can hold."""

    name: str
    leaf: Leaf
    maybe: Leaf | None
    leaves: tuple[Leaf, ...]
    at: datetime
    day: date
    yes: bool
    two: bytes


TREE_SCHEMA = {
    "type": "record",
    "name": "Tree",
    "fields": [
        {"name": "name", "type": "string"},
        {
            "name": "leaf",
            "type": {
                "type": "record",
                "name": "Leaf",
                "fields": [{"name": "colour", "type": {"type": "enum", "name": "Colour", "symbols": ["blue", "red"]}}],
            },
        },
        {"name": "maybe", "type": ["null", "Leaf"]},
        {"name": "leaves", "type": {"type": "array", "items": "Leaf"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "yes", "type": "boolean"},
        {"name": "two", "type": {"type": "fixed", "name": "Two", "size": 2}},
    ],
}
TREE = Tree(
    "oak",
    Leaf(Colour.RED),
    None,
    (Leaf(Colour.BLUE),),
    datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    date(1969, 12, 31),
    yes=True,
    two=b"ab",
)
TREE_BYTES = b"\x06oak" + b"\x02" + b"\x00" + b"\x02\x00\x00" + b"\x80\x89\x7a" + b"\x01" + b"\x01" + b"ab"


@pytest.fixture
def trees() -> Codec:
    """A codec of trees with at most two leaves."""
    return codec(Tree, TREE_SCHEMA, most_items=2)


def test_the_bytes_of_everything(trees: Codec) -> None:
    """Each type as the table at the module's top says."""
    assert trees.write(TREE) == TREE_BYTES
    assert trees.read(b"skip" + TREE_BYTES, 4) == (TREE, 4 + len(TREE_BYTES))


def test_an_array_of_nothing(trees: Codec) -> None:
    """One byte, and what follows it is read from there on."""
    tree = dataclasses.replace(TREE, leaves=())
    data = TREE_BYTES[:6] + b"\x00" + TREE_BYTES[9:]
    assert trees.write(tree) == data
    assert trees.read(data, 0) == (tree, len(data))


def test_what_may_be_absent_and_is_there(trees: Codec) -> None:
    """The union's second branch, then the value."""
    tree = dataclasses.replace(TREE, maybe=Leaf(Colour.RED))
    data = TREE_BYTES[:5] + b"\x02\x02" + TREE_BYTES[6:]
    assert trees.write(tree) == data
    assert trees.read(data, 0) == (tree, len(data))


@pytest.mark.parametrize(
    ("place", "other", "words"),
    [
        (slice(0, 1), b"\x86\x00", "a number in more bytes"),  # a size with a zero too many
        (slice(4, 5), b"\x82\x00", "an enum's symbol in more bytes"),
        (slice(5, 6), b"\x80\x00", "a union's branch in more bytes"),
        (slice(6, 7), b"\x82\x00", "a number in more bytes"),  # how many items
        (slice(6, 7), b"\x01\x02", "an array in blocks with their sizes"),
        (slice(8, 9), b"\x02\x00\x00", "an array in several blocks"),
        (slice(8, 9), b"\x80\x00", "an array in several blocks"),
        (slice(9, 12), b"\x80\x89\xfa\x00", "a number in more bytes"),  # a timestamp
        (slice(9, 12), b"\x80\x89\xfa\x80\x80\x80\x80\x80\x80\x02", "a number in more bytes"),  # beyond 64 bits
        (slice(9, 12), b"\xff" * 40, "a number in more bytes"),  # far beyond: nobody reads to its end
        (slice(9, 12), b"\x80" * 40 + b"\x00", "a number in more bytes"),
        (slice(13, 14), b"\x81\x00", "a boolean in more bytes"),
    ],
)
def test_other_encodings(trees: Codec, place: slice, other: bytes, words: str) -> None:
    """Each is named as what it is: the same value, written otherwise."""
    data = bytearray(TREE_BYTES)
    data[place] = other
    with pytest.raises(NotCanonicalError, match=f"^{words}"):
        trees.read(bytes(data), 0)


@pytest.mark.parametrize(
    ("place", "other", "words"),
    [
        (slice(0, 1), b"\x05", "a negative size"),
        (slice(1, 2), b"\xff", "'utf-8' codec"),
        (slice(4, 5), b"\x04", "an enum's symbol that does not exist"),  # a third of two
        (slice(4, 5), b"\x01", "an enum's symbol that does not exist"),  # a negative one
        (slice(5, 6), b"\x04", "a union's branch that does not exist"),
        (slice(9, 12), b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", "date value out of range"),  # the year 146,000
        (slice(12, 13), b"\xff\xff\xff\xff\x0f", "ordinal must be"),  # before the year 1
        (slice(13, 14), b"\x02", "a boolean that does not exist"),
    ],
)
def test_no_value(trees: Codec, place: slice, other: bytes, words: str) -> None:
    """What cannot be is one of two of Python's errors."""
    data = bytearray(TREE_BYTES)
    data[place] = other
    with pytest.raises((ValueError, OverflowError), match=f"^{words}"):
        trees.read(bytes(data), 0)


def test_more_items_than_expected_are_not_built(trees: Codec) -> None:
    """Two leaves are read, three are refused before the first."""
    two, three = (dataclasses.replace(TREE, leaves=(Leaf(Colour.RED),) * count) for count in (2, 3))
    assert trees.read(trees.write(two), 0)[0] == two
    with pytest.raises(WireError, match="3 items, at most 2"):
        trees.read(trees.write(three), 0)


def test_contents_are_as_many_as_a_statement_can_name() -> None:
    """A megabyte of empty items would take a second to build; nobody need have signed it."""
    most = Signed(b"", b"", (Content(b"", b""),) * ITEMS)
    assert records.decode(Signed, records.encode(most)) == most
    with pytest.raises(WireError, match="items, at most"):
        records.decode(Signed, records.encode(dataclasses.replace(most, contents=(*most.contents, Content(b"", b"")))))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"two": b"abc"}, "^3 bytes where 2 belong"),
        ({"at": datetime(1970, 1, 1)}, "offset-naive"),  # noqa: DTZ001
        ({"leaf": Leaf("green")}, "green"),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_fit_is_not_written(trees: Codec, wrong: dict[str, Any], words: str) -> None:
    """A digest of another size, a time without zone, an unknown symbol: errors of ours, not bytes."""
    with pytest.raises((ValueError, TypeError, KeyError), match=words):
        trees.write(dataclasses.replace(TREE, **wrong))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_numbers_beyond_64_bits_are_not_written(number: int) -> None:
    """Avro's longs end there."""
    counter = dataclasses.make_dataclass("Counter", [("number", int)])
    schema = {"type": "record", "name": "Counter", "fields": [{"name": "number", "type": "long"}]}
    longs = codec(counter, schema, most_items=0)
    with pytest.raises(OverflowError, match="beyond 64 bits"):
        longs.write(counter(number))
    inside = number - 1 if number > 0 else number + 1
    assert longs.read(longs.write(counter(inside)), 0)[0] == counter(inside)


def test_class_and_schema_must_agree() -> None:
    """Fields of another name or order are found when the codec is made."""
    schema = {"type": "record", "name": "Leaf", "fields": [{"name": "color", "type": "string"}]}
    with pytest.raises(TypeError, match="Leaf and its schema differ"):
        codec(Leaf, schema, most_items=0)


def test_symbols_take_one_byte() -> None:
    """64 of them do; an enum that would need two is refused when the codec is made."""

    def of(count: int) -> Codec:
        symbols = [f"s{number}" for number in range(count)]
        many = Enum("Many", [(symbol, symbol) for symbol in symbols])  # type: ignore[misc]
        kind = {"type": "enum", "name": "Many", "symbols": symbols}
        holder = dataclasses.make_dataclass("Holder", [("of", many)])
        return codec(holder, {"name": "Holder", "fields": [{"name": "of", "type": kind}]}, 0)

    assert of(64).read(b"\x7e", 0)[0].of.value == "s63"
    with pytest.raises(TypeError, match="Many has more than 64 symbols"):
        of(65)
