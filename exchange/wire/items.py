"""How many items a `Signed` carries, counted without building any of them.

A decoder builds an object per item before anybody can say that there are too many: a megabyte of
empty items takes it seconds and hundreds of megabytes, and nobody need have signed it.
"""

from exchange.domain.errors import WireError
from exchange.wire.avro import FRAME_BYTES

_LONG_BITS = 64


def require_items(data: bytes, most: int) -> None:
    """Make sure that the contents of a framed `Signed` are at most `most` items, in one block of Avro's.

    Whether the rest of `data` decodes is for the decoder to say.

    Raises:
        WireError: more items or blocks, or the bytes end before they should.
    """
    try:
        items, at = _long(data, _behind_bytes(data, _behind_bytes(data, FRAME_BYTES)))
        if not 0 <= items <= most:
            message = f"contents: {items} items, at most {most} can be committed to"
            raise WireError(message)
        if items:
            for _ in range(2 * items):  # salt and data
                at = _behind_bytes(data, at)
            if data[at] != 0:
                message = "contents: more than one block of items"
                raise WireError(message)
    except IndexError as error:
        message = "not a Signed: it ends before its contents do"
        raise WireError(message) from error


def _behind_bytes(data: bytes, at: int) -> int:
    """Offset behind the Avro `bytes` at `at`."""
    size, start = _long(data, at)
    if size < 0:
        raise IndexError
    return start + size  # beyond the end, what is read there next is missing


def _long(data: bytes, at: int) -> tuple[int, int]:
    """The Avro `long` at `at` and the offset behind it."""
    value = 0
    for shift in range(0, _LONG_BITS, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
    raise IndexError
