"""Reading BER (X.690) as other people's signatures are written in it.

A reader of few words: an element is opened when somebody asks for its children, so that what nobody asks for costs
nothing, whatever it holds. Lengths of every form are read, indefinite ones too; `der` writes the shortest definite
ones, which signatures are over. Any other bytes are a `ValueError` that names the place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

OCTET_STRING, SEQUENCE, SET = 0x04, 0x30, 0x31
_CONSTRUCTED = 0x20
_MANY_OCTETS = 0x1F
"""Of a tag that goes on in further octets: nothing in a signature has one."""
_INDEFINITE = 0x80
_LENGTH_OCTETS = 4
_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag's octet, its content, and all of its bytes as they were written."""

    tag: int
    content: bytes
    written: bytes

    def children(self) -> tuple["Element", ...]:
        """The elements inside.

        Raises:
            ValueError: it holds something else.
        """
        return tuple(_elements(self.content))

    def octets(self) -> bytes:
        """Content of an OCTET STRING, which BER may write in pieces.

        Raises:
            ValueError: it is none.
        """
        if self.tag == OCTET_STRING | _CONSTRUCTED:
            return b"".join(_require(piece, OCTET_STRING).content for piece in self.children())
        return _require(self, OCTET_STRING).content


def read(data: bytes) -> Element:
    """The one element that `data` is; zero bytes after it are let pass, since some devices pad.

    Raises:
        ValueError: it is none, or something follows.
    """
    element, end = _element(data, 0, 0)
    if data[end:].strip(b"\0"):
        message = f"something follows at byte {end}"
        raise ValueError(message)
    return element


def sequence(element: Element, tag: int = SEQUENCE) -> tuple[Element, ...]:
    """Children of an element, which must have `tag`.

    Raises:
        ValueError: another tag, or broken children.
    """
    return _require(element, tag).children()


def der(element: Element, depth: int = 0) -> bytes:
    """The element with the shortest lengths, inside too; its tags and their order stay.

    Raises:
        ValueError: what is inside is broken, or nested deeper than anything in a signature.
    """
    if depth > _DEPTH:
        raise ValueError(_TOO_DEEP)
    if not element.tag & _CONSTRUCTED:
        return encode(element.tag, element.content)
    if element.tag == OCTET_STRING | _CONSTRUCTED:
        return encode(OCTET_STRING, element.octets())
    return encode(element.tag, b"".join(der(child, depth + 1) for child in element.children()))


def encode(tag: int, content: bytes) -> bytes:
    """An element around `content`, of any length."""
    length = len(content)
    if length < _INDEFINITE:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _INDEFINITE | len(octets))) + octets + content


def dotted(element: Element) -> str:
    """An object identifier in digits and dots.

    Raises:
        ValueError: it is none.
    """
    content = _require(element, 0x06).content
    if not content or content[-1] & 0x80 or len(content) > _OID_OCTETS:
        message = "an object identifier that is none"
        raise ValueError(message)
    numbers, number = [], 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


_OID_OCTETS = 32
_TOO_DEEP = f"elements are nested deeper than {_DEPTH}"


def _require(element: Element, tag: int) -> Element:
    if element.tag != tag:
        message = f"an element of tag {element.tag:#04x} stands where {tag:#04x} has to"
        raise ValueError(message)
    return element


def _elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        element, at = _element(data, at, 0)
        yield element


def _element(data: bytes, at: int, depth: int) -> tuple[Element, int]:
    """The element at `at`, and where the next one begins."""
    tag, start, length = _header(data, at)
    if length is None:
        stop = _end_of_contents(data, start, depth + 1)
        return Element(tag, data[start:stop], data[at : stop + 2]), stop + 2
    return Element(tag, data[start : start + length], data[at : start + length]), start + length


def _end_of_contents(data: bytes, at: int, depth: int) -> int:
    """Where the two zero bytes stand that end an indefinite length."""
    if depth > _DEPTH:
        raise ValueError(_TOO_DEEP)
    while data[at : at + 2] != b"\0\0":
        _, start, length = _header(data, at)
        at = _end_of_contents(data, start, depth + 1) + 2 if length is None else start + length
    return at


def _header(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Tag, where the content begins, and its length; None where that is indefinite."""
    if at + 2 > len(data):
        message = f"the bytes end at {len(data)}, inside an element"
        raise ValueError(message)
    tag, length, start = data[at], data[at + 1], at + 2
    if tag & _MANY_OCTETS == _MANY_OCTETS or (length == _INDEFINITE and not tag & _CONSTRUCTED):
        message = f"no element of a signature begins at byte {at}"
        raise ValueError(message)
    if length == _INDEFINITE:
        return tag, start, None
    if length > _INDEFINITE:
        octets = length - _INDEFINITE
        if octets > _LENGTH_OCTETS:
            message = f"the element at byte {at} is longer than anything"
            raise ValueError(message)
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    if start + length > len(data):
        message = f"the element at byte {at} is longer than what holds it"
        raise ValueError(message)
    return tag, start, length
