"""Revocation lists made up for tests, sound and odd."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from exchange.security.keys import KeyPair
from tests.security.support import DAY, NOW


def revocation_list(
    issuer: KeyPair,
    revoked: Mapping[int, datetime] | None = None,
    *,
    number: int | None = 1,
    this_update: datetime = NOW - DAY,
    next_update: datetime = NOW + DAY,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    by: hashes.SHA256 | hashes.SHA224 = hashes.SHA256(),  # noqa: B008  # it has no state
) -> bytes:
    """A list of `issuer`, DER.

    Args:
        issuer: who signs it.
        revoked: since when, by serial number.
        number: of the list; None for an issuer that does not number them.
        this_update: when it begins.
        next_update: when the next is due.
        extensions: further ones, each with whether it is critical.
        by: the digest that is signed.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for serial, since in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    signed = builder.sign(issuer.key, by)
    return signed.public_bytes(serialization.Encoding.DER)


def point(name: str, *, reasons: bool = False, indirect: bool = False) -> x509.IssuingDistributionPoint:
    """What a list says of the part of certificates that it is about."""
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(f"http://crl.example/{name}.crl")],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}) if reasons else None,
        indirect_crl=indirect,
        only_contains_attribute_certs=False,
    )
