"""Counting a record's items before anything is built of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.errors import WireError
from exchange.domain.statement import Content, Signed
from exchange.wire.items import require_items
from exchange.wire.records import decode, encode

MOST = 5


def signed(items: int, size: int = 0) -> bytes:
    """A record with so many items, each of `size` bytes."""
    filling = b"\x55" * size
    return encode(Signed(b"statement", b"signature", (Content(filling, filling),) * items))


@pytest.mark.parametrize("items", range(MOST + 1))
@pytest.mark.parametrize("size", [0, 32, 64, 300, 20_000])
def test_few_items_are_let_pass(items: int, size: int) -> None:
    """Up to the limit, whatever their size."""
    require_items(signed(items, size), MOST)


HOSTILE = {
    "one more": signed(MOST + 1),
    "half a million": signed(500_000),
    "a block with its size": signed(0)[:-1] + b"\x03\x08\0\0\0\0\0",
    "two blocks": signed(1)[:-1] + b"\x02\0\0\0",
    "a count without end": signed(0)[:-1] + b"\xff" * 100_000,
    "an item of negative length": signed(0)[:-1] + b"\x02\x01\0\0",
    "an item longer than the record": signed(0)[:-1] + b"\x02\0\x7e\0",
    "cut off": signed(2)[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_records(name: str) -> None:
    """Refused without a look at the items, saying where."""
    with pytest.raises(WireError, match="contents"):
        require_items(HOSTILE[name], MOST)


@given(st.binary(max_size=60))
def test_any_bytes_that_pass_decode_to_few_items_or_not_at_all(tail: bytes) -> None:
    """What is counted is what the decoder would build."""
    data = signed(0)[:-1] + tail
    try:
        require_items(data, MOST)
        decoded = decode(Signed, data)
    except WireError:
        return
    assert len(decoded.contents) <= MOST
