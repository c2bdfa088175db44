"""The small DER reader: shortest definite lengths inside their container, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.security import der
from exchange.security.keys import KeyPair


@pytest.mark.parametrize(
    ("length", "header"), [(0, "3000"), (127, "307f"), (128, "308180"), (255, "3081ff"), (256, "30820100")]
)
def test_lengths_are_the_shortest(length: int, header: str) -> None:
    """Written as X.690, 10.1 wants them, and read back."""
    encoding = der.encode(der.SEQUENCE, bytes(length))
    assert encoding[: -length or None].hex() == header
    assert der.open_element(encoding, 0, der.SEQUENCE, len(encoding), "it") == (len(header) // 2, len(encoding))


def test_long_elements_are_written_and_not_read() -> None:
    """What is put into a signature for export may be long, a revocation list; what is taken in never is."""
    encoding = der.encode(der.OCTET_STRING, bytes(0x10000))
    assert encoding[:5].hex() == "0483010000"
    with pytest.raises(ValueError, match="form"):
        der.open_element(encoding, 0, der.OCTET_STRING, len(encoding), "it")


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("", "missing"),
        ("30", "missing"),
        ("3100", "missing"),
        ("308000000000", "form"),  # indefinite
        ("3083000001ff", "form"),
        ("3081", "form"),
        ("30817f" + "00" * 127, "shortest"),
        ("308200ff" + "00" * 255, "shortest"),
        ("300100ff", "followed"),
        ("3002ff", "longer"),
    ],
)
def test_refuses_other_lengths(encoding: str, words: str) -> None:
    """The error says what is wrong and where."""
    data = bytes.fromhex(encoding)
    with pytest.raises(ValueError, match=words) as caught:
        der.enter(data, 0, der.SEQUENCE, len(data), "the element")
    assert str(caught.value).startswith("the element at byte 0 ")


def test_skips_only_what_is_expected() -> None:
    """Constant parts are compared whole, and inside their container."""
    assert der.skip(b"abc", 1, b"bc", 3, "it") == 3
    for end, expected in ((3, b"bd"), (2, b"bc"), (3, b"bcd")):
        with pytest.raises(ValueError, match="^it at byte 1 is not as the form has it$"):
            der.skip(b"abc", 1, expected, end, "it")


@given(data=st.binary(max_size=40), at=st.integers(0, 45))
def test_any_bytes_are_read_or_refused(data: bytes, at: int) -> None:
    """Never another exception, never an offset outside."""
    try:
        start, stop = der.open_element(data, at, der.SEQUENCE, len(data), "it")
    except ValueError:
        return
    assert at < start <= stop <= len(data)
    assert der.encode(der.SEQUENCE, data[start:stop]) == data[at:stop]


def test_issuer_and_serial_are_the_certificate_s(pair: KeyPair) -> None:
    """The raw bytes say what the parsed certificate says."""
    issuer, serial = der.issuer_and_serial(pair.certificate.tbs_certificate_bytes)
    assert issuer == pair.certificate.issuer.public_bytes()
    assert int.from_bytes(serial[2:], "big") == pair.certificate.serial_number


def test_names_the_part_of_a_certificate(mfa: KeyPair) -> None:
    """Whichever tag or length on the way to the issuer is wrong, the message names its element."""
    tbs = mfa.certificate.tbs_certificate_bytes
    found = set()
    for at, byte in enumerate(tbs):
        try:
            der.issuer_and_serial(tbs[:at] + bytes([byte ^ 0xFF]) + tbs[at + 1 :])
        except ValueError as error:
            found.add(str(error).split(" at byte ")[0])
    assert found == {"tbsCertificate", "version", "serialNumber", "signature", "issuer"}


def test_version_1_certificates_begin_with_the_serial(mfa: KeyPair) -> None:
    """Their version is left out; the names are still found."""
    tbs = mfa.certificate.tbs_certificate_bytes
    version_1 = der.encode(der.SEQUENCE, tbs[tbs.index(bytes.fromhex("a003020102")) + 5 :])
    assert der.issuer_and_serial(version_1) == der.issuer_and_serial(tbs)
