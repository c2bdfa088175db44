"""Chains: found at a time, remembered for an interval, refused with the reason."""

import re
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from exchange.domain.reason import Reason, text
from exchange.security.chain import ChainValidator
from exchange.security.errors import SignatureRefused
from exchange.security.keys import KeyPair
from exchange.security.purpose import STATEMENT_USAGE, Purpose
from exchange.security.validity import Validity
from tests.security.support import DAY, NOW, WIDE, certify, certify_root, rsa_key

YEAR = Validity(NOW - DAY, NOW + 365 * DAY)
DOCUMENT_USAGE = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)


@pytest.fixture
def chains(root: KeyPair) -> ChainValidator:
    """Of statement certificates."""
    return ChainValidator([root.certificate], Purpose.STATEMENT)


def refusal(chains: ChainValidator, certificate: x509.Certificate, at: datetime = NOW) -> Reason:
    """Why `certificate` is refused; asking again gives the same."""
    with pytest.raises(SignatureRefused) as first:
        chains.validate(certificate, at)
    with pytest.raises(SignatureRefused) as second:
        chains.validate(certificate, at)
    assert first.value.reason is second.value.reason
    return first.value.reason


def test_gives_the_interval_of_the_whole_chain(chains: ChainValidator, root: KeyPair) -> None:
    """The shortest member counts."""
    leaf = certify(root, "mfa", validity=YEAR).certificate
    assert chains.validate(leaf, NOW) == YEAR
    short_root = certify_root("short", Validity(NOW - DAY, NOW + DAY))
    leaf = certify(short_root, "mfa").certificate
    assert ChainValidator([short_root.certificate], Purpose.STATEMENT).validate(leaf, NOW) == Validity(
        NOW - DAY, NOW + DAY
    )


def test_remembers_a_path_for_its_interval(chains: ChainValidator, root: KeyPair) -> None:
    """Inside it the very same answer comes back, outside it is no help."""
    leaf = certify(root, "mfa", validity=YEAR).certificate
    first = chains.validate(leaf, NOW)
    assert chains.validate(leaf, NOW + 100 * DAY) is first
    assert refusal(chains, leaf, NOW + 366 * DAY) is Reason.CERTIFICATE_EXPIRED
    assert chains.validate(leaf, NOW) is first


def test_a_path_is_remembered_for_its_certificate_alone(chains: ChainValidator, root: KeyPair) -> None:
    """What was found for one says nothing about the next."""
    assert chains.validate(certify(root, "mfa").certificate, NOW) == WIDE
    assert refusal(chains, certify(certify_root("another"), "mfa").certificate) is Reason.CERTIFICATE_UNTRUSTED
    short = Validity(NOW - DAY, NOW + DAY)
    assert chains.validate(certify(root, "mfa", validity=short).certificate, NOW) == short


def test_dates_of_the_certificate(chains: ChainValidator, root: KeyPair) -> None:
    """Expired and not yet valid are told apart, whatever the present time."""
    leaf = certify(root, "mfa", validity=YEAR).certificate
    assert refusal(chains, leaf, NOW - 2 * DAY) is Reason.CERTIFICATE_NOT_YET_VALID
    assert refusal(chains, leaf, NOW + 366 * DAY) is Reason.CERTIFICATE_EXPIRED
    for at, words in ((NOW - 2 * DAY, "begins 2026-11-21T09:00:00Z"), (NOW + 366 * DAY, "ended 2027-11-22T09:00:00Z")):
        with pytest.raises(SignatureRefused, match=f"^the certificate {words}: "):
            chains.validate(leaf, at)


@pytest.mark.parametrize(
    ("at", "reason"),
    [(NOW - 2 * DAY, Reason.CERTIFICATE_NOT_YET_VALID), (NOW + 2 * DAY, Reason.CERTIFICATE_EXPIRED)],
)
def test_dates_of_an_issuer(at: datetime, reason: Reason) -> None:
    """A certificate that outlives its issuer falls with it."""
    root = certify_root("short", Validity(NOW - DAY, NOW + DAY))
    chains = ChainValidator([root.certificate], Purpose.STATEMENT)
    leaf = certify(root, "mfa").certificate
    assert refusal(chains, leaf, at) is reason
    with pytest.raises(SignatureRefused, match=f"^an issuer's certificate: {re.escape(text(reason))}"):
        chains.validate(leaf, at)


def test_unknown_issuers(chains: ChainValidator, root: KeyPair) -> None:
    """Another root, one of the same name, and a certificate that vouches for itself."""
    for stranger in (certify_root("another"), certify_root("Exchange statement root")):
        assert refusal(chains, certify(stranger, "mfa").certificate) is Reason.CERTIFICATE_UNTRUSTED
    assert refusal(chains, certify(None, "mfa").certificate) is Reason.CERTIFICATE_UNTRUSTED
    assert chains.validate(certify(root, "mfa").certificate, NOW) == WIDE


@pytest.mark.parametrize("usages", [DOCUMENT_USAGE, Purpose.CLIENT.usages, Purpose.SERVER.usages])
def test_other_purposes(chains: ChainValidator, root: KeyPair, usages: tuple[x509.ObjectIdentifier, ...]) -> None:
    """A key for documents, connections or directories says no statements."""
    assert refusal(chains, certify(root, "mfa", usages=usages).certificate) is Reason.CERTIFICATE_PURPOSE


def test_statements_need_content_commitment(chains: ChainValidator, root: KeyPair) -> None:
    """Evidence needs the usage that says so; connections do not."""
    leaf = certify(root, "mfa", commitment=False).certificate
    assert refusal(chains, leaf) is Reason.CERTIFICATE_PURPOSE
    client = certify(root, "mfa", purpose=Purpose.CLIENT, commitment=False).certificate
    assert ChainValidator([root.certificate], Purpose.CLIENT).validate(client, NOW) == WIDE


def test_issuers_sign_no_statements(chains: ChainValidator, root: KeyPair) -> None:
    """A root or an intermediate is no body."""
    assert refusal(chains, root.certificate) is Reason.CERTIFICATE_PURPOSE
    both = certify(root, "both", ca=True).certificate
    assert refusal(chains, both) is Reason.CERTIFICATE_PURPOSE
    disguised = certify(root, "disguised", vouches=True).certificate
    assert refusal(chains, disguised) is Reason.CERTIFICATE_PURPOSE


def test_intermediates(root: KeyPair) -> None:
    """A path through an intermediate holds while all three do; without it there is none."""
    middle = certify(root, "middle", validity=YEAR, ca=True)
    leaf = certify(middle, "mfa").certificate
    chains = ChainValidator([root.certificate], Purpose.STATEMENT, [middle.certificate])
    assert chains.validate(leaf, NOW) == YEAR
    assert refusal(chains, leaf, NOW + 400 * DAY) is Reason.CERTIFICATE_EXPIRED
    assert refusal(chains, leaf, NOW - 2 * DAY) is Reason.CERTIFICATE_NOT_YET_VALID
    alone = ChainValidator([root.certificate], Purpose.STATEMENT)
    assert refusal(alone, leaf) is Reason.CERTIFICATE_UNTRUSTED


def test_a_renewed_intermediate_is_a_second_interval(root: KeyPair) -> None:
    """Two certificates of one issuer key carry the same leaf one after the other."""
    first = certify(root, "middle", validity=Validity(NOW - DAY, NOW + DAY), ca=True)
    second = certify(root, "middle", validity=Validity(NOW + DAY / 2, NOW + 9 * DAY), ca=True, key=first.key)
    chains = ChainValidator([root.certificate], Purpose.STATEMENT, [first.certificate, second.certificate])
    leaf = certify(first, "mfa").certificate
    assert chains.validate(leaf, NOW) == Validity.of(first.certificate)
    assert chains.validate(leaf, NOW + 5 * DAY) == Validity.of(second.certificate)
    assert refusal(chains, leaf, NOW + 10 * DAY) is Reason.CERTIFICATE_EXPIRED


def test_weak_issuers_are_untrusted() -> None:
    """RSA under 2048 bits vouches for nobody (a weak key at the end of the chain is refused by `Verifier`)."""
    weak = certify(None, "weak", key=rsa_key(1024), ca=True)
    chains = ChainValidator([weak.certificate], Purpose.STATEMENT)
    assert refusal(chains, certify(weak, "mfa").certificate) is Reason.CERTIFICATE_UNTRUSTED


def test_the_usages_are_ours() -> None:
    """The arc is fixed for ever: certificates outlive the code."""
    assert STATEMENT_USAGE.dotted_string == "2.25.107290019016386115960636239826129751690.1"
