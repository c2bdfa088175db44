"""Certificates of another authority beside ours: RSA, with issuers between, made and verified by openssl."""

from dataclasses import replace
from pathlib import Path

import pytest

from exchange.domain.reason import Reason
from exchange.security.cades import Signer
from exchange.security.errors import SignatureRefused
from exchange.security.keys import KeyPair
from exchange.security.purpose import STATEMENT_USAGE
from exchange.security.trust import Trust
from exchange.security.validity import Validity
from tests.security.openssl_authority import ECDSA, ISSUER, STATEMENTS, OpensslIssuer
from tests.security.support import DAY, NOW, STATEMENT, body, directory, encoded, openssl

pytestmark = pytest.mark.requires_tool(name="openssl", debian="openssl")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[OpensslIssuer, OpensslIssuer, KeyPair]:
    """A root, an issuer below it, and what that one issued: made once, RSA keys take long."""
    folder = tmp_path_factory.mktemp("authority")
    root = OpensslIssuer.root(folder / "root", key=("rsa:4096",))
    middle = root.intermediate(folder / "middle", digest="sha512")
    return root, middle, middle.issue("mfa", key=("rsa:3072",), digest="sha384")


def trust_of(root: KeyPair, leaf: KeyPair, *issuers: OpensslIssuer) -> Trust:
    """A directory with our own issuer, these, and one body for each."""
    ours = directory(root, body("mfa", leaf))
    return Trust(replace(ours, issuers=(*ours.issuers, *(encoded(issuer.certificate) for issuer in issuers))))


def signed(pair: KeyPair) -> bytes:
    """The statement's signature."""
    return Signer(pair.certificate, pair.key).sign(STATEMENT, NOW)


def refusal(trust: Trust, pair: KeyPair) -> Reason:
    """Why it is refused; the body is named, since it can sign again."""
    with pytest.raises(SignatureRefused) as caught:
        trust.verify_statement(STATEMENT, signed(pair), NOW)
    assert caught.value.body == "mfa"
    return caught.value.reason


def openssl_accepts(folder: Path, pair: KeyPair, leaf: Path, *issuers: OpensslIssuer, partial: bool = False) -> bool:
    """What `openssl cms -verify` says of it when it trusts these issuers."""
    statement, signature, trusted = folder / "statement", folder / "signature", folder / "issuers.pem"
    statement.write_bytes(STATEMENT)
    signature.write_bytes(signed(pair))
    trusted.write_bytes(b"".join(issuer.path.read_bytes() for issuer in issuers))
    files = ("-in", signature, "-content", statement, "-certfile", leaf, "-CAfile", trusted, "-out", "/dev/null")
    options = ("-attime", str(int(NOW.timestamp())), "-x509_strict", *(("-partial_chain",) if partial else ()))
    return openssl("cms", "-verify", "-binary", "-inform", "DER", *files, *options).returncode == 0


def test_a_chain_to_another_root(
    made: tuple[OpensslIssuer, OpensslIssuer, KeyPair], root: KeyPair, mfa: KeyPair, tmp_path: Path
) -> None:
    """RSA of 4096, 2048 and 3072 bits under SHA-512 and SHA-384, and ours beside; openssl says the same."""
    top, middle, leaf = made
    assert trust_of(root, leaf, top, middle).verify_statement(STATEMENT, signed(leaf), NOW) == "mfa"
    assert trust_of(root, mfa, top, middle).verify_statement(STATEMENT, signed(mfa), NOW) == "mfa"
    assert openssl_accepts(tmp_path, leaf, middle.folder / "mfa.crt.pem", top, middle)


def test_every_issuer_of_the_chain_is_listed(
    made: tuple[OpensslIssuer, OpensslIssuer, KeyPair], root: KeyPair, tmp_path: Path
) -> None:
    """Nothing travels in a signature, so a root alone does not do; one issuer below a root alone does."""
    top, middle, leaf = made
    file = middle.folder / "mfa.crt.pem"
    assert refusal(trust_of(root, leaf, top), leaf) is Reason.CERTIFICATE_UNTRUSTED
    assert not openssl_accepts(tmp_path, leaf, file, top)
    assert trust_of(root, leaf, middle).verify_statement(STATEMENT, signed(leaf), NOW) == "mfa"
    assert openssl_accepts(tmp_path, leaf, file, middle, partial=True)


def test_the_root_s_dates_count_when_it_is_listed(root: KeyPair, tmp_path: Path) -> None:
    """As in openssl: an issuer does not outlive the root above it."""
    top = OpensslIssuer.root(tmp_path / "root", validity=Validity(NOW - 9 * DAY, NOW - DAY))
    middle = top.intermediate(tmp_path / "middle", key=ECDSA)
    leaf = middle.issue("mfa", key=ECDSA)
    assert refusal(trust_of(root, leaf, top, middle), leaf) is Reason.CERTIFICATE_EXPIRED
    assert not openssl_accepts(tmp_path, leaf, middle.folder / "mfa.crt.pem", top, middle)


ISSUERS = {
    "policies": ("certificatePolicies = 1.2.3.4\n", None),
    "a distribution point": (
        "crlDistributionPoints = URI:http://crl.example/a.crl\nauthorityInfoAccess = OCSP;URI:http://ocsp.example\n",
        None,
    ),
    "names of hosts": ("nameConstraints = critical, permitted;DNS:gov.kg\n", None),
    "names of persons": (
        "nameConstraints = critical, permitted;dirName:persons\n[persons]\nC = KG\nO = Another authority\n",
        Reason.CERTIFICATE_UNTRUSTED,
    ),
    "policies that must be": (
        "policyConstraints = critical, requireExplicitPolicy:0\n",
        Reason.CERTIFICATE_UNTRUSTED,
    ),
    "purposes of its own": ("extendedKeyUsage = emailProtection\n", Reason.CERTIFICATE_UNTRUSTED),
}


@pytest.mark.parametrize(("extensions", "reason"), ISSUERS.values(), ids=list(ISSUERS))
def test_what_an_issuer_may_say_of_itself(
    root: KeyPair,
    made: tuple[OpensslIssuer, OpensslIssuer, KeyPair],
    tmp_path: Path,
    extensions: str,
    reason: Reason | None,
) -> None:
    """A constraint that is not understood is refused, never passed over, as openssl does with these by default."""
    middle = made[0].intermediate(tmp_path / "middle", key=ECDSA, extensions=extensions)
    leaf = middle.issue("mfa", key=ECDSA)
    trust = trust_of(root, leaf, made[0], middle)
    if reason is None:
        assert trust.verify_statement(STATEMENT, signed(leaf), NOW) == "mfa"
    else:
        assert refusal(trust, leaf) is reason
    assert openssl_accepts(tmp_path, leaf, middle.folder / "mfa.crt.pem", made[0], middle)


CERTIFICATES = {
    "not for statements": (
        STATEMENTS.replace(f"{STATEMENT_USAGE.dotted_string}, ", ""),
        Reason.CERTIFICATE_PURPOSE,
    ),
    "no commitment": (STATEMENTS.replace(", nonRepudiation", ""), Reason.CERTIFICATE_PURPOSE),
    "an issuer's": (ISSUER, Reason.CERTIFICATE_PURPOSE),
    "something critical of its own": (
        f"{STATEMENTS}1.2.3.4.5 = critical, ASN1:UTF8String:what\n",
        Reason.CERTIFICATE_UNTRUSTED,
    ),
    "a name outside": (f"{STATEMENTS}subjectAltName = DNS:mfa.example\n", Reason.CERTIFICATE_UNTRUSTED),
}


@pytest.mark.parametrize(("extensions", "reason"), CERTIFICATES.values(), ids=list(CERTIFICATES))
def test_what_a_certificate_must_say_of_itself(
    root: KeyPair,
    made: tuple[OpensslIssuer, OpensslIssuer, KeyPair],
    tmp_path: Path,
    extensions: str,
    reason: Reason,
) -> None:
    """The same as ours, whoever issued it; the names that its issuer may vouch for are kept."""
    constraints = "nameConstraints = critical, permitted;DNS:gov.kg\n"
    middle = made[0].intermediate(tmp_path / "middle", key=ECDSA, extensions=constraints)
    leaf = middle.issue("mfa", key=ECDSA, extensions=extensions)
    assert refusal(trust_of(root, leaf, made[0], middle), leaf) is reason


def test_weak_ones(root: KeyPair, made: tuple[OpensslIssuer, OpensslIssuer, KeyPair], tmp_path: Path) -> None:
    """SHA-1 in a chain vouches for nobody (RSA under 2048 bits is refused by the directory itself)."""
    middle = made[0].intermediate(tmp_path / "middle", key=ECDSA, digest="sha1")
    leaf = middle.issue("mfa", key=ECDSA)
    assert refusal(trust_of(root, leaf, made[0], middle), leaf) is Reason.CERTIFICATE_UNTRUSTED
