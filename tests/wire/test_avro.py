"""Framing, schema files and the limits of decoding."""

import pytest

from exchange.domain.errors import WireError
from exchange.wire import avro

HEAD = avro.schemas()[1]


def test_the_frame_is_confluents() -> None:
    """0x00, the id as four bytes big-endian, then the body."""
    notice = avro.schemas()[51]
    state = {"number": 1, "digest": bytes(32), "closed": False, "ignored": 0, "notified": True}
    data = avro.encode(notice, state)
    assert data == b"\x00\x00\x00\x00\x33" + b"\x02" + bytes(32) + b"\x00\x00\x01"
    assert avro.schema_id_of(data) == 51
    assert avro.decode(notice, data) == state


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


def test_what_is_left_over_is_counted_or_refused() -> None:
    """A prefix says how much follows it; a whole record tolerates nothing."""
    state = avro.schemas()[51]
    data = avro.encode(state, {"number": 1, "digest": bytes(32), "closed": False, "ignored": 0, "notified": False})
    assert avro.decode_prefix(state, data + b"xyz")[1] == 3
    with pytest.raises(WireError, match="3 bytes left over after the OriginState"):
        avro.decode(state, data + b"xyz")


def test_the_message_names_the_record_and_never_its_bytes() -> None:
    """What cannot be decoded is named by kind; content stays out of messages."""
    with pytest.raises(WireError) as caught:
        avro.decode(HEAD, b"\x00\x00\x00\x00\x01secret")
    assert "not a Head" in str(caught.value)
    assert "secret" not in str(caught.value)
