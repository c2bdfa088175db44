"""Revocation lists: which are taken, and what they say."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.policy import WhenStale
from exchange.domain.reason import Reason
from exchange.security.cades import Signer
from exchange.security.crl import CRL_BYTES_MAX, CRL_PART_BYTES, Crl, CrlRefused, Revocations, older_ones, read_crl
from exchange.security.errors import SignatureRefused
from exchange.security.keys import KeyPair
from exchange.security.trust import Trust
from exchange.security.validity import Validity
from tests.security.lists import point, revocation_list
from tests.security.openssl_authority import ECDSA, OpensslIssuer
from tests.security.support import DAY, NOW, STATEMENT, body, certify, certify_root, directory, encoded

SECOND = DAY / 86400


def refusal(data: bytes, *issuers: KeyPair) -> str:
    """The code for which a list is not taken."""
    with pytest.raises(CrlRefused) as caught:
        read_crl(data, [issuer.certificate for issuer in issuers])
    return caught.value.code


def test_a_list_of_a_listed_issuer(root: KeyPair) -> None:
    """DER and PEM say the same, and are kept as DER."""
    data = revocation_list(root, {7: NOW}, number=12)
    crl = read_crl(data, [certify_root("other").certificate, root.certificate])
    assert (crl.number, crl.this_update, crl.next_update, crl.der) == (12, NOW - DAY, NOW + DAY, data)
    assert (crl.revoked(7), crl.revoked(8)) == (NOW, None)
    assert crl.issuer == "Exchange statement root"
    pem = x509.load_der_x509_crl(data).public_bytes(serialization.Encoding.PEM)
    assert read_crl(b"\n" + pem, [root.certificate]).der == data


def test_whose_list_it_is(root: KeyPair) -> None:
    """An issuer that is not listed, one of the same name, and one that may not sign lists."""
    data = revocation_list(root)
    assert refusal(data) == refusal(data, certify_root("other")) == "crl-issuer-unknown"
    assert refusal(data, certify_root("Exchange statement root")) == "crl-signature-invalid"
    leaf = certify(root, "mfa")
    assert refusal(revocation_list(leaf), leaf) == "crl-issuer-unknown"


ODD = {
    "delta": {"extensions": [(x509.DeltaCRLIndicator(1), True)]},
    "indirect": {"extensions": [(point("a", indirect=True), True)]},
    "some reasons": {"extensions": [(point("a", reasons=True), True)]},
    "unknown": {"extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)]},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
def test_what_is_no_whole_list(root: KeyPair, odd: dict[str, object]) -> None:
    """It would let pass what it leaves out."""
    assert refusal(revocation_list(root, **odd), root) == "crl-unsupported"  # type: ignore[arg-type]


def test_what_says_more_is_taken(root: KeyPair) -> None:
    """A distribution point, and what is not critical."""
    more = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")
    data = revocation_list(root, number=None, extensions=[(point("a"), True), (more, False)])
    assert read_crl(data, [root.certificate]).number == 0


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    """By one family of errors, with and without PEM lines."""
    for content in (data, b"-----BEGIN X509 CRL-----\n" + data + b"\n-----END X509 CRL-----\n"):
        assert refusal(content) == "crl-unreadable"


def test_a_damaged_list(root: KeyPair) -> None:
    """Every byte of a list counts."""
    data = revocation_list(root, {7: NOW})
    for at in range(0, len(data), 7):
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert refusal(damaged, root).startswith("crl-")


def test_a_large_list_is_cut_for_the_journal(root: KeyPair) -> None:
    """In parts that make the whole; beyond a size it is refused before it is parsed."""
    crl = read_crl(revocation_list(root, {2**150 + number: NOW for number in range(20_000)}), [root.certificate])
    assert len(crl.parts) == 2
    assert b"".join(part for _, part in crl.parts) == crl.der
    assert max(len(part) for _, part in crl.parts) == CRL_PART_BYTES
    assert refusal(bytes(CRL_BYTES_MAX + 1), root) == "crl-too-large"


def test_which_list_replaces_which(root: KeyPair) -> None:
    """It goes forward in number and time, or stays: one of these alone is no news."""

    def crl(number: int | None, days: int, name: str = "") -> Crl:
        scope = [(point(name), True)] if name else []
        begin, end = NOW + days * DAY, NOW + 9 * DAY
        data = revocation_list(root, number=number, extensions=scope, this_update=begin, next_update=end)
        return read_crl(data, [root.certificate])

    assert crl(2, 1).is_newer_than(crl(1, 0))
    assert crl(None, 1).is_newer_than(crl(None, 0))
    for number, days in ((1, 0), (0, 1), (2, -1), (0, 0), (1, -1)):
        assert not crl(number, days).is_newer_than(crl(1, 0))
    old, new, elsewhere = crl(1, 0), crl(2, 1), crl(1, 0, "elsewhere")
    assert older_ones([new], [old, elsewhere]) == [old]
    assert older_ones([old], [new, elsewhere]) == []


def signed(pair: KeyPair) -> bytes:
    """The statement's signature."""
    return Signer(pair.certificate, pair.key).sign(STATEMENT, NOW)


def trust_by(root: KeyPair, leaf: KeyPair, *lists: bytes, when_stale: WhenStale = WhenStale.ACCEPT) -> Trust:
    """A directory of one body, and what lists of its issuer say."""
    entries = directory(root, body("mfa", leaf))
    crls = [read_crl(data, [root.certificate]) for data in lists]
    return Trust(entries, Revocations(crls, when_stale))


def test_revoked_from_the_listed_second_on(root: KeyPair, mfa: KeyPair) -> None:
    """What was decided before stays valid, asked in any order (rule 3.2); others of the issuer are not concerned."""
    serial = mfa.certificate.serial_number
    trust = trust_by(root, mfa, revocation_list(root, {serial: NOW}))
    for _ in range(2):
        assert trust.verify_statement(STATEMENT, signed(mfa), NOW - SECOND) == "mfa"
        with pytest.raises(SignatureRefused) as caught:
            trust.verify_statement(STATEMENT, signed(mfa), NOW)
        assert "its issuer's list, 2026-11-22T09:00:00Z" in str(caught.value.__cause__)
        assert (caught.value.reason, caught.value.body) == (Reason.CERTIFICATE_REVOKED, "mfa")
    trust = trust_by(root, mfa, revocation_list(root, {serial + 1: NOW}))
    assert trust.verify_statement(STATEMENT, signed(mfa), NOW) == "mfa"


def test_of_several_lists_the_earliest_date_counts(root: KeyPair, mfa: KeyPair) -> None:
    """Lists by distribution point stand beside one another."""
    serial = mfa.certificate.serial_number
    late = revocation_list(root, {serial: NOW + DAY}, extensions=[(point("a"), True)])
    trust = trust_by(root, mfa, late, revocation_list(root, {serial: NOW}))
    with pytest.raises(SignatureRefused):
        trust.verify_statement(STATEMENT, signed(mfa), NOW)


def test_a_list_that_is_overdue(root: KeyPair, mfa: KeyPair) -> None:
    """Within its life nothing differs; after it the policy decides, and who was revoked stays so."""
    data = revocation_list(root, {1: NOW}, next_update=NOW)
    for policy in WhenStale:
        assert trust_by(root, mfa, data, when_stale=policy).verify_statement(STATEMENT, signed(mfa), NOW) == "mfa"
    later = NOW + SECOND
    assert trust_by(root, mfa, data).verify_statement(STATEMENT, signed(mfa), later) == "mfa"
    strict = trust_by(root, mfa, data, when_stale=WhenStale.REFUSE)
    assert strict.verify_statement(STATEMENT, signed(mfa), NOW) == "mfa"
    with pytest.raises(SignatureRefused) as caught:
        strict.verify_statement(STATEMENT, signed(mfa), later)
    assert "due 2026-11-22T09:00:00Z" in str(caught.value.__cause__)
    assert (caught.value.reason, caught.value.body) == (Reason.REVOCATION_STALE, "mfa")
    revoked = revocation_list(root, {mfa.certificate.serial_number: NOW}, next_update=NOW)
    with pytest.raises(SignatureRefused) as caught:
        trust_by(root, mfa, revoked).verify_statement(STATEMENT, signed(mfa), NOW + DAY)
    assert caught.value.reason is Reason.CERTIFICATE_REVOKED


def test_an_issuer_s_list_that_is_overdue_is_nobody_else_s_matter(root: KeyPair, mfa: KeyPair) -> None:
    """Issuers without a list: only the directory counts."""
    other = certify_root("other")
    stale = read_crl(revocation_list(other, next_update=NOW - SECOND), [other.certificate])
    trust = Trust(directory(root, body("mfa", mfa)), Revocations([stale], WhenStale.REFUSE))
    assert trust.verify_statement(STATEMENT, signed(mfa), NOW) == "mfa"


@pytest.mark.requires_tool(name="openssl", debian="openssl")
def test_lists_of_openssl(root: KeyPair, tmp_path: Path) -> None:
    """An issuer between is revoked by its root, a certificate by the issuer between."""
    long = Validity(NOW - 1000 * DAY, NOW + 1000 * DAY)
    top = OpensslIssuer.root(tmp_path / "root", key=ECDSA, validity=long)
    middle = top.intermediate(tmp_path / "middle", key=ECDSA, validity=long)
    leaf, other = (middle.issue(name, key=ECDSA, validity=long) for name in ("mfa", "minjust"))
    issuers = [top.certificate, middle.certificate]
    ours = directory(root, body("mfa", leaf), body("minjust", other))
    listed = replace(ours, issuers=tuple(map(encoded, issuers)))

    def verdict(pair: KeyPair, *lists: bytes) -> str:
        crls = [read_crl(data, issuers) for data in lists]
        trust = Trust(listed, Revocations(crls, WhenStale.REFUSE))
        try:
            # `openssl ca -revoke` takes the machine's time, so long after it is asked.
            return trust.verify_statement(STATEMENT, signed(pair), NOW + 900 * DAY)
        except SignatureRefused as refused:
            return refused.reason.value

    span = NOW - DAY, NOW + 950 * DAY
    empty = middle.revocation_list(*span)
    assert (verdict(leaf, empty), verdict(other, empty)) == ("mfa", "minjust")
    middle.revoke("mfa", "-crl_reason", "keyCompromise")
    revoking = middle.revocation_list(*span)
    assert (verdict(leaf, revoking), verdict(other, revoking)) == ("certificate-revoked", "minjust")
    assert read_crl(revoking, issuers).is_newer_than(read_crl(empty, issuers))
    assert refusal(middle.revocation_list(*span, digest="sha1"), KeyPair(leaf.key, middle.certificate)) == (
        "crl-unsupported"
    )
    (top.folder / "middle.crt.pem").write_bytes(middle.path.read_bytes())
    top.revoke("middle", "-crl_reason", "cACompromise")
    assert verdict(other, empty, top.revocation_list(*span)) == "certificate-revoked"
