"""Signatures as no sound program makes them: a real one, taken apart and put together again with one piece changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange.security.documents import Anchors, SignatureReport, ber
from exchange.security.documents.algorithms import NotChecked, Scheme
from exchange.security.documents.reason import SignatureReason
from exchange.security.errors import KeyRefused
from exchange.security.keys import KeyPair
from tests.security.documents.reported import reports_on
from tests.security.support import certify

SAMPLES = Path(__file__).parent / "samples"
SIGNED = ber.read((SAMPLES / "ecdsa.p7s").read_bytes())
CONTENT = (SAMPLES / "letter.txt").read_bytes()
ANCHORS = Anchors.load(SAMPLES / "anchors.pem")
LATER = datetime(2048, 1, 1, tzinfo=UTC)

CONTENT_TYPE, DIGEST, TIME = (bytes.fromhex(f"06092a864886f70d0109{last}") for last in ("03", "04", "05"))
MEANT, MEANT_BY_SHA_1 = (bytes.fromhex(f"060b2a864886f70d010910 02{last}") for last in ("2f", "0c"))
PSS = bytes.fromhex("06092a864886f70d01010a")
SHA_256 = bytes.fromhex("300b0609608648016503040201")

Attributes = dict[bytes, bytes]


def sequence(*parts: bytes, tag: int = ber.SEQUENCE) -> bytes:
    """An element around parts."""
    return ber.encode(tag, b"".join(parts))


def taken_apart() -> tuple[list[bytes], list[bytes]]:
    """What stands before the signers, and the parts of the one signer."""
    *before, signers = SIGNED.children()[1].children()[0].children()
    return [each.written for each in before], [each.written for each in signers.children()[0].children()]


def put_together(before: list[bytes], *signers: list[bytes]) -> bytes:
    """The same again."""
    data = sequence(*before, sequence(*(sequence(*signer) for signer in signers), tag=ber.SET))
    return sequence(SIGNED.children()[0].written, sequence(data, tag=0xA0))


def report(cms: bytes, anchors: Anchors = ANCHORS) -> SignatureReport:
    """Of the one signer."""
    (found,) = reports_on(CONTENT, cms, anchors, LATER)
    return found


def outcome(cms: bytes) -> tuple[str, str]:
    """What becomes of it, and why."""
    found = report(cms)
    return found.status.value, found.reason or ""


def with_attributes(change: Callable[[Attributes], None]) -> bytes:
    """The signature with other signed attributes; a value is the SET's content."""
    before, signer = taken_apart()
    attributes = {
        kind.written: values.content for kind, values in (each.children() for each in ber.read(signer[3]).children())
    }
    change(attributes)
    written = (sequence(kind, sequence(value, tag=ber.SET)) for kind, value in attributes.items())
    signer[3] = sequence(*written, tag=0xA0)
    return put_together(before, signer)


def test_put_together_as_it_was() -> None:
    """The tests below change what they say and nothing else."""
    assert put_together(*taken_apart()) == SIGNED.written
    assert outcome(with_attributes(lambda attributes: attributes.update({}))) == ("valid", "")


def mask(algorithm: str) -> bytes:
    """A mask generation function with SHA-256, as PSS names it."""
    return sequence(sequence(bytes.fromhex(algorithm), SHA_256), tag=0xA1)


MGF_1 = "06092a864886f70d010108"
BY_SHA_256 = sequence(SHA_256, tag=0xA0)
MANY = sequence(bytes.fromhex("02020500"), tag=0xA2)


@pytest.mark.parametrize(
    ("algorithm", "reason"),
    [
        (sequence(PSS), "algorithm-weak"),
        (sequence(PSS, sequence(BY_SHA_256)), "algorithm-weak"),
        (sequence(PSS, sequence(BY_SHA_256, mask("06032b656e"))), "algorithm-unknown"),
        (sequence(PSS, sequence(BY_SHA_256, sequence(tag=0xA1))), "algorithm-unknown"),
        (sequence(PSS, sequence(BY_SHA_256, mask(MGF_1), MANY)), "algorithm-unknown"),
        (sequence(PSS, sequence(BY_SHA_256, mask(MGF_1))), "key-unsupported"),
        (sequence(PSS, b"\x05\x00"), "algorithm-unknown"),
        (sequence(bytes.fromhex("06032b6570")), "algorithm-unknown"),
        (sequence(bytes.fromhex("06092a864886f70d01010b0500")), "key-unsupported"),
        (sequence(bytes.fromhex("06092a864886f70d0101050500")), "algorithm-weak"),
    ],
)
def test_algorithms_that_are_not_checked(algorithm: bytes, reason: str) -> None:
    """PSS without parameters means SHA-1; other masks, salts beyond every key, Ed25519, another key's algorithm."""
    before, signer = taken_apart()
    signer[4] = algorithm
    assert outcome(put_together(before, signer)) == ("not-verified", reason)


def instead(kind: bytes, value: bytes) -> Callable[[Attributes], None]:
    """Another value of an attribute."""
    return lambda attributes: attributes.update({kind: value})


CERTIFICATE = x509.load_pem_x509_certificate((SAMPLES / "anchors.pem").read_bytes())
FINGERPRINT = CERTIFICATE.fingerprint(hashes.SHA1())  # noqa: S303 - the older ESS attribute knows no other


def meant(*certificate: bytes) -> bytes:
    """An ESS attribute's value."""
    return sequence(sequence(sequence(*certificate)))


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        (instead(DIGEST, b""), "invalid", "attributes-wrong"),
        (instead(DIGEST, b"\x05\x00"), "invalid", "attributes-wrong"),
        (instead(DIGEST, sequence(bytes(32), tag=ber.OCTET_STRING)), "altered", "content-differs"),
        (instead(CONTENT_TYPE, bytes.fromhex("06032b656e")), "invalid", "attributes-wrong"),
        (instead(CONTENT_TYPE, b"\x05\x00"), "invalid", "attributes-wrong"),
        (instead(MEANT, b"\x05\x00"), "invalid", "attributes-wrong"),
        (instead(MEANT, meant()), "invalid", "attributes-wrong"),
        (instead(MEANT, meant(SHA_256, sequence(bytes(32), tag=4))), "invalid", "certificate-other"),
        (
            instead(MEANT, meant(sequence(bytes.fromhex("06032b656e")), b"\x04\x00")),
            "not-verified",
            "algorithm-unknown",
        ),
    ],
)
def test_attributes_that_say_something_else(change: Callable[[Attributes], None], status: str, reason: str) -> None:
    """Missing, of another type, of another content or certificate: told before the signature itself is looked at."""
    assert outcome(with_attributes(change)) == (status, reason)


@pytest.mark.parametrize(("named", "reason"), [(FINGERPRINT, "signature-wrong"), (bytes(20), "certificate-other")])
def test_the_older_name_of_a_certificate(named: bytes, reason: str) -> None:
    """ESS's first attribute, which has SHA-1 alone: it counts where the second does not stand there."""

    def change(attributes: Attributes) -> None:
        del attributes[MEANT]
        attributes[MEANT_BY_SHA_1] = meant(sequence(named, tag=ber.OCTET_STRING))

    assert outcome(with_attributes(change)) == ("invalid", reason)


@pytest.mark.parametrize(
    ("time", "read"),
    [
        (b"\x17\x0d501231235959Z", datetime(1950, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"\x17\x0d491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"\x18\x1220500101000000.25Z", datetime(2050, 1, 1, tzinfo=UTC)),
        (b"\x18\x0f20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
        (b"\x17\x0d501331235959Z", None),
        (b"\x17\x02\xff\xfe", None),
        (b"\x05\x00", None),
    ],
)
def test_signing_times(time: bytes, read: datetime | None) -> None:
    """Of both types, and such as no calendar has."""
    assert report(with_attributes(instead(TIME, time))).signed_at == read


def test_an_attribute_stands_once() -> None:
    """Which of two counts, every program would decide for itself."""
    before, signer = taken_apart()
    attributes = ber.read(signer[3])
    signer[3] = sequence(attributes.content, attributes.children()[0].written, tag=0xA0)
    assert outcome(put_together(before, signer)) == ("not-verified", "signature-unreadable")


def test_a_time_stamp_token_beside() -> None:
    """That there is one is told."""
    before, signer = taken_apart()
    token = sequence(bytes.fromhex("060b2a864886f70d010910020e"), sequence(b"\x05\x00", tag=ber.SET))
    signer.append(sequence(token, tag=0xA1))
    found = report(put_together(before, signer))
    assert (found.status.value, found.time_stamped) == ("valid", True)


def test_more_signers_than_anybody_looks_at() -> None:
    """Thirty-two are, one more is too many; so are sixty-five certificates."""
    before, signer = taken_apart()
    assert len(reports_on(CONTENT, put_together(before, *[signer] * 32), ANCHORS, LATER)) == 32
    assert outcome(put_together(before, *[signer] * 33)) == ("not-verified", "signature-too-large")
    beside = sequence(ber.read(before[3]).content * 65, tag=0xA0)
    assert outcome(put_together([*before[:3], beside], signer)) == ("not-verified", "signature-too-large")


@pytest.mark.parametrize("cut", range(1, 6))
def test_signers_that_lack_a_part(cut: int) -> None:
    """Nothing of it is read."""
    before, signer = taken_apart()
    assert outcome(put_together(before, signer[:cut])) == ("not-verified", "signature-unreadable")


def test_another_kind_of_cms() -> None:
    """Enveloped data holds no signature."""
    other = sequence(bytes.fromhex("06092a864886f70d010703"), SIGNED.children()[1].written)
    assert outcome(other) == ("not-verified", "signature-unreadable")


def test_keys_for_other_things_sign_no_documents(root: KeyPair) -> None:
    """What a certificate says of its use counts, where it says something."""
    signs, issues = (Anchors.of(certify(root, "x", ca=ca).certificate).certificates[0] for ca in (False, True))
    anchors = Anchors.of(root.certificate)
    assert anchors.problem(signs, (), LATER) is None
    assert anchors.problem(issues, (), LATER) == "certificate-untrusted"


SERVER, STAMPS = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.TIME_STAMPING
PERSON = ExtendedKeyUsageOID.CLIENT_AUTH


@pytest.mark.parametrize(
    ("usages", "problem"),
    [
        ((SERVER,), "certificate-untrusted"),
        ((SERVER, STAMPS), "certificate-untrusted"),
        ((SERVER, PERSON), None),
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), None),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), None),
        ((x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),), None),  # documents (RFC 9336)
    ],
)
def test_certificates_of_machines_sign_no_documents(
    root: KeyPair, usages: tuple[x509.ObjectIdentifier, ...], problem: str | None
) -> None:
    """A web server's certificate of the same authority signs nothing; what people's say, authorities differ in."""
    (signer,) = Anchors.of(certify(root, "x", usages=usages).certificate).certificates
    assert Anchors.of(root.certificate).problem(signer, (), LATER) == problem


@pytest.mark.filterwarnings("ignore:Parsed a serial number:cryptography.utils.CryptographyDeprecationWarning")
def test_anchors_are_read_from_a_file(tmp_path: Path) -> None:
    """None without one; a file that holds none is told when the configuration is read."""
    assert Anchors.load(None).certificates == ()
    file = tmp_path / "roots.pem"
    file.write_text("no certificate")
    with pytest.raises(KeyRefused) as caught:
        Anchors.load(file)
    assert caught.value.code == "certificate-file-unreadable"


def test_a_key_made_to_cost_time_is_not_used() -> None:
    """An exponent as long as the modulus takes a hundred times the usual work."""
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    slow = rsa.RSAPublicNumbers(2**2000 + 1, numbers.n).public_key()
    scheme = Scheme(hashes.SHA256(), hashes.SHA256(), padding.PKCS1v15())
    with pytest.raises(NotChecked) as caught:
        scheme.verify(slow, b"", bytes(32))
    assert caught.value.reason is SignatureReason.KEY_UNSUPPORTED
