"""The encoding: every form of length, pieces, depth, and whatever else stands there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.security.documents import ber

PLAIN = bytes.fromhex("3005 0201 01 0400")


@pytest.mark.parametrize(
    "written",
    ["3005 020101 0400", "3080 020101 0400 0000", "308105 020101 0400", "30840000000b 028400000001 01 0482 0000"],
)
def test_lengths_of_every_form_are_the_same_element(written: str) -> None:
    """Short, long, longer than needed, indefinite: `der` writes the one form that is signed."""
    data = bytes.fromhex(written)
    element = ber.read(data)
    assert ber.der(element) == PLAIN
    assert element.written == data
    assert [child.tag for child in element.children()] == [0x02, 0x04]


def test_pieces_are_joined() -> None:
    """OCTET STRINGs of large contents come in pieces."""
    pieces = ber.read(bytes.fromhex("2480 0402 4b61 0401 74 0000"))
    assert pieces.octets() == b"Kat"
    assert ber.der(pieces) == bytes.fromhex("0403 4b6174")


@pytest.mark.parametrize("length", [0, 127, 128, 255, 256, 65536])
def test_what_is_encoded_is_read(length: int) -> None:
    """Around any number of bytes, and zeros behind are let pass."""
    encoded = ber.encode(0x04, bytes(length))
    assert ber.read(encoded + bytes(3)).octets() == bytes(length)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "end at 0"),
        ("30", "end at 1"),
        ("3003 0201", "longer than what holds it"),
        ("0480 00", "no element of a signature"),
        ("3f81 0100", "no element of a signature"),
        ("3085 0000000001 00", "longer than anything"),
        ("3080 0201 01", "end at 5"),
        ("0400 01", "something follows"),
        ("3080" * 40, "deeper"),
    ],
)
def test_what_is_no_element_is_told(written: str, problem: str) -> None:
    """One error, which names the place."""
    with pytest.raises(ValueError, match=problem):
        ber.read(bytes.fromhex(written))


def test_depth_is_bounded_when_it_is_written_too() -> None:
    """Definite lengths are only followed by whoever asks."""
    nested = b""
    for _ in range(40):
        nested = ber.encode(0x30, nested)
    with pytest.raises(ValueError, match="deeper"):
        ber.der(ber.read(nested))


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        ("2a8503070101 0302", "1.2.643.7.1.1.3.2"),
        ("608648016503040201", "2.16.840.1.101.3.4.2.1"),
        ("8837", "2.999"),
        ("00", "0.0"),
    ],
)
def test_object_identifiers_in_digits(content: str, numbers: str) -> None:
    """As standards print them."""
    encoded = bytes.fromhex(content)
    assert ber.dotted(ber.read(ber.encode(0x06, encoded))) == numbers


@pytest.mark.parametrize("encoded", ["0600", "060188", "0401 00", "0628" + "01" * 40])
def test_what_is_no_object_identifier(encoded: str) -> None:
    """Empty, cut, of another tag, or endless."""
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        ber.dotted(ber.read(bytes.fromhex(encoded)))


@given(data=st.binary(max_size=80))
@settings(max_examples=60)
def test_any_bytes_are_an_element_or_an_error(data: bytes) -> None:
    """And what is read once is read again from what is written of it."""
    try:
        written = ber.der(ber.read(data))
    except ValueError:
        return
    assert ber.der(ber.read(written)) == written
