"""Reading a broker's answer."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.embedded.probe import _broker_ids

_HEAD = struct.pack(">ii", 7, 0)


def _broker(number: int, rack: bytes | None) -> bytes:
    host = b"127.0.0.1"
    tail = struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack
    return struct.pack(">ih", number, len(host)) + host + struct.pack(">i", 9092) + tail


def test_brokers_with_and_without_rack_are_read() -> None:
    """What follows the brokers (cluster, controller, topics) is not looked at."""
    answer = _HEAD + struct.pack(">i", 2) + _broker(1, None) + _broker(3, b"rack") + b"rest"
    assert _broker_ids(answer) == {1, 3}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(answer: bytes) -> None:
    """Whatever listens on the port, the reader ends with ids or `struct.error`."""
    with suppress(struct.error):
        assert len(_broker_ids(_HEAD + answer)) <= len(answer) // 12


def test_a_length_that_would_go_back_is_refused() -> None:
    """A negative host length must not make the reader turn in circles."""
    with pytest.raises(struct.error):
        _broker_ids(_HEAD + struct.pack(">iih", 2**31 - 1, 1, -(2**15)) + b"\0" * 40)
