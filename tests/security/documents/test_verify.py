"""Documents' own signatures, made by openssl as people's programs make them, and what is reported of them."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats.files import file_info
from exchange.domain.card import DocumentSignature, FileRole, LetterCard, Person
from exchange.security.documents import (
    Anchors,
    SignatureReport,
    SignatureStatus,
    ber,
    signature_reports,
)
from exchange.security.keys import KeyPair
from exchange.security.validity import Validity
from tests.security.documents.reported import reports_on
from tests.security.support import DAY, NOW, certify, certify_root, openssl, rsa_key, write_pair
from tests.strategies import mutations

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

CONTENT = "Кат: улуттук архив жөнүндө\n".encode()
LATER = datetime(2048, 1, 1, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"
SHA256 = bytes.fromhex("0609608648016503040201")
ANCHORS = Anchors.load(SAMPLES / "anchors.pem")
PSS = ("-keyopt", "rsa_padding_mode:pss")


class Desk:
    """A folder in which openssl signs."""

    def __init__(self, folder: Path) -> None:
        """Put the content there."""
        self.folder = folder
        (folder / "content").write_bytes(CONTENT)

    def sign(self, signers: Sequence[KeyPair], *options: str, outform: str = "DER") -> bytes:
        """A detached signature of the content; `-keyopt` belongs to the last signer."""
        named: list[str | Path] = []
        for index, pair in enumerate(signers):
            certificate, key = write_pair(self.folder, f"signer-{index}", pair)
            named += ["-signer", certificate, "-inkey", key]
        made = self.folder / "signature"
        files = ("-in", self.folder / "content", "-outform", outform, "-out", made)
        done = openssl("cms", "-sign", "-binary", *named, *files, *options)
        assert done.returncode == 0, done.stderr
        return made.read_bytes()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One for all tests."""
    return Desk(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="module")
def chief(root: KeyPair) -> KeyPair:
    """A signer on P-384."""
    return certify(root, "Асанов А. Б.", key=ec.generate_private_key(ec.SECP384R1()))


@pytest.fixture(scope="module")
def cms(desk: Desk, mfa: KeyPair) -> bytes:
    """The plainest of signatures."""
    return desk.sign([mfa])


def only(cms: bytes, *anchors: KeyPair, content: bytes = CONTENT, now: datetime = LATER) -> SignatureReport:
    """The report on a signature of one signer."""
    (report,) = reports_on(content, cms, Anchors.of(*(pair.certificate for pair in anchors)), now)
    return report


def outcome(report: SignatureReport) -> tuple[str, str]:
    """What became of it, and why."""
    return report.status.value, report.reason or ""


@pytest.mark.parametrize("options", [(), ("-noattr",), ("-cades",), ("-keyid",), ("-stream", "-indef"), ("-nodetach",)])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_ecdsa_of_every_form(desk: Desk, mfa: KeyPair, root: KeyPair, options: tuple[str, ...], digest: str) -> None:
    """With and without attributes, named by key, in BER of indefinite length, with its content inside."""
    report = only(desk.sign([mfa], "-md", digest, *options), root)
    assert outcome(report) == ("valid", "")
    assert (report.signer, report.subject) == ("mfa", "CN=mfa")
    assert report.algorithm == f"ECDSA, SHA-{digest[3:]}"
    said = None if "-noattr" in options else report.signed_at
    assert report.signed_at == said
    assert said is None or abs(said - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("options", "algorithm"),
    [
        ((), "RSA, SHA-256"),
        (("-md", "sha384", "-noattr"), "RSA, SHA-384"),
        (PSS, "RSA-PSS, SHA-256"),
        (("-md", "sha512", *PSS, "-keyopt", "rsa_pss_saltlen:64"), "RSA-PSS, SHA-512"),
        (("-noattr", *PSS, "-keyopt", "rsa_mgf1_md:sha384"), "RSA-PSS, SHA-256"),
    ],
)
def test_rsa(desk: Desk, minjust: KeyPair, root: KeyPair, options: tuple[str, ...], algorithm: str) -> None:
    """PKCS #1 v1.5 and PSS with its parameters."""
    report = only(desk.sign([minjust], *options), root)
    assert outcome(report) == ("valid", "")
    assert report.algorithm == algorithm


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_other_curves(desk: Desk, root: KeyPair, curve: ec.EllipticCurve) -> None:
    """P-384 and P-521."""
    signer = certify(root, "signer", key=ec.generate_private_key(curve))
    assert outcome(only(desk.sign([signer], "-md", "sha384"), root)) == ("valid", "")


def test_pem_base64_and_what_pads(cms: bytes, root: KeyPair) -> None:
    """As mail programs, as databases and as devices write them."""
    text = base64.encodebytes(cms)
    armoured = b"-----BEGIN CMS-----\n" + text + b"-----END CMS-----\n"
    for written in (
        text,
        b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n "),
        armoured,
        b"note\n" + armoured,
        cms + bytes(9),
    ):
        assert outcome(only(written, root)) == ("valid", "")


def test_several_signers_each_have_their_report(desk: Desk, mfa: KeyPair, minjust: KeyPair, root: KeyPair) -> None:
    """In the file's order, whatever becomes of the others."""
    stranger = certify(certify_root("another root"), "stranger")
    reports = reports_on(CONTENT, desk.sign([mfa, stranger, minjust]), Anchors.of(root.certificate), LATER)
    assert {report.signer: outcome(report) for report in reports} == {
        "mfa": ("valid", ""),
        "stranger": ("signer-unknown", "certificate-untrusted"),
        "minjust": ("valid", ""),
    }


def test_another_content(desk: Desk, mfa: KeyPair, cms: bytes, root: KeyPair) -> None:
    """Is told apart from a broken signature by the digest that the signer signed, where there is one."""
    assert outcome(only(cms, root, content=CONTENT + b" ")) == ("altered", "content-differs")
    bare = desk.sign([mfa], "-noattr")
    assert outcome(only(bare, root, content=CONTENT + b" ")) == ("invalid", "signature-wrong")


def test_another_signature(cms: bytes, root: KeyPair) -> None:
    """Its value, the attributes under it, and the certificate beside it, each changed in one place."""
    time = cms.index(b"\x17\x0d", cms.index(bytes.fromhex("06092a864886f70d010905")))
    later = cms[: time + 3] + bytes((cms[time + 3] ^ 1,)) + cms[time + 4 :]
    assert outcome(only(later, root)) == ("invalid", "signature-wrong")
    assert outcome(only(cms[:-3] + bytes((cms[-3] ^ 1,)) + cms[-2:], root)) == ("invalid", "signature-wrong")


def test_a_certificate_cannot_be_exchanged(desk: Desk, mfa: KeyPair, root: KeyPair) -> None:
    """One of the same key, issuer and number is not the one that a CAdES signature names."""
    signed = desk.sign([mfa], "-cades", "-nocerts")
    serial = mfa.certificate.serial_number
    twin = certify(root, "minister", key=mfa.key, serial=serial)
    assert outcome(only(signed, mfa)) == ("valid", "")
    assert outcome(only(signed, twin)) == ("invalid", "certificate-other")


def test_signed_attributes_are_no_document() -> None:
    """Of a signature with attributes another can be made, without them, over the attributes themselves."""
    kind, wrapped = ber.read((SAMPLES / "ecdsa.p7s").read_bytes()).children()
    *before, signers = wrapped.children()[0].children()
    version, identifier, digest, attributes, *after = signers.children()[0].children()
    signer = sequence_of(*(each.written for each in (version, identifier, digest, *after)))
    data = sequence_of(*(each.written for each in before), ber.encode(ber.SET, signer))
    forged = sequence_of(kind.written, ber.encode(0xA0, data))
    content = b"".join(sorted(each.written for each in attributes.children()))
    assert outcome_of(forged, ber.encode(ber.SET, content)) == ("invalid", "attributes-wrong")
    assert outcome_of(forged, CONTENT) == ("invalid", "signature-wrong")


def sequence_of(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return ber.encode(ber.SEQUENCE, b"".join(parts))


def outcome_of(cms: bytes, content: bytes) -> tuple[str, str]:
    """With the anchors of the samples."""
    (report,) = reports_on(content, cms, ANCHORS, LATER)
    return outcome(report)


def test_whom_nobody_vouches_for(desk: Desk, mfa: KeyPair, minjust: KeyPair, cms: bytes, root: KeyPair) -> None:
    """No anchors, other anchors, no certificate; a signer's own certificate is an anchor too."""
    assert outcome(only(cms)) == ("signer-unknown", "anchors-missing")
    assert outcome(only(cms, minjust)) == ("signer-unknown", "certificate-untrusted")
    assert outcome(only(cms, mfa)) == ("valid", "")
    bare = desk.sign([mfa], "-nocerts")
    assert outcome(only(bare, root)) == ("not-verified", "certificate-missing")
    assert outcome(only(bare, root, content=b"other")) == ("altered", "content-differs")


def test_certificates_are_looked_at_as_of_the_signing(desk: Desk, root: KeyPair) -> None:
    """One that ended since is good for what was signed before, and not for what claims no time."""
    signed_on = datetime.now(UTC)
    short = certify(root, "short", validity=Validity(NOW - DAY, (signed_on + DAY).replace(microsecond=0)))
    over = certify(root, "over", validity=Validity(NOW - 9 * DAY, NOW - 8 * DAY))
    early = certify(root, "early", validity=Validity(LATER - 9 * DAY, LATER))
    assert outcome(only(desk.sign([short]), root)) == ("valid", "")
    assert outcome(only(desk.sign([short], "-noattr"), root)) == ("signer-unknown", "certificate-expired")
    assert outcome(only(desk.sign([over]), root)) == ("signer-unknown", "certificate-expired")
    assert outcome(only(desk.sign([early]), root)) == ("signer-unknown", "certificate-not-yet-valid")
    assert outcome(only(desk.sign([short]), root, now=NOW - 2 * DAY)) == ("signer-unknown", "certificate-not-yet-valid")


def test_a_signers_certificate_vouches_for_nobody(desk: Desk, mfa: KeyPair, root: KeyPair) -> None:
    """Not even with its own certificate beside: only issuers issue."""
    forged = certify(mfa, "minister")
    certificate, _ = write_pair(desk.folder, "beside", mfa)
    signed = desk.sign([forged], "-certfile", str(certificate))
    assert outcome(only(signed, root)) == ("signer-unknown", "certificate-untrusted")
    issuer = certify(root, "issuer", ca=True)
    certificate, _ = write_pair(desk.folder, "beside", issuer)
    signed = desk.sign([certify(issuer, "clerk")], "-certfile", str(certificate))
    assert outcome(only(signed, root)) == ("valid", "")


@pytest.mark.parametrize(
    ("sample", "algorithm"),
    [
        ("gost-2001.p7s", "GOST R 34.10-2001"),
        ("gost-2012-256.p7s", "GOST R 34.10-2012, 256 bits"),
        ("gost-2012-512.p7s", "GOST R 34.10-2012, 512 bits"),
    ],
)
def test_gost_is_never_valid(sample: str, algorithm: str) -> None:
    """Real ones, of openssl's provider: who signed, and when, is told; whether it holds is not."""
    cms = (SAMPLES / sample).read_bytes()
    for content in (CONTENT, b"another"):
        report = only(cms, content=content)
        assert outcome(report) == ("not-verified", "gost")
        assert (report.signer, report.algorithm) == ("Асанов А. Б.", algorithm)
        assert report.signed_at is not None
        assert report.signed_at.year == 2026


def test_what_is_weak_proves_nothing(desk: Desk, mfa: KeyPair, root: KeyPair) -> None:
    """SHA-1, MD5 and short keys hold as openssl sees it, and are not valid here."""
    short = certify(root, "short", key=rsa_key(1024))
    for cms in (desk.sign([mfa], "-md", "sha1"), desk.sign([short]), desk.sign([short], "-md", "md5")):
        assert outcome(only(cms, root)) == ("not-verified", "algorithm-weak")


def test_unknown_algorithms_are_not_verified(desk: Desk, mfa: KeyPair, root: KeyPair) -> None:
    """Digests nobody asked for, and curves that documents are not signed on."""
    sha3 = desk.sign([mfa]).replace(SHA256, SHA256[:-1] + b"\x08")
    assert outcome(only(sha3, root)) == ("not-verified", "algorithm-unknown")
    odd = certify(root, "odd", key=ec.generate_private_key(ec.SECP256K1()))
    assert outcome(only(desk.sign([odd]), root)) == ("not-verified", "key-unsupported")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "signature-unreadable"),
        (b"0\x82made up", "signature-unreadable"),
        (b"no base64 at all", "signature-unreadable"),
        (bytes.fromhex("3080a080") * 4000, "signature-unreadable"),
        (bytes(1024 * 1024 + 1), "signature-too-large"),
        (bytes.fromhex("301c06092a864886f70d010702a00f300d020101310030020600a0003100"), "signature-unreadable"),
        (
            bytes.fromhex("302706092a864886f70d010702a01a30180201013100300b06092a864886f70d010701a000a1003100"),
            "signer-missing",
        ),
    ],
)
def test_what_is_no_signature(data: bytes, reason: str) -> None:
    """One reason for all bytes that hold none."""
    assert outcome(only(data)) == ("not-verified", reason)


@pytest.mark.filterwarnings("ignore:Parsed a serial number:cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("sample", ["ecdsa", "rsa-pss", "rsa-indefinite", "gost-2012-256"])
@given(data=st.data())
@settings(max_examples=40)
def test_near_misses_are_reported(sample: str, data: st.DataObject) -> None:
    """A mutilated signature raises nothing, and is valid only where the mutilation is beside what is signed."""
    mutant = data.draw(mutations((SAMPLES / f"{sample}.p7s").read_bytes()))
    for report in reports_on(CONTENT, mutant, ANCHORS, LATER):
        assert report.status is not SignatureStatus.VALID or report.signer.startswith("Асанов")


def test_a_letters_signatures(cms: bytes, root: KeyPair) -> None:
    """Found by the card: which file, by which file; who the document names stands where no certificate does."""
    names = ("letter.pdf", "letter.p7s", "annex.txt", "annex.sig")
    files = (CONTENT, cms, CONTENT + b"!", b"made up")
    infos = tuple(file_info(str(i), name, files[i], FileRole.DATA) for i, name in enumerate(names))
    signatures = tuple(
        DocumentSignature(file, signature, Person(name="Министр"))
        for file, signature in (
            ("0", "letter.p7s"),
            ("2", "letter.p7s"),
            ("2", "annex.sig"),
            ("7", "annex.sig"),
            ("0", "x"),
        )
    )
    card = LetterCard(files=infos, signatures=signatures)
    reports = signature_reports(card, files, Anchors.of(root.certificate), LATER)
    assert [(each.file, each.signature_file, each.signer, *outcome(each)) for each in reports] == [
        ("letter.pdf", "letter.p7s", "mfa", "valid", ""),
        ("annex.txt", "letter.p7s", "mfa", "altered", "content-differs"),
        ("annex.txt", "annex.sig", "Министр", "not-verified", "signature-unreadable"),
        ("7", "annex.sig", "Министр", "not-verified", "file-missing"),
        ("letter.pdf", "x", "Министр", "not-verified", "file-missing"),
    ]


@pytest.mark.parametrize(("ids", "names"), [("001", "abs"), ("012", "aas"), ("012", "ass")])
def test_a_file_that_is_not_the_only_one_of_its_name(ids: str, names: str, cms: bytes, root: KeyPair) -> None:
    """A forged file beside the genuine one of the same id or name must not borrow its signature."""
    files = (b"forged", CONTENT, cms)
    infos = tuple(file_info(i, name, data, FileRole.DATA) for i, name, data in zip(ids, names, files, strict=True))
    card = LetterCard(files=infos, signatures=(DocumentSignature("0", "s", Person()),))
    (report,) = signature_reports(card, files, Anchors.of(root.certificate), LATER)
    assert outcome(report) == ("not-verified", "file-ambiguous")


def test_more_signatures_than_anybody_looks_at() -> None:
    """A card that names the same two files hundreds of times costs no hours."""
    cms = (SAMPLES / "ecdsa.p7s").read_bytes()
    files = (file_info("0", "a", CONTENT, FileRole.MAIN), file_info("1", "b", cms, FileRole.DATA))
    card = LetterCard(files=files, signatures=(DocumentSignature("0", "b", Person()),) * 203)
    reasons = [report.reason for report in signature_reports(card, (CONTENT, cms), ANCHORS, LATER)]
    assert reasons == [None] * 200 + ["signature-too-large"] * 3
