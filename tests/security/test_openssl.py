"""OpenSSL and we accept each other's signatures, byte for byte the same form (rule 1.4)."""

from pathlib import Path

import pytest

from exchange.security.authority import Authority
from exchange.security.cades import Signer, Verifier
from exchange.security.errors import SignatureFormError
from exchange.security.form import embed_certificate, parse
from exchange.security.keys import KeyPair, load_key_pair
from tests.security.support import NOW, STATEMENT, WIDE, openssl, write_pair

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")

CADES = ("-binary", "-cades", "-nosmimecap", "-nocerts", "-md", "sha256", "-outform", "DER")


class Workbench:
    """Files for openssl: statement, certificate, key, root."""

    def __init__(self, folder: Path, pair: KeyPair, root: KeyPair) -> None:
        """Write them into `folder`."""
        self.statement, self.signature = folder / "statement", folder / "signature"
        self.statement.write_bytes(STATEMENT)
        self.certificate, self.key = write_pair(folder, "signer", pair)
        self.root, _ = write_pair(folder, "root", root)

    def sign(self, *options: str) -> bytes:
        """A signature by `openssl cms -sign`."""
        key = ("-signer", self.certificate, "-inkey", self.key)
        done = openssl("cms", "-sign", *key, "-in", self.statement, "-out", self.signature, *options)
        assert done.returncode == 0, done.stderr
        return self.signature.read_bytes()

    def verify(self, cms: bytes, *options: str | Path) -> bool:
        """Whether `openssl cms -verify` accepts `cms`, by the command of the auditor's page."""
        self.signature.write_bytes(cms)
        files = ("-in", self.signature, "-content", self.statement, "-CAfile", self.root, "-out", "/dev/null")
        return openssl("cms", "-verify", "-binary", "-inform", "DER", *files, *options).returncode == 0


@pytest.fixture
def bench(tmp_path: Path, pair: KeyPair, root: KeyPair) -> Workbench:
    """Files of one pair."""
    return Workbench(tmp_path, pair, root)


def test_openssl_accepts_ours(bench: Workbench, pair: KeyPair) -> None:
    """With the certificate beside, no odd flag, purpose and chain checked; an altered statement is refused."""
    cms = Signer(pair.certificate, pair.key).sign(STATEMENT, NOW)
    assert bench.verify(cms, "-certfile", bench.certificate)
    assert not bench.verify(cms), "no certificate travels inside"
    bench.statement.write_bytes(STATEMENT + b"!")
    assert not bench.verify(cms, "-certfile", bench.certificate)


def test_openssl_accepts_our_export_as_cades(bench: Workbench, pair: KeyPair) -> None:
    """Inserting the certificate makes CAdES B-B without signing again."""
    cms = embed_certificate(Signer(pair.certificate, pair.key).sign(STATEMENT, NOW), pair.certificate)
    assert bench.verify(cms, "-cades")


def test_we_accept_openssl_s(bench: Workbench, pair: KeyPair) -> None:
    """The template renders openssl's bytes; RSA, which has no nonce, comes out identical."""
    cms = bench.sign(*CADES)
    parsed = parse(cms)
    Verifier(pair.certificate).verify(parsed, STATEMENT)
    ours = Signer(pair.certificate, pair.key).sign(STATEMENT, parsed.signing_time)
    fixed = slice(0, len(cms) - len(parsed.value))
    if len(ours) == len(cms):
        assert ours[fixed] == cms[fixed]
    if parsed.value[0] != 0x30:
        assert ours == cms


def without(left_out: str) -> tuple[str, ...]:
    """The accepted options but one."""
    return tuple(option for option in CADES if option != left_out)


@pytest.mark.parametrize(
    "options",
    [
        without("-nocerts"),
        without("-nosmimecap"),
        without("-cades"),
        (*without("-cades"), "-noattr"),
        (*CADES, "-keyid"),
        (*CADES, "-nodetach"),
        (*CADES, "-nodetach", "-stream"),
        (*CADES, "-econtent_type", "1.2.3.4"),
        tuple("sha512" if option == "sha256" else option for option in CADES),
    ],
    ids=["certificate", "smimecap", "no-ess", "no-attributes", "key-id", "content", "ber", "type", "sha512"],
)
def test_other_forms_of_openssl_are_refused(bench: Workbench, options: tuple[str, ...]) -> None:
    """Every option that changes the form changes the answer."""
    with pytest.raises(SignatureFormError):
        parse(bench.sign(*options))


def test_rsa_pss_is_refused(tmp_path: Path, minjust: KeyPair, root: KeyPair) -> None:
    """One padding is accepted for RSA."""
    cms = Workbench(tmp_path, minjust, root).sign(*CADES, "-keyopt", "rsa_padding_mode:pss")
    with pytest.raises(SignatureFormError):
        Verifier(minjust.certificate).verify(parse(cms), STATEMENT)


def test_the_authority_s_certificates_pass_openssl(tmp_path: Path) -> None:
    """What the development authority issues works with the plain command, and strict chain checks."""
    authority = Authority(tmp_path / "pki", now=NOW, validity=WIDE)
    signer, roots = authority.body("mfa", validity=WIDE).statement, authority.statement_root
    pair = load_key_pair(signer)
    bench = Workbench(tmp_path, pair, pair)
    bench.root, bench.certificate = roots, signer.certificate
    cms = Signer(pair.certificate, pair.key).sign(STATEMENT, NOW)
    assert bench.verify(cms, "-certfile", bench.certificate, "-x509_strict")
    bench.root = authority.transport_root
    assert not bench.verify(cms, "-certfile", bench.certificate)
