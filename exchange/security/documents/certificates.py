"""Certificates that come with a signature: hostile as all of it, so whatever is asked of one is read at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.x509.oid import NameOID

from exchange.security.crl import BROKEN
from exchange.security.documents.signed_data import SignerInfo
from exchange.security.validity import Validity


@dataclass(frozen=True, slots=True)
class Carried:
    """A certificate that can be read to its end.

    Attributes:
        certificate: itself.
        name: its holder's common name, else the whole subject.
        subject: RFC 4514.
        issuer: the issuer's name, DER.
        key_identifier: of its key, empty where it does not say.
        validity: from when until when.
    """

    certificate: x509.Certificate
    name: str
    subject: str
    issuer: bytes
    key_identifier: bytes
    validity: Validity

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """Read all of a certificate.

        Raises:
            BROKEN: it is broken somewhere.
        """
        try:
            key_identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            key_identifier = b""
        subject = certificate.subject.rfc4514_string()
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return cls(
            certificate=certificate,
            name=str(names[0].value) if names else subject,
            subject=subject,
            issuer=certificate.issuer.public_bytes(),
            key_identifier=key_identifier,
            validity=Validity.of(certificate),
        )

    def is_of(self, signer: SignerInfo) -> bool:
        """Whether this is the certificate that a signer names."""
        if signer.key_identifier:
            return self.key_identifier == signer.key_identifier
        return self.certificate.serial_number == signer.serial and self.issuer == signer.issuer


def readable(encoded: Iterable[bytes]) -> Iterator[Carried]:
    """Those that can be read, each once, in their order."""
    for each in dict.fromkeys(encoded):
        try:
            yield Carried.of(x509.load_der_x509_certificate(each))
        except BROKEN:
            continue
