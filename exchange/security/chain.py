"""Whether a certificate leads to a trusted root for a purpose, as of a time (rule 3.2).

Paths are found and checked by `cryptography.x509.verification` (RFC 5280 with the stricter profile of
the Web PKI) under extension policies of our own, because its defaults know web servers only. A path
that was found holds for an interval, the intersection of its certificates' dates up to the first
revocation, and is not looked for again inside it. What issuers' lists say counts here; a certificate that ceased
to speak for its body is also marked in the directory.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from exchange.domain.reason import Reason
from exchange.security.crl import INSTANT, NO_REVOCATIONS, Revocations
from exchange.security.errors import SignatureRefused
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity, seconds


class ChainValidator:
    """Validates certificates of one purpose against fixed roots; may be shared by threads.

    Remembers one interval or a few per certificate, so give it certificates that somebody vouched
    for (the directory), not whatever a stranger sends.
    """

    def __init__(
        self,
        roots: Sequence[x509.Certificate],
        purpose: Purpose,
        intermediates: Sequence[x509.Certificate] = (),
        revocations: Revocations = NO_REVOCATIONS,
    ) -> None:
        """Trust `roots`, at least one, to vouch for `purpose` directly or through `intermediates`."""
        self._revocations = revocations
        self._issuers = [*roots, *intermediates]
        self._intermediates = list(intermediates)
        builder = PolicyBuilder().store(Store(list(roots)))
        issuer_policy = ExtensionPolicy.webpki_defaults_ca()
        anything = ExtensionPolicy.permit_all()
        self._any_purpose = builder.extension_policies(ca_policy=issuer_policy, ee_policy=anything)
        self._purpose = builder.extension_policies(ca_policy=issuer_policy, ee_policy=_policy(purpose))
        self._found: dict[bytes, tuple[Validity, ...]] = {}

    def validate(self, certificate: x509.Certificate, at: datetime) -> Validity:
        """The interval around `at` in which a whole chain from `certificate` to a root holds.

        1. Known: an interval found before covers the time.
        2. The certificate's own dates cover the time.
        3. A path to a root holds at the time, for the purpose.
        4. Otherwise the refusal says what is missing: the purpose, the dates of an issuer, or a root.
        5. No certificate of the path was revoked by then, and no list about them is too old to tell.

        Raises:
            SignatureRefused: `certificate-expired`, `certificate-not-yet-valid`,
                `certificate-purpose`, `certificate-untrusted`, `certificate-revoked`, `revocation-stale`.
        """
        name = certificate.fingerprint(hashes.SHA256())
        known = self._found.get(name, ())
        for validity in known:
            if validity.covers(at):
                return validity
        _require_dates(Validity.of(certificate), at, "the certificate")
        path = self._path(self._purpose, certificate, at)
        if path is None:
            raise self._explain(certificate, at)
        found = self._unrevoked(path, at)
        self._found[name] = (*known, found)
        return found

    def _unrevoked(self, path: list[x509.Certificate], at: datetime) -> Validity:
        """The interval of a path, cut where one of its certificates is revoked or its list no longer tells."""
        ends = [Validity.of(*path).not_after]
        for certificate in path:
            revoked, stale = self._revocations.revoked(certificate), self._revocations.stale_after(certificate)
            if revoked is not None and revoked <= at:
                raise SignatureRefused(Reason.CERTIFICATE_REVOKED, f"its issuer's list, {revoked:%Y-%m-%dT%H:%M:%SZ}")
            if stale is not None and stale < seconds(at):
                raise SignatureRefused(Reason.REVOCATION_STALE, f"due {stale:%Y-%m-%dT%H:%M:%SZ}")
            ends += [revoked - INSTANT] if revoked is not None else []
            ends += [stale] if stale is not None else []
        return Validity(Validity.of(*path).not_before, min(ends))

    def _explain(self, certificate: x509.Certificate, at: datetime) -> SignatureRefused:
        """Why no path holds at `at`."""
        if self._path(self._any_purpose, certificate, at) is not None:
            return SignatureRefused(Reason.CERTIFICATE_PURPOSE)
        for moment in self._moments(certificate):
            path = self._path(self._any_purpose, certificate, moment)
            if path is not None:
                late = Validity.of(*path).not_after < at
                reason = Reason.CERTIFICATE_EXPIRED if late else Reason.CERTIFICATE_NOT_YET_VALID
                return SignatureRefused(reason, "an issuer's certificate")
        return SignatureRefused(Reason.CERTIFICATE_UNTRUSTED)

    def _moments(self, certificate: x509.Certificate) -> list[datetime]:
        """The times at which a path may begin to hold."""
        own = Validity.of(certificate)
        starts = {issuer.not_valid_before_utc for issuer in self._issuers} | {own.not_before}
        return sorted(start for start in starts if own.covers(start))

    def _path(
        self, builder: PolicyBuilder, certificate: x509.Certificate, at: datetime
    ) -> list[x509.Certificate] | None:
        verifier = builder.time(at).build_client_verifier()
        try:
            verified = verifier.verify(certificate, self._intermediates)
        except VerificationError:
            return None
        return verified.chain


def _require_dates(validity: Validity, at: datetime, owner: str) -> None:
    if validity.covers(at):
        return
    if at < validity.not_before:
        detail = f"{owner} begins {validity.not_before:%Y-%m-%dT%H:%M:%SZ}"
        raise SignatureRefused(Reason.CERTIFICATE_NOT_YET_VALID, detail)
    detail = f"{owner} ended {validity.not_after:%Y-%m-%dT%H:%M:%SZ}"
    raise SignatureRefused(Reason.CERTIFICATE_EXPIRED, detail)


def _policy(purpose: Purpose) -> ExtensionPolicy:
    """What the last certificate of a chain must say of itself."""

    def key_usage(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
        fits = usage.key_agreement if purpose.encrypts else usage.digital_signature
        if not fits or (purpose.signs and not usage.content_commitment):
            message = f"key usage does not allow {purpose.name}"
            raise ValueError(message)

    def extended(_policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage) -> None:
        if purpose.value not in usage:
            message = f"extended key usage lacks {purpose.name}"
            raise ValueError(message)

    def constraints(_policy: Policy, _certificate: x509.Certificate, value: x509.BasicConstraints | None) -> None:
        if value is not None and value.ca:
            message = "an issuer's certificate signs certificates only"
            raise ValueError(message)

    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.KeyUsage, Criticality.AGNOSTIC, key_usage)
        .require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, extended)
        .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, constraints)
    )
