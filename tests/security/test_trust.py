"""Whether a statement's signature holds: each way not to has its own reason."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.domain.reason import Reason
from exchange.security.cades import Signer
from exchange.security.errors import DirectoryRefused, SignatureRefused
from exchange.security.keys import KeyPair
from exchange.security.purpose import Purpose
from exchange.security.trust import Trust
from exchange.security.validity import Validity
from tests.security.forms import OTHER_FORMS, signature_of
from tests.security.support import DAY, NOW, STATEMENT, body, certify, certify_root, directory, encoded, listing


def trust_in(root: KeyPair, *certificates: KeyPair | ListedCertificate) -> Trust:
    """Trust in one body with `certificates`."""
    return Trust(directory(root, body("mfa", *certificates)))


def refusal(trust: Trust, cms: bytes, statement: bytes = STATEMENT, at: datetime = NOW) -> tuple[Reason, str | None]:
    """Why, and who may be told."""
    with pytest.raises(SignatureRefused) as caught:
        trust.verify_statement(statement, cms, at)
    assert caught.value.code == caught.value.reason.value
    return caught.value.reason, caught.value.body


@pytest.fixture
def trust(root: KeyPair, mfa: KeyPair, minjust: KeyPair) -> Trust:
    """Two bodies."""
    return Trust(directory(root, body("mfa", mfa), body("minjust", minjust)))


def test_names_the_body_that_signed(trust: Trust, mfa: KeyPair, minjust: KeyPair) -> None:
    """By the listed certificate, not by what the statement says of itself."""
    assert trust.verify_statement(STATEMENT, signature_of(mfa), NOW) == "mfa"
    assert trust.verify_statement(STATEMENT, signature_of(minjust), NOW) == "minjust"


def test_a_body_may_have_several_certificates(root: KeyPair, mfa: KeyPair) -> None:
    """The new key is listed before the old one ends."""
    new = certify(root, "mfa")
    trust = trust_in(root, mfa, new)
    assert {trust.verify_statement(STATEMENT, signature_of(pair), NOW) for pair in (mfa, new)} == {"mfa"}
    assert trust.certificate_of(signature_of(new)) == new.certificate


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_other_forms(trust: Trust, mfa: KeyPair, form: str) -> None:
    """A second encoding, an unsigned attribute, a certificate inside: all the same reason, nobody told."""
    assert refusal(trust, OTHER_FORMS[form](mfa)) == (Reason.SIGNATURE_FORM, None)


def test_a_stranger_s_certificate_inside(trust: Trust, root: KeyPair) -> None:
    """It is not looked at, it is refused."""
    stranger = certify(root, "stranger")
    inside = OTHER_FORMS["certificate inside"](stranger)
    assert refusal(trust, inside) == (Reason.SIGNATURE_FORM, None)


def test_a_certificate_that_is_not_listed(trust: Trust, root: KeyPair) -> None:
    """A good chain is not enough: the directory has to list it."""
    assert refusal(trust, signature_of(certify(root, "mfa"))) == (Reason.SIGNER_UNKNOWN, None)
    stranger = certify(root, "mfa")
    named = f"{stranger.certificate.fingerprint(SHA256()).hex()}, directory version 1"
    with pytest.raises(SignatureRefused, match=named) as caught:
        trust.certificate_of(signature_of(stranger))
    assert caught.value.reason is Reason.SIGNER_UNKNOWN


def test_a_certificate_listed_for_another_use(root: KeyPair, mfa: KeyPair) -> None:
    """A transport or encryption entry speaks for nothing."""
    for use in (CertificateUse.TRANSPORT, CertificateUse.ENCRYPTION):
        trust = trust_in(root, ListedCertificate(encoded(mfa.certificate), use))
        assert refusal(trust, signature_of(mfa)) == (Reason.SIGNER_UNKNOWN, None)


def test_altered_statement_and_signature(trust: Trust, mfa: KeyPair) -> None:
    """Different reasons, and nobody is told: a stranger can do both."""
    cms = signature_of(mfa)
    assert refusal(trust, cms, STATEMENT + b"!") == (Reason.STATEMENT_ALTERED, None)
    later = cms.replace(b"261122090000Z", b"261122090001Z")
    assert refusal(trust, later) == (Reason.SIGNATURE_INVALID, None)


def test_another_body_s_name_on_a_signature(trust: Trust, root: KeyPair, mfa: KeyPair) -> None:
    """The hash of a listed certificate over a stranger's key does not hold."""
    stranger = certify(root, "mfa")
    genuine, forged = Signer(mfa.certificate, mfa.key), Signer(stranger.certificate, stranger.key)
    genuine._sign = forged._sign
    assert refusal(trust, genuine.sign(STATEMENT, NOW)) == (Reason.SIGNATURE_INVALID, None)


@pytest.mark.parametrize(
    ("at", "reason"),
    [(NOW - 2 * DAY, Reason.CERTIFICATE_NOT_YET_VALID), (NOW + 2 * DAY, Reason.CERTIFICATE_EXPIRED)],
)
def test_dates(root: KeyPair, at: datetime, reason: Reason) -> None:
    """As of the decision's time; the body can sign again, so it is named."""
    pair = certify(root, "mfa", validity=Validity(NOW - DAY, NOW + DAY))
    trust = trust_in(root, pair)
    assert trust.verify_statement(STATEMENT, signature_of(pair), NOW) == "mfa"
    assert refusal(trust, signature_of(pair), at=at) == (reason, "mfa")
    assert trust.verify_statement(STATEMENT, signature_of(pair), NOW) == "mfa"
    assert refusal(trust, signature_of(pair), STATEMENT + b"!", at=at) == (Reason.STATEMENT_ALTERED, None)


def test_signing_time_decides_nothing(root: KeyPair) -> None:
    """A spooled statement is old, a wrong clock is years away: only the decision's time counts."""
    pair = certify(root, "mfa", validity=Validity(NOW - DAY, NOW + DAY))
    for signed_at in (NOW.replace(year=2001), NOW.replace(year=2048)):
        cms = Signer(pair.certificate, pair.key).sign(STATEMENT, signed_at)
        assert trust_in(root, pair).verify_statement(STATEMENT, cms, NOW) == "mfa"


def test_revocation_holds_from_its_time_on(root: KeyPair, mfa: KeyPair) -> None:
    """What was decided before stays valid (rule 3.2)."""
    trust = trust_in(root, listing(mfa, revoked=NOW))
    assert trust.verify_statement(STATEMENT, signature_of(mfa), NOW - DAY) == "mfa"
    assert refusal(trust, signature_of(mfa)) == (Reason.CERTIFICATE_REVOKED, "mfa")


def test_unknown_issuer(root: KeyPair) -> None:
    """Even if the directory lists it."""
    pair = certify(certify_root("stranger"), "mfa")
    trust = trust_in(root, pair)
    assert refusal(trust, signature_of(pair)) == (Reason.CERTIFICATE_UNTRUSTED, "mfa")
    with pytest.raises(SignatureRefused, match="certificate of mfa"):
        trust.verify_statement(STATEMENT, signature_of(pair), NOW)


def test_a_document_s_signature_is_no_statement_s(root: KeyPair) -> None:
    """Rule 1.4: a file's .p7s over the same bytes has the wrong purpose, listed or not."""
    for usages in ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), Purpose.CLIENT.usages):
        documents = certify(root, "mfa", usages=usages)
        assert refusal(trust_in(root, documents), signature_of(documents)) == (Reason.CERTIFICATE_PURPOSE, "mfa")
        assert refusal(trust_in(root), signature_of(documents)) == (Reason.SIGNER_UNKNOWN, None)


def test_through_an_intermediate(root: KeyPair) -> None:
    """As a national authority has it."""
    middle = certify(root, "middle", ca=True)
    pair = certify(middle, "mfa")
    trust = Trust(directory(middle, body("mfa", pair)))
    assert trust.verify_statement(STATEMENT, signature_of(pair), NOW) == "mfa"


def test_refuses_a_certificate_of_two_bodies(root: KeyPair, mfa: KeyPair) -> None:
    """A signature names one body or none."""
    with pytest.raises(DirectoryRefused, match=r"bodies\.minjust\.certificates") as caught:
        Trust(directory(root, body("mfa", mfa), body("minjust", mfa)))
    assert caught.value.code == "certificate-shared"


def test_threads_share_it(trust: Trust, mfa: KeyPair, minjust: KeyPair) -> None:
    """Eight threads, two signers, one answer each."""
    work = [(signature_of(mfa), "mfa"), (signature_of(minjust), "minjust")] * 200
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda item: trust.verify_statement(STATEMENT, item[0], NOW), work)
        assert list(answers) == [name for _, name in work]


@given(data=st.binary(max_size=500), statement=st.binary(max_size=50))
def test_any_bytes_are_refused(root: KeyPair, mfa: KeyPair, data: bytes, statement: bytes) -> None:
    """Nothing but the family, naming nobody."""
    assert refusal(trust_in(root, mfa), data, statement) == (Reason.SIGNATURE_FORM, None)


@given(change=st.data())
def test_no_changed_signature_holds(root: KeyPair, mfa: KeyPair, change: st.DataObject) -> None:
    """Cut, replaced and inserted bytes of a good signature."""
    cms = signature_of(mfa)
    start = change.draw(st.integers(0, len(cms)))
    stop = change.draw(st.integers(start, min(len(cms), start + 40)))
    changed = cms[:start] + change.draw(st.binary(max_size=40)) + cms[stop:]
    trust = trust_in(root, mfa)
    if changed == cms:
        assert trust.verify_statement(STATEMENT, changed, NOW) == "mfa"
    else:
        assert refusal(trust, changed)[1] is None


def answer(trust: Trust, cms: bytes) -> tuple[object, ...]:
    """Everything that can be told apart: who signed, or why it is refused, in which words, and who may be told."""
    try:
        return (trust.verify_statement(STATEMENT, cms, NOW),)
    except SignatureRefused as error:
        return type(error), error.reason, str(error), error.body


def test_what_held_before_makes_no_answer_another(root: KeyPair, pair: KeyPair) -> None:
    """A byte altered, cut off or put in, wherever: refused in the very words of a trust that has seen nothing hold."""
    cms = signature_of(pair)
    cold, warm = trust_in(root, pair), trust_in(root, pair)
    assert answer(warm, cms) == ("mfa",)
    for at in range(len(cms)):
        head, byte, rest = cms[:at], cms[at], cms[at + 1 :]
        for changed in (head + bytes([byte ^ 1]) + rest, head + rest, head + bytes([byte, byte ^ 0x80]) + rest, head):
            assert answer(warm, changed) == answer(cold, changed) != ("mfa",), at


@given(change=st.data())
def test_no_change_gets_another_answer_for_what_held_before(root: KeyPair, mfa: KeyPair, change: st.DataObject) -> None:
    """Parts of two good signatures and other bytes, put together in any way."""
    good, other = signature_of(mfa), Signer(mfa.certificate, mfa.key).sign(STATEMENT, NOW + DAY)
    cold, warm = trust_in(root, mfa), trust_in(root, mfa)
    assert answer(warm, good) == answer(warm, other) == ("mfa",)
    start, stop = sorted(change.draw(st.tuples(st.integers(0, len(good)), st.integers(0, len(good)))))
    middle = change.draw(st.one_of(st.just(other[start:stop]), st.binary(max_size=40)))
    changed = good[:start] + middle + good[stop:]
    assert answer(warm, changed) == answer(cold, changed)


def test_signatures_that_begin_alike(root: KeyPair) -> None:
    """Two certificates of one serial number: each signature is its own certificate's, whichever held last."""
    serial = 2**120 + 7
    first, second = certify(root, "mfa", serial=serial), certify(root, "mfa", serial=serial)
    trust = Trust(directory(root, body("mfa", first), body("minjust", second)))
    for _ in range(3):
        assert trust.verify_statement(STATEMENT, signature_of(first), NOW) == "mfa"
        assert trust.verify_statement(STATEMENT, signature_of(second), NOW) == "minjust"
