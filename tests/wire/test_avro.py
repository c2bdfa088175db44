"""Framing, schema files and the limits of decoding."""

import pytest

from exchange.domain.errors import WireError
from exchange.wire import avro

HEAD = avro.schemas()[1]


STATE = b"\x00\x00\x00\x00\x33" + b"\x02" + bytes(32) + b"\x00\x00\x01"


def test_the_frame_is_confluents() -> None:
    """0x00, the id as four bytes big-endian, then the body."""
    assert avro.frame(51) == STATE[: avro.FRAME_BYTES]
    assert avro.schema_id_of(STATE) == 51


def test_the_id_takes_all_four_bytes() -> None:
    """Big-endian; a frame with nothing behind it has its id too."""
    assert avro.schema_id_of(b"\x00\x01\x02\x03\x04") == 0x01020304


def test_schemas_know_their_files() -> None:
    """A schema's id is the number of its file, its text the file's own, for the registry to serve."""
    assert HEAD.id == 1
    assert HEAD.name == "Head"
    assert '"namespace": "kg.exchange"' in HEAD.text


def test_every_schema_is_a_record() -> None:
    """What is decoded is always a record, never a bare number or a union."""
    assert {schema.parsed["type"] for schema in avro.schemas().values()} == {"record"}


def test_schemas_are_read_once_and_cannot_be_changed() -> None:
    """Every caller shares one read-only mapping."""
    assert avro.schemas() is avro.schemas()
    assert not hasattr(avro.schemas(), "__setitem__")


def test_what_is_left_over_is_counted() -> None:
    """A prefix says how much follows it."""
    read = {"number": 1, "digest": bytes(32), "closed": False, "ignored": 0, "notified": True}
    assert avro.decode_prefix(avro.schemas()[51], STATE + b"xyz") == (read, 3)


def test_the_message_names_the_record_and_never_its_bytes() -> None:
    """What cannot be decoded is named by kind; content stays out of messages."""
    with pytest.raises(WireError) as caught:
        avro.decode_prefix(HEAD, b"\x00\x00\x00\x00\x01secret")
    assert "not a Head" in str(caught.value)
    assert "secret" not in str(caught.value)
