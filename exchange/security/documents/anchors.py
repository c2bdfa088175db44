"""Who is trusted to vouch for the signers of documents: roots of the agency's own choice.

They have nothing to do with the exchange's own roots, which vouch for bodies (`exchange.security.trust`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from exchange.security.crl import BROKEN
from exchange.security.documents.certificates import Carried
from exchange.security.documents.reason import SignatureReason
from exchange.security.errors import KeyRefused
from exchange.security.keys import load_certificates


@dataclass(frozen=True, slots=True)
class Anchors:
    """Trusted certificates: of roots, or of signers themselves. None: nobody is trusted."""

    certificates: tuple[Carried, ...] = ()

    @classmethod
    def of(cls, *certificates: x509.Certificate) -> Self:
        """These.

        Raises:
            BROKEN: one is broken.
        """
        return cls(tuple(map(Carried.of, certificates)))

    @classmethod
    def load(cls, file: Path | None) -> Self:
        """Those of a PEM file; none without a file.

        Raises:
            KeyRefused: `certificate-file-missing`, `certificate-file-unreadable`.
        """
        if file is None:
            return cls()
        try:
            return cls.of(*load_certificates(file))
        except BROKEN as error:
            message = f"{file} holds a certificate that cannot be read: take it out or write it there again"
            raise KeyRefused(message, code="certificate-file-unreadable") from error

    def problem(self, certificate: Carried, others: Sequence[Carried], at: datetime) -> SignatureReason | None:
        """Why nobody trusted vouched for a signer's certificate at a time; None when somebody did.

        Args:
            certificate: the signer's.
            others: certificates that came with it, in which a chain may be found.
            at: the time.
        """
        if not self.certificates:
            return SignatureReason.ANCHORS_MISSING
        if not certificate.validity.covers(at):
            early = at < certificate.validity.not_before
            return SignatureReason.CERTIFICATE_NOT_YET_VALID if early else SignatureReason.CERTIFICATE_EXPIRED
        if certificate in self.certificates or self._has_chain(certificate, others, at):
            return None
        return SignatureReason.CERTIFICATE_UNTRUSTED

    def _has_chain(self, certificate: Carried, others: Sequence[Carried], at: datetime) -> bool:
        policies = {"ca_policy": ExtensionPolicy.webpki_defaults_ca(), "ee_policy": _SIGNERS}
        store = Store([each.certificate for each in self.certificates])
        verifier = PolicyBuilder().store(store).time(at).extension_policies(**policies).build_client_verifier()
        try:
            verifier.verify(certificate.certificate, [each.certificate for each in others if each != certificate])
        except (VerificationError, *BROKEN):
            return False
        return True


def _key_usage(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        message = "the key is for other things than signing"
        raise ValueError(message)


_MACHINES = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
"""Extended usages that no person's certificate is for; which of the others theirs has, each authority says itself."""


def _extended(_policy: Policy, _certificate: x509.Certificate, usages: x509.ExtendedKeyUsage | None) -> None:
    if usages is not None and _MACHINES.issuperset(usages):
        message = "the certificate is a machine's, or of programs"
        raise ValueError(message)


_SIGNERS = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _key_usage)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _extended)
)
"""What a signer's certificate must say of itself: authorities that sign documents agree on little."""

NOBODY = Anchors()
"""Nobody is trusted: then no signature is valid."""
