"""As much of DER as signatures and time-stamps need: elements in elements, each with one encoding."""

from exchange_verify.errors import require

INTEGER, OCTETS, SEQUENCE, SET = 0x02, 0x04, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME, CONTEXT_0, CONTEXT_4 = 0x17, 0x18, 0xA0, 0xA4


def encode(tag: int, *parts: bytes) -> bytes:
    """An element with that content."""
    inside = b"".join(parts)
    if len(inside) < 0x80:
        return bytes((tag, len(inside))) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + inside


def content(element: bytes, tag: int) -> bytes:
    """Of an element with that tag, which must be all that there is."""
    found, end = _split(element, 0)
    require(element[0] == tag and end == len(element), f"it has an element {element[0]:02x} where {tag:02x} is due")
    return found


def children(element: bytes, tag: int) -> list[bytes]:
    """The elements in an element with that tag."""
    inside, at, found = content(element, tag), 0, []
    while at < len(inside):
        _, end = _split(inside, at)
        found.append(inside[at:end])
        at = end
    return found


def only(element: bytes, tag: int) -> bytes:
    """The one element in an element with that tag."""
    (found,) = children(element, tag)
    return found


def _split(data: bytes, at: int) -> tuple[bytes, int]:
    """Content of the element at an offset, and the offset behind it."""
    size, begin = data[at + 1], at + 2
    if size >= 0x80:
        begin += size - 0x80
        size = int.from_bytes(data[at + 2 : begin], "big")
    end = begin + size
    require(end <= len(data) and data[at:end] == encode(data[at], data[begin:end]), "it is no DER")
    return data[begin:end], end
