"""Signing and verifying: same input same bytes, any change refused with its reason."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.errors import ConfigurationError
from exchange.domain.reason import Reason
from exchange.security import der
from exchange.security.cades import Signer, Verifier
from exchange.security.errors import KeyRefused, SignatureFormError, SignatureRefused
from exchange.security.form import parse
from exchange.security.keys import KeyPair
from tests.security.forms import OTHER_FORMS, signature_of
from tests.security.support import NOW, STATEMENT, certify, rsa_key


def refusal(pair: KeyPair, cms: bytes, statement: bytes = STATEMENT) -> Reason:
    """Why the pair's certificate refuses `cms`."""
    with pytest.raises(SignatureRefused) as caught:
        Verifier(pair.certificate).verify(parse(cms), statement)
    return caught.value.reason


def test_verifies_what_it_signs_and_signs_the_same_again(pair: KeyPair) -> None:
    """Nonces are deterministic, so a statement signed twice at one time has one signature."""
    signer, verifier = Signer(pair.certificate, pair.key), Verifier(pair.certificate)
    cms = signer.sign(STATEMENT, NOW)
    verifier.verify(parse(cms), STATEMENT)
    assert signer.sign(STATEMENT, NOW + timedelta(microseconds=9)) == cms
    assert signer.signer == verifier.signer == parse(cms).signer


@given(statement=st.binary(max_size=2000), seconds=st.integers(0, 50 * 365 * 86400))
def test_any_statement_and_time(mfa: KeyPair, statement: bytes, seconds: int) -> None:
    """Every length of ECDSA value and every time fits the template."""
    at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    parsed = parse(Signer(mfa.certificate, mfa.key).sign(statement, at))
    Verifier(mfa.certificate).verify(parsed, statement)
    assert parsed.signing_time == at


@pytest.mark.usefixtures("bishkek")
def test_other_time_zones_are_the_same_moment(mfa: KeyPair) -> None:
    """Bishkek is six hours ahead; the signature says UTC, wherever it is made."""
    bishkek = NOW.astimezone(timezone(timedelta(hours=6)))
    cms = Signer(mfa.certificate, mfa.key).sign(STATEMENT, bishkek)
    assert cms == signature_of(mfa)
    assert parse(cms).signing_time == NOW


@pytest.mark.parametrize("year", [1999, 2050])
def test_refuses_times_that_the_form_cannot_say(mfa: KeyPair, year: int) -> None:
    """The clock is wrong, or a new form is due."""
    with pytest.raises(ConfigurationError, match=f"^signing time {year}-11-22 ") as caught:
        Signer(mfa.certificate, mfa.key).sign(STATEMENT, NOW.replace(year=year))
    assert caught.value.code == "signing-time-invalid"


def test_refuses_an_altered_statement(pair: KeyPair) -> None:
    """One bit is enough."""
    assert refusal(pair, signature_of(pair), STATEMENT[:-1] + b"Z") is Reason.STATEMENT_ALTERED


def test_refuses_another_time_or_digest(pair: KeyPair) -> None:
    """Both are under the signature, although the form stays right."""
    cms, digest = signature_of(pair), parse(signature_of(pair)).digest
    assert refusal(pair, cms.replace(b"261122090000Z", b"261122090001Z")) is Reason.SIGNATURE_INVALID
    other = Signer(pair.certificate, pair.key).sign(b"other", NOW)
    swapped = cms.replace(digest, parse(other).digest)
    assert refusal(pair, swapped, b"other") is Reason.SIGNATURE_INVALID


def test_refuses_the_signature_value_of_another_statement(pair: KeyPair) -> None:
    """A genuine value under other attributes does not hold."""
    verifier, parsed = Verifier(pair.certificate), parse(signature_of(pair))
    other = parse(Signer(pair.certificate, pair.key).sign(STATEMENT, NOW + timedelta(seconds=5)))
    cms = verifier._template.render(parsed.time, parsed.digest, other.value)
    assert refusal(pair, cms) is Reason.SIGNATURE_INVALID


def test_refuses_a_digest_algorithm_with_parameters(pair: KeyPair) -> None:
    """The older encoding of the same algorithm is a second form."""
    with pytest.raises(SignatureRefused, match="^digestAlgorithm") as caught:
        Verifier(pair.certificate).verify(parse(OTHER_FORMS["digest with parameters"](pair)), STATEMENT)
    assert caught.value.reason is Reason.SIGNATURE_FORM


def test_refuses_another_issuer_serial_or_algorithm(mfa: KeyPair, minjust: KeyPair) -> None:
    """What the template fixes cannot be chosen by the sender, though none of it is looked up."""
    cms = signature_of(mfa)
    _, serial = der.issuer_and_serial(mfa.certificate.tbs_certificate_bytes)
    with pytest.raises(SignatureFormError, match="^issuer, serial number or algorithm"):
        Verifier(mfa.certificate).verify(
            parse(cms.replace(serial, serial[:-1] + bytes([serial[-1] ^ 1]), 1)), STATEMENT
        )
    assert refusal(mfa, cms.replace(b"statement root", b"statement r00t", 1)) is Reason.SIGNATURE_FORM
    assert refusal(minjust, cms) is Reason.SIGNATURE_FORM


def test_refuses_ber_inside_the_signature_value(mfa: KeyPair) -> None:
    """R and s have one encoding too: a zero in front of r is refused."""
    parsed = parse(signature_of(mfa))
    r, s = utils.decode_dss_signature(parsed.value)
    halves = [number.to_bytes(34, "big") for number in (r, s)]
    value = b"\x30\x48" + b"".join(b"\x02\x22" + half for half in halves)
    assert len(value) > 72
    template = Verifier(mfa.certificate)._template
    assert refusal(mfa, template.render(parsed.time, parsed.digest, value)) is Reason.SIGNATURE_FORM
    shorter = b"\x30\x44" + b"".join(b"\x02\x20" + number.to_bytes(32, "big") for number in (r, s))
    padded = shorter if shorter != parsed.value else b"\x30\x45" + b"\x02\x21" + halves[0][1:] + shorter[36:]
    assert refusal(mfa, template.render(parsed.time, parsed.digest, padded)) is Reason.SIGNATURE_INVALID


def test_memory_stays_bounded_under_odd_value_lengths(mfa: KeyPair) -> None:
    """A stranger's values of any length leave nothing behind in the template."""
    verifier, parsed = Verifier(mfa.certificate), parse(signature_of(mfa))
    template = verifier._template
    for size in (0, 7, 73, 500, 7000):
        cms = template.render(parsed.time, parsed.digest, bytes(size))
        template._frames.clear()
        with pytest.raises(SignatureRefused, match="^the signature value has no length") as caught:
            verifier.verify(parse(cms), STATEMENT)
        assert caught.value.reason is Reason.SIGNATURE_FORM
        assert not template._frames


@pytest.mark.parametrize("size", [255, 257])
def test_an_rsa_value_is_as_long_as_its_key(minjust: KeyPair, size: int) -> None:
    """RFC 8017, 8.2.2 begins with that; a value with a zero in front, or without one, is a second form."""
    parsed, template = parse(signature_of(minjust)), Verifier(minjust.certificate)._template
    value = parsed.value.rjust(size, b"\0")[-size:]
    assert refusal(minjust, template.render(parsed.time, parsed.digest, value)) is Reason.SIGNATURE_FORM


@given(position=st.integers(min_value=0), change=st.integers(1, 255))
def test_no_changed_byte_verifies(pair: KeyPair, position: int, change: int) -> None:
    """Rule 1.4 by brute force: each byte counts."""
    cms = bytearray(signature_of(pair))
    cms[position % len(cms)] ^= change
    with pytest.raises(SignatureRefused):
        Verifier(pair.certificate).verify(parse(bytes(cms)), STATEMENT)


def test_keys_and_certificates_have_to_fit(mfa: KeyPair, minjust: KeyPair, root: KeyPair) -> None:
    """A signer is built from a matching, accepted pair or not at all."""
    weak = certify(root, "weak", key=rsa_key(1024))
    wrong_curve = certify(root, "curve", key=ec.generate_private_key(ec.SECP384R1()))
    for certificate, key, code, words in (
        (mfa.certificate, minjust.key, "key-certificate-mismatch", "the certificate is of another key"),
        (weak.certificate, weak.key, "key-too-weak", "the signer's certificate: "),
        (wrong_curve.certificate, wrong_curve.key, "key-unsupported", "the signer's certificate: "),
    ):
        with pytest.raises(KeyRefused, match=f"^{words}") as caught:
            Signer(certificate, key)
        assert caught.value.code == code
    with pytest.raises(KeyRefused, match="^the listed certificate: "):
        Verifier(weak.certificate)


def test_refuses_a_huge_certificate(root: KeyPair) -> None:
    """Names of kilobytes would make every signature as large."""
    usages = tuple(x509.ObjectIdentifier(f"1.3.6.1.4.1.{number}") for number in range(100000, 101200))
    with pytest.raises(KeyRefused, match="use one of at most 8192") as caught:
        Verifier(certify(root, "huge", usages=usages).certificate)
    assert caught.value.code == "certificate-too-large"


def test_long_names_fit(mfa: KeyPair) -> None:
    """Issuer names of real authorities need two bytes of length."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{at} Мамлекеттик башкаруу органы") for at in range(9)]
    subject = x509.Name(attributes)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(mfa.key.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    signer = Signer(builder.sign(mfa.key, hashes.SHA256()), mfa.key)
    parsed = parse(signer.sign(STATEMENT, NOW))
    assert len(parsed.cms) > 1000
    Verifier(signer.certificate).verify(parsed, STATEMENT)
