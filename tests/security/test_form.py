"""The shape of a signature: one, and any other bytes are refused by name."""

import hashlib
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.reason import Reason
from exchange.security.errors import SignatureFormError, SignatureRefused
from exchange.security.form import embed_certificate, embed_certificates, parse
from exchange.security.keys import KeyPair
from tests.security.forms import OTHER_FORMS, Parts, signature_of
from tests.security.support import NOW, STATEMENT, encoded


def test_parses_what_varies(pair: KeyPair) -> None:
    """Signer, time and digest are what went in."""
    cms = signature_of(pair)
    parsed = parse(cms)
    assert parsed.cms == cms
    assert parsed.signer == hashlib.sha256(encoded(pair.certificate)).digest()
    assert parsed.digest == hashlib.sha256(STATEMENT).digest()
    assert parsed.signing_time == NOW


def test_the_parts_helper_is_faithful(pair: KeyPair) -> None:
    """Taking apart and joining without a change gives the same bytes, so the forms below differ in one thing."""
    cms = signature_of(pair)
    assert Parts(cms).join() == cms


@pytest.mark.parametrize("form", [name for name in OTHER_FORMS if name != "digest with parameters"])
def test_refuses_every_other_form(pair: KeyPair, form: str) -> None:
    """Rule 1.4: exactly one DER form."""
    with pytest.raises(SignatureFormError) as caught:
        parse(OTHER_FORMS[form](pair))
    assert caught.value.code == "signature-form"


PLACES = [
    "ContentInfo",
    "contentType",
    "content",
    "SignedData",
    "SignedData's version, digest or content type",
    "signerInfos",
    "SignerInfo",
    "SignerInfo's version",
    "issuerAndSerialNumber",
    "digestAlgorithm",
    "signedAttrs",
    "content-type or signing-time",
    "signing-time",
    "message-digest",
    "signing-certificate-v2",
    "signing-certificate-v2's type",
    "signing-certificate-v2's values",
    "SigningCertificateV2",
    "SigningCertificateV2's certs",
    "ESSCertIDv2",
    "certHash",
    "issuerSerial",
    "signatureAlgorithm",
    "signature",
]


def test_names_the_place(pair: KeyPair) -> None:
    """Whichever byte is wrong: the message names the element that it belongs to, one after the other."""
    cms = signature_of(pair)
    found: list[str] = []
    for at, byte in enumerate(cms):
        try:
            parse(cms[:at] + bytes([byte ^ 0xFF]) + cms[at + 1 :])
        except SignatureFormError as error:
            place = re.split(" at byte | is not ", str(error))[0]
            if place not in found:
                found.append(place)
    assert found == PLACES


@pytest.mark.parametrize(
    "time",
    [b"261322090000Z", b"260230090000Z", b"261122240000Z", b"26112209000 Z", b"2611220900001", b"500101000000Z"],
)
def test_refuses_what_is_no_time(mfa: KeyPair, time: bytes) -> None:
    """The signing time is a date of 2000 to 2049, in UTC."""
    cms = signature_of(mfa)
    with pytest.raises(SignatureFormError, match=r"signing-time|must be in|out of range"):
        parse(cms.replace(b"261122090000Z", time))


def test_reads_the_first_and_last_second(mfa: KeyPair) -> None:
    """UTCTime's century is ours."""
    cms = signature_of(mfa)
    for time, expected in (
        (b"000101000000Z", datetime(2000, 1, 1, tzinfo=UTC)),
        (b"491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ):
        assert parse(cms.replace(b"261122090000Z", time)).signing_time == expected


@pytest.mark.parametrize(
    ("size", "words"), [(8192, "^ContentInfo"), (8193, "^8193 bytes are no signature"), (1 << 20, "at most 8192")]
)
def test_refuses_a_megabyte_at_once(size: int, words: str) -> None:
    """Size is looked at before anything else."""
    with pytest.raises(SignatureFormError, match=words):
        parse(bytes(size))


@given(data=st.binary(max_size=600))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Nothing but the family comes out."""
    with pytest.raises(SignatureFormError):
        parse(data)


@given(data=st.data())
def test_any_change_is_parsed_or_refused(mfa: KeyPair, data: st.DataObject) -> None:
    """Cut, replaced and inserted bytes, too."""
    cms = signature_of(mfa)
    start = data.draw(st.integers(0, len(cms)))
    stop = data.draw(st.integers(start, min(len(cms), start + 40)))
    changed = cms[:start] + data.draw(st.binary(max_size=40)) + cms[stop:]
    try:
        assert parse(changed).cms == changed
    except SignatureFormError as error:
        assert error.reason is Reason.SIGNATURE_FORM


def test_embeds_only_the_signer_s_certificate(mfa: KeyPair, minjust: KeyPair) -> None:
    """The export is the one-signature form with the certificate put in, nothing else."""
    cms = signature_of(mfa)
    assert embed_certificate(cms, mfa.certificate) == OTHER_FORMS["certificate inside"](mfa)
    stamped = embed_certificates(cms, [encoded(mfa.certificate)], time_stamp=b"\x04\x05token")
    attribute = bytes.fromhex("a1183016060b2a864886f70d010910020e3107") + b"\x04\x05token"
    assert parse(cms).value + attribute in stamped
    assert stamped.endswith(attribute)
    with pytest.raises(SignatureRefused, match="^the certificate to embed") as caught:
        embed_certificate(cms, minjust.certificate)
    assert caught.value.reason is Reason.SIGNER_UNKNOWN
