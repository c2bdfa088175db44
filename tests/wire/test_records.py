"""Records between values and bytes: exact, whole, canonical, and one error family for anything else."""

import dataclasses
import json
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.card import LetterCard
from exchange.domain.errors import WireError
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.policy import ITEMS
from exchange.domain.statement import Content, Head, Letter, Open, Receipt, Signed, Statement, Void
from exchange.wire import avro, records
from tests.golden.samples import BARE_LETTER, HEAD, LETTER, MOMENT, SAMPLES
from tests.strategies import any_value, mutations, values

BARE_RECEIPT = Receipt(HEAD, ZERO_DIGEST, "minjust", "delivered", MOMENT, "", ())
CLASSES = list(records.VERSIONS)
STATEMENTS = [cls for cls in CLASSES if cls in records.STATEMENTS]


def framed(schema_id: int, body: bytes) -> bytes:
    """Bytes as they travel: 0x00, schema id, body."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def newest(cls: type) -> int:
    """The id of the schema that `cls` is written with."""
    return records.VERSIONS[cls][-1]


def code_of(data: bytes) -> str:
    """The code with which a statement is refused."""
    with pytest.raises(WireError) as caught:
        records.decode_statement(data)
    return caught.value.code


def schema(cls: type) -> Mapping[str, Any]:
    """The JSON of the schema that `cls` is written with."""
    found: Mapping[str, Any] = json.loads(avro.schemas()[newest(cls)].text)
    return found


@pytest.mark.parametrize("cls", CLASSES)
def test_fields_of_dataclass_and_schema_are_the_same(cls: type) -> None:
    """A record's fields have the names and the order of its schema, and the schema has its name."""
    assert [field.name for field in dataclasses.fields(cls)] == [field["name"] for field in schema(cls)["fields"]]
    assert schema(cls)["name"] == cls.__name__


def test_every_schema_has_its_class() -> None:
    """No schema lies about unused, none is named twice, and none is named that is not there."""
    assert sorted(schema_id for ids in records.VERSIONS.values() for schema_id in ids) == sorted(avro.schemas())


@pytest.mark.parametrize("cls", STATEMENTS)
def test_every_statement_starts_with_the_frozen_head(cls: type) -> None:
    """Rule 1.2: the head of every version of a statement is, field for field, the head's one schema."""
    assert records.VERSIONS[Head] == (1,)
    for schema_id in records.VERSIONS[cls]:
        head = json.loads(avro.schemas()[schema_id].text)["fields"][0]
        assert head["name"] == "head"
        assert head["type"]["fields"] == schema(Head)["fields"]


@given(any_value())
def test_round_trip(value: object) -> None:
    """What was encoded decodes to the same value, which encodes to the same bytes again."""
    data = records.encode(value)
    again = records.decode(type(value), data)
    assert again == value
    assert records.encode(again) == data


@given(st.sampled_from(STATEMENTS).flatmap(values))
def test_statements_round_trip_and_show_their_head(statement: Statement) -> None:
    """Any statement is its own canonical encoding; its head can be read alone."""
    data = records.encode(statement)
    assert records.decode_statement(data) == statement
    assert records.read_head(data) == statement.head
    assert records.kind_of(data) is type(statement)


@given(st.sampled_from(STATEMENTS).flatmap(values), values(Head))
def test_another_head_changes_nothing_behind_it(statement: Statement, head: Head) -> None:
    """A statement given another head is the statement that says the same under that head."""
    data = records.encode(statement)
    assert records.with_head(data, head) == records.encode(dataclasses.replace(statement, head=head))


def only_wire_errors(cls: type, data: bytes) -> None:
    """Push bytes through every door of the module; anything but WireError passes on to the test."""
    doors: tuple[Callable[[bytes], object], ...] = (
        records.kind_of,
        records.read_head,
        lambda received: records.with_head(received, HEAD),
        records.decode_statement,
        lambda received: records.decode(cls, received),
    )
    for door in doors:
        with suppress(WireError):
            door(data)


@given(st.sampled_from(CLASSES), st.binary(max_size=200))
def test_random_bytes_raise_one_error(cls: type, data: bytes) -> None:
    """Random bytes, behind a valid frame or without one, decode or raise WireError."""
    only_wire_errors(cls, framed(newest(cls), data))
    only_wire_errors(cls, data)


@given(any_value().flatmap(lambda value: st.tuples(st.just(type(value)), mutations(records.encode(value)))))
def test_mutated_bytes_raise_one_error(mutated: tuple[type, bytes]) -> None:
    """Near misses of a valid record decode or raise WireError."""
    only_wire_errors(*mutated)


@given(values(Letter).flatmap(lambda letter: mutations(records.encode(letter))))
def test_accepted_statements_are_canonical(data: bytes) -> None:
    """Rule 1.3: whatever is accepted encodes to exactly the bytes that were read."""
    with suppress(WireError):
        statement = records.decode_statement(data)
        assert records.encode(statement) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (framed(9_999, b""), "9999"),
        (records.encode(HEAD), "Head"),
        (framed(12, b""), "Open"),
        (framed(12, b"\xff"), "not a Open: IndexError while decoding"),
        (records.encode(Open(HEAD, None)) + b"!", "^1 bytes left over after the Open"),
        (records.encode(Void(HEAD, bytes(32), "oversized"))[:-1], "^not a Void: it ends early"),
        (records.encode(BARE_RECEIPT).removesuffix(b"\x00") + b"\x80\x00", "the Receipt is not in its canonical"),
    ],
)
def test_a_refusal_names_the_record(data: bytes, words: str) -> None:
    """Whoever sent it reads what it was taken for."""
    with pytest.raises(WireError, match=words):
        records.decode_statement(data)


COMMITMENT = bytes(32) + b"\x02" + b"\x02a" + b"\x00"


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        (b"\x01\x48" + COMMITMENT + b"\x00", "a negative block count, with the block's size"),
        (b"\x02" + COMMITMENT + b"\x02" + COMMITMENT + b"\x00", "two blocks where one would do"),
        (b"\x82\x00" + COMMITMENT + b"\x00", "a count in two bytes where one would do"),
        (b"\x02" + COMMITMENT + b"\x80\x00", "an end of blocks in two bytes"),
    ],
)
def test_other_encodings_of_the_same_value_are_refused(contents: bytes, why: str) -> None:
    """Rule 1.3: Avro can write one value in several ways; only one of them is taken."""
    data = records.encode(BARE_RECEIPT).removesuffix(b"\x00") + contents
    assert code_of(data) == "not-canonical", why


def test_a_padded_number_is_refused() -> None:
    """A varint padded with zeros reads as the same number, and is refused."""
    opened = Open(HEAD, None)
    data = records.encode(opened)
    at = data.index(HEAD.origin) + len(HEAD.origin)
    padded = data[:at] + bytes([data[at] | 0x80, 0]) + data[at + 1 :]
    assert records.read_head(padded) == HEAD, "the number can still be told"
    assert code_of(padded) == "not-canonical"


@pytest.mark.parametrize("cls", STATEMENTS)
@pytest.mark.parametrize("other", STATEMENTS)
def test_one_kinds_bytes_under_anothers_id(cls: type, other: type) -> None:
    """A statement's body under the id of another kind is never taken for it."""
    for value in SAMPLES[cls].values():
        relabelled = framed(newest(other), records.encode(value)[avro.FRAME_BYTES :])
        if other is cls:
            assert records.decode_statement(relabelled) == value
        else:
            assert code_of(relabelled) in {"statement-unreadable", "not-canonical"}


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls not in STATEMENTS])
def test_records_that_no_body_may_say(cls: type) -> None:
    """A record of the services or a card, signed by a body, is not a statement."""
    assert code_of(records.encode(SAMPLES[cls][""])) == "kind-forbidden"


def test_head_of_an_unknown_schema() -> None:
    """Rule 1.8: the head of a statement of tomorrow is read, the statement is refused by code."""
    tomorrow = framed(9_999, records.encode(LETTER)[avro.FRAME_BYTES :] + b"fields of tomorrow")
    assert records.read_head(tomorrow) == HEAD
    assert code_of(tomorrow) == "schema-unknown"


def test_bytes_left_over_are_refused() -> None:
    """A statement is read whole: nothing may hide behind its end."""
    assert code_of(records.encode(LETTER) + b"\x00") == "statement-unreadable"


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x0a", b"1\x00\x00\x00\x0a"])
def test_no_frame(data: bytes) -> None:
    """Anything that does not begin with 0x00 and an id, such as a CMS attribute set, is unreadable."""
    with pytest.raises(WireError, match="no Avro frame"):
        records.read_head(data)
    assert code_of(data) == "unreadable"


def test_another_record_than_expected() -> None:
    """A value is never read with another schema than the bytes name."""
    with pytest.raises(WireError, match=r"schema id 12 \(Open\) where a Letter"):
        records.decode(Letter, records.encode(Open(HEAD, None)))


HUGE = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"  # the varint of 2**62 - 1, roughly


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (Signed, HUGE),
        (Signed, b"\x00\x00" + HUGE),
        (Letter, records.encode(BARE_LETTER)[avro.FRAME_BYTES : -1] + HUGE),
        (LetterCard, HUGE),
        (Signed, b"\x01"),
        (Void, b"\xff" * 64),
    ],
)
def test_promised_sizes_reserve_no_memory(cls: type, body: bytes) -> None:
    """A length or count of 2**62 costs nothing: memory follows the bytes that are there."""
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            records.decode(cls, framed(newest(cls), body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def empty_size(kind: Any, names: dict[str, Any]) -> int:
    """The least number of bytes that a value of an Avro type takes."""
    if isinstance(kind, list):
        return 1
    if isinstance(kind, str):
        return empty_size(names[kind], names) if kind in names else int(kind != "null")
    names[kind.get("name", "")] = kind
    if kind["type"] == "record":
        return sum([empty_size(field["type"], names) for field in kind["fields"]])
    return int(kind["size"]) if kind["type"] == "fixed" else 1


def arrays(kind: Any) -> list[Any]:
    """The item types of all arrays in a schema."""
    if isinstance(kind, list):
        return [item for part in kind for item in arrays(part)]
    if isinstance(kind, dict):
        own = [kind["items"]] if kind["type"] == "array" else []
        inner = [field["type"] for field in kind.get("fields", [])] + own
        return own + [item for part in inner for item in arrays(part)]
    return []


@pytest.mark.parametrize("cls", CLASSES)
def test_no_array_of_items_without_bytes(cls: type) -> None:
    """Items of zero bytes would let ten bytes unpack to a billion items; no schema has such an array."""
    names: dict[str, Any] = {}
    whole = dict(schema(cls))
    assert empty_size(whole, names) > 0
    assert all(empty_size(item, names) > 0 for item in arrays(whole))


def test_a_version_knows_its_class_and_how_much_it_holds() -> None:
    """Of contents as many as a statement can name, of other arrays as many as bytes."""
    signed = records.version_of(Signed, avro.schemas()[2])
    assert (signed.cls, signed.schema.id) == (Signed, 2)
    most = Signed(b"", b"", (Content(b"", b""),) * ITEMS)
    assert signed.read(signed.write(most)) == most
    with pytest.raises(WireError, match=f"at most {ITEMS}"):
        signed.read(signed.write(dataclasses.replace(most, contents=(*most.contents, Content(b"", b"")))))
    letter = records.version_of(Letter, avro.schemas()[10])
    many = dataclasses.replace(BARE_LETTER, recipients=("",) * (ITEMS + 1))
    assert letter.read(letter.write(many)) == many
