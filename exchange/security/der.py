"""The little DER that a form of fixed shape needs (X.690, definite lengths only).

Not a general decoder: elements are opened by the tag that has to be there, lengths must be the
shortest possible and stay inside their container. Anything else is a `ValueError` naming the place.
"""

INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0
CONTEXT_1 = 0xA1
CONTEXT_4 = 0xA4

_SHORT = 0x80


def encode(tag: int, *parts: bytes) -> bytes:
    """An element of `tag` around the joined `parts`."""
    content = b"".join(parts)
    return header(tag, len(content)) + content


def header(tag: int, length: int) -> bytes:
    """Tag and length octets of an element with `length` bytes of content."""
    if length < _SHORT:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(octets))) + octets


def open_element(data: bytes, at: int, tag: int, end: int, place: str) -> tuple[int, int]:
    """Read the header of the element at `at`.

    Args:
        data: the whole encoding.
        at: offset of the element's tag.
        tag: the tag that has to be there.
        end: offset behind the container's last byte.
        place: name of the element, for the error.

    Returns:
        Offset of the content's first byte, and behind its last.

    Raises:
        ValueError: another tag, a length that is not DER or leaves the container.
    """
    start = at + 2
    if start > end or data[at] != tag:
        raise _error(place, at, "is missing")
    length = data[at + 1]
    if length >= _SHORT:
        size = length - _SHORT
        if size not in {1, 2} or start + size > end:
            raise _error(place, at, "has a length of another form than DER")
        length = int.from_bytes(data[start : start + size], "big")
        start += size
        if length < (_SHORT if size == 1 else 0x100):
            raise _error(place, at, "has a length that is not the shortest")
    if start + length > end:
        raise _error(place, at, "is longer than what holds it")
    return start, start + length


def enter(data: bytes, at: int, tag: int, end: int, place: str) -> int:
    """Offset of the content of an element that has to be the last one of its container.

    Raises:
        ValueError: as `open_element`; something follows the element.
    """
    start, stop = open_element(data, at, tag, end, place)
    if stop != end:
        raise _error(place, at, "is followed by something else")
    return start


def skip(data: bytes, at: int, expected: bytes, end: int, place: str) -> int:
    """Offset behind the bytes `expected`, which have to stand at `at` and before `end`.

    Raises:
        ValueError: other bytes stand there.
    """
    stop = at + len(expected)
    if stop > end or data[at:stop] != expected:
        raise _error(place, at, "is not as the form has it")
    return stop


def issuer_and_serial(tbs: bytes) -> tuple[bytes, bytes]:
    """Encodings of issuer name and serial number in a TBSCertificate, exactly as the issuer wrote them.

    A name decoded and encoded again may come out with other string types; a signature that refers
    to it would then not have the bytes that other software makes (RFC 5652, 5.3).
    """
    end = len(tbs)
    at = enter(tbs, 0, SEQUENCE, end, "tbsCertificate")
    if tbs[at] == CONTEXT_0:  # the version, absent in version 1
        at = open_element(tbs, at, CONTEXT_0, end, "version")[1]
    serial_end = open_element(tbs, at, INTEGER, end, "serialNumber")[1]
    serial = tbs[at:serial_end]
    issuer_at = open_element(tbs, serial_end, SEQUENCE, end, "signature")[1]
    issuer_end = open_element(tbs, issuer_at, SEQUENCE, end, "issuer")[1]
    return tbs[issuer_at:issuer_end], serial


def _error(place: str, at: int, what: str) -> ValueError:
    return ValueError(f"{place} at byte {at} {what}")
