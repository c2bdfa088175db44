"""What keeps a request from being granted, and an answer from being installed: each rule broken once."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import BodyStatus, CertificateUse, Directory
from exchange.domain.errors import ConfigurationError
from exchange.security.authority import Authority
from exchange.security.directory.canonical_json import canonical
from exchange.security.enrolment import Answer, Request, decode_request, encode_request, entry_of, make_request
from exchange.security.enrolment_rules import REQUEST_LIFETIME, Applicant, examine_answer, examine_request, keys_listed
from exchange.security.keys import KeyPair, PrivateKey, load_certificate
from tests.security.support import DAY, NOW, certify_root, directory
from tests.security.test_enrolment import BODY, EXCHANGE, FILE, KEYS, REQUEST

SOATE = frozenset({"41702205000000", "41702205805000"})
RAION = replace(
    BODY, code="ak-suu", kind="raion", status=BodyStatus.CONNECTED, soate="41702205000000", parent="", uids=()
)
STATEMENT, TRANSPORT, ENCRYPTION = CertificateUse


@pytest.fixture
def listed(root: KeyPair) -> Directory:
    """A directory that has the body's raion."""
    return directory(root, RAION)


def codes(
    request: Request, listed: Directory, used: dict[bytes, str] | None = None, after: timedelta = DAY
) -> list[str]:
    """Codes of all problems, a day after the request."""
    return [problem.code for problem in examine_request(request, listed, SOATE, used or {}, NOW + after)]


def made(**keys: PrivateKey) -> Request:
    """A request, with other keys for some uses."""
    return make_request(BODY, EXCHANGE, {**KEYS, **{CertificateUse(use): key for use, key in keys.items()}}, NOW)


def csr(name: str, key: PrivateKey) -> x509.CertificateSigningRequest:
    """A certificate request that need not be sound."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, part) for part in name.split("+")])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())


def test_a_sound_request(listed: Directory) -> None:
    """Nothing is wrong with it, for a month; nor when it was planned like that."""
    assert codes(REQUEST, listed) == []
    assert codes(decode_request(encode_request(REQUEST)), listed, after=REQUEST_LIFETIME) == []
    planned = replace(BODY, status=BodyStatus.PLANNED)
    assert codes(REQUEST, replace(listed, bodies={**listed.bodies, "ak-bulun": planned})) == []
    unclear = replace(planned, soate="", parent="")
    assert codes(REQUEST, replace(listed, bodies={**listed.bodies, "ak-bulun": unclear})) == []


def test_of_another_exchange(listed: Directory) -> None:
    """A request for the training exchange is nothing in production."""
    assert codes(REQUEST, replace(listed, exchange=bytes(32))) == ["request-foreign"]


@pytest.mark.parametrize("after", [-timedelta(minutes=6), REQUEST_LIFETIME + timedelta(seconds=1)])
def test_out_of_its_time(listed: Directory, after: timedelta) -> None:
    """From the future, or older than a month."""
    assert codes(REQUEST, listed, after=after) == ["request-outdated"]


def test_altered_on_its_way(listed: Directory) -> None:
    """Another name under the same signature."""
    altered = replace(REQUEST, body=replace(BODY, names=replace(BODY.names, en="Somebody else")))
    assert codes(altered, listed) == ["request-signature-invalid"]


@pytest.mark.parametrize("status", [status for status in BodyStatus if status not in {"planned", "requested"}])
def test_a_foreign_code(listed: Directory, status: BodyStatus) -> None:
    """Who is in, or was, is no newcomer."""
    present = replace(listed, bodies={**listed.bodies, "ak-bulun": replace(BODY, status=status)})
    assert codes(REQUEST, present) == ["body-listed"]


def test_otherwise_than_planned(listed: Directory) -> None:
    """Each field by itself; what the plan leaves open may be anything."""
    planned = replace(BODY, status=BodyStatus.PLANNED, soate="41702205806000", kind="city", gateway="ak-suu")
    with_plan = replace(listed, bodies={**listed.bodies, "ak-bulun": planned})
    assert codes(REQUEST, with_plan) == ["request-differs"] * 3


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (rsa.generate_private_key(65537, 1024), "key-too-weak"),  # noqa: S505 - weak on purpose
        (ec.generate_private_key(ec.SECP384R1()), "key-unsupported"),
    ],
)
@pytest.mark.parametrize("use", [STATEMENT, TRANSPORT])
def test_weak_keys(listed: Directory, key: PrivateKey, code: str, use: CertificateUse) -> None:
    """Told for whichever use; a signature by such a key proves nothing."""
    found = codes(make_request(BODY, EXCHANGE, {**KEYS, use: key}, NOW), listed)
    assert found == ([*["request-signature-invalid"] * (use is STATEMENT), code])


def test_keys_of_unknown_kinds(listed: Directory) -> None:
    """Ed25519 is out here (rule 1.4)."""
    key = ed25519.Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, BODY.code)])
    odd = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, None)
    altered = replace(REQUEST, csrs={**REQUEST.csrs, TRANSPORT: odd})
    assert codes(altered, listed) == ["request-signature-invalid", "key-unsupported"]


def test_content_keys_are_wrapped_for_curves_only(listed: Directory) -> None:
    """HPKE knows no RSA (section 7)."""
    assert codes(made(encryption=rsa.generate_private_key(65537, 2048)), listed) == ["key-unsupported"]


def test_one_key_for_two_uses(listed: Directory) -> None:
    """Each use has a key of its own (rule 1.4)."""
    assert codes(made(transport=KEYS[STATEMENT]), listed) == ["key-shared"]


def test_a_key_that_was_listed_before(listed: Directory, tmp_path: Path) -> None:
    """By another body, or by this one: a request that was granted is not granted again."""
    entry = entry_of(REQUEST, granted(Authority(tmp_path, now=NOW)))
    used = keys_listed([RAION, entry])
    assert set(used.values()) == {"ak-bulun"}
    assert codes(REQUEST, listed, used) == ["key-reused"] * 3
    fresh = {use: ec.generate_private_key(ec.SECP256R1()) for use in CertificateUse}
    assert codes(make_request(BODY, EXCHANGE, fresh, NOW), listed, used) == []


@pytest.mark.parametrize("name", ["mfa", "ak-bulun+mfa", "mfa+ak-bulun"])
def test_a_certificate_for_somebody_else(listed: Directory, name: str) -> None:
    """The body's name and no other."""
    wanted = {**REQUEST.csrs, TRANSPORT: csr(name, KEYS[TRANSPORT])}
    assert "csr-names-another" in codes(replace(REQUEST, csrs=wanted), listed)


def test_a_key_that_the_body_has_not(listed: Directory) -> None:
    """A certificate request proves that its maker has the key; somebody's public key does not."""
    thief = ec.generate_private_key(ec.SECP256R1())
    stolen, own = (
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in (KEYS[TRANSPORT], thief)
    )
    forged = x509.load_der_x509_csr(csr("ak-bulun", thief).public_bytes(Encoding.DER).replace(own, stolen))
    assert "csr-signature-invalid" in codes(replace(REQUEST, csrs={**REQUEST.csrs, TRANSPORT: forged}), listed)


def test_everything_at_once(listed: Directory) -> None:
    """The entry's own problems too."""
    body = replace(BODY, kind="empire", soate="41702999000000", parent="nobody")
    request = make_request(body, bytes(32), {**KEYS, TRANSPORT: KEYS[STATEMENT]}, NOW - 2 * REQUEST_LIFETIME)
    assert codes(request, listed) == [
        "request-foreign",
        "request-outdated",
        "key-shared",
        "kind-unknown",
        "soate-unknown",
        "parent-unknown",
    ]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(at=st.integers(0, len(FILE) - 1), flip=st.integers(1, 255))
def test_damage_anywhere_is_told(at: int, flip: int) -> None:
    """Also in a certificate request: a refusal or a problem, never another error."""
    changed = bytearray(FILE)
    changed[at] ^= flip
    try:
        request = decode_request(bytes(changed))
    except ConfigurationError:
        return
    assert "request-signature-invalid" in codes(request, directory(certify_root(), RAION))


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255), use=st.sampled_from(CertificateUse))
def test_damaged_certificate_requests_are_told(at: int, flip: int, use: CertificateUse) -> None:
    """Bit by bit, as far as they are read at all."""
    der = bytearray(REQUEST.csrs[use].public_bytes(Encoding.DER))
    der[at % len(der)] ^= flip
    document = json.loads(FILE)
    document["csrs"][use] = base64.b64encode(der).decode()
    try:
        request = decode_request(canonical(document))
    except ConfigurationError:
        return
    assert "request-signature-invalid" in codes(request, directory(certify_root(), RAION))


def granted(authority: Authority, code: str = BODY.code) -> dict[CertificateUse, x509.Certificate]:
    """What the authority issues for the request."""
    return {use: authority.certify(wanted, code, use) for use, wanted in REQUEST.csrs.items()}


def applicant(authority: Authority) -> Applicant:
    """The body when its answer comes."""
    keys = {use: key.public_key() for use, key in KEYS.items()}
    issuers = (load_certificate(authority.statement_root),)
    return Applicant(BODY.code, EXCHANGE, keys, load_certificate(authority.transport_root), issuers)


def answer_codes(answer: Answer, holding: Applicant, after: timedelta = timedelta()) -> list[str]:
    """Codes of all problems."""
    return sorted(problem.code for problem in examine_answer(answer, holding, NOW + after))


def test_a_sound_answer(tmp_path: Path) -> None:
    """Also before the directory is there, which names the issuers."""
    authority = Authority(tmp_path, now=NOW)
    answer = Answer(EXCHANGE, BODY.code, granted(authority))
    assert answer_codes(answer, applicant(authority)) == []
    assert answer_codes(answer, replace(applicant(authority), issuers=())) == []


Alter = Callable[[Answer, Authority, Path], Answer]


@pytest.mark.parametrize(
    ("alter", "found"),
    [
        (lambda answer, *_: replace(answer, code="mfa"), ["answer-foreign"]),
        (lambda answer, *_: replace(answer, exchange=bytes(32)), ["answer-foreign"]),
        (lambda answer, *_: replace(answer, certificates={}), ["answer-incomplete"]),
        (
            lambda answer, authority, _: replace(answer, certificates=granted(authority, "mfa")),
            ["certificate-names-another"] * 3,
        ),
        (
            lambda answer, _, folder: replace(answer, certificates=granted(Authority(folder / "other", now=NOW))),
            ["certificate-untrusted"] * 3,
        ),
        (
            lambda answer, authority, _: replace(
                answer,
                certificates={
                    **answer.certificates,
                    TRANSPORT: authority.certify(REQUEST.csrs[TRANSPORT], BODY.code, STATEMENT),
                },
            ),
            ["certificate-untrusted"],
        ),
        (
            lambda answer, authority, _: replace(
                answer,
                certificates={
                    **answer.certificates,
                    STATEMENT: authority.certify(REQUEST.csrs[STATEMENT], BODY.code, ENCRYPTION),
                },
            ),
            ["certificate-purpose"],
        ),
        (
            lambda answer, *_: replace(
                answer, certificates={**answer.certificates, ENCRYPTION: answer.certificates[STATEMENT]}
            ),
            ["certificate-purpose", "key-certificate-mismatch"],
        ),
    ],
)
def test_answers_that_do_not_fit(tmp_path: Path, alter: Alter, found: list[str]) -> None:
    """Another's, incomplete, of another authority, for another use, of another key."""
    authority = Authority(tmp_path / "authority", now=NOW)
    answer = alter(Answer(EXCHANGE, BODY.code, granted(authority)), authority, tmp_path)
    assert answer_codes(answer, applicant(authority)) == found


def test_certificates_last_a_year(tmp_path: Path) -> None:
    """And an answer that lay too long is told."""
    authority = Authority(tmp_path, now=NOW)
    answer = Answer(EXCHANGE, BODY.code, granted(authority))
    assert answer_codes(answer, applicant(authority), 364 * DAY) == []
    assert answer_codes(answer, applicant(authority), 366 * DAY) == ["certificate-expired"] * 3
