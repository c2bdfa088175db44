"""Lists of revoked certificates (CRL, RFC 5280, section 5) of the issuers that the directory lists.

Only a whole list counts: signed by the issuer itself, with a date for the next one, and nothing
critical in it that is not understood. Lists of changes (delta) and lists for other issuers (indirect)
are refused, because whoever took one for a whole list would let what it leaves out pass.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtensionOID, NameOID

from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.policy import WhenStale

CRL_BYTES_MAX = 8 * 1024 * 1024
"""Some 200,000 revoked certificates; every lane journals each list that it decides by."""
CRL_PART_BYTES = 512 * 1024
_PEM_BEGINS = b"-----BEGIN"
_KNOWN_CRITICAL = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.CRL_NUMBER})
BROKEN = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for bytes that are no sound list or certificate."""
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class CrlRefused(ConfigurationError):
    """A revocation list that must not be used; its code says why."""

    code = "crl-unreadable"


@dataclass(frozen=True, eq=False)
class Crl:
    """A whole list whose signature held.

    Attributes:
        der: its exact bytes.
        number: grows from list to list of one issuer and scope; 0 when the issuer does not number them.
        this_update: when it was issued.
        next_update: when the next one is due at the latest.
        scope: issuer and distribution point that it speaks for: a newer one of the same scope replaces it.
    """

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime
    scope: tuple[bytes, bytes]
    _parsed: x509.CertificateRevocationList = field(repr=False)

    @cached_property
    def issuer(self) -> str:
        """The issuer's common name, for people."""
        names = self._parsed.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self._parsed.issuer.rfc4514_string()

    @cached_property
    def parts(self) -> tuple[tuple[bytes, bytes], ...]:
        """SHA-256 and bytes of its parts, each of which fits into a journal record."""
        cut = [self.der[at : at + CRL_PART_BYTES] for at in range(0, len(self.der), CRL_PART_BYTES)]
        return tuple((digest(part), part) for part in cut)

    def is_newer_than(self, other: "Crl") -> bool:
        """Whether it replaces `other` of the same scope: it goes forward in number and time, and back in neither."""
        mine, others = (self.number, self.this_update), (other.number, other.this_update)
        return mine != others and self.number >= other.number and self.this_update >= other.this_update

    def revoked(self, serial: int) -> datetime | None:
        """Since when the issuer's certificate with that serial number is revoked; None when it is not listed."""
        entry = self._parsed.get_revoked_certificate_by_serial_number(serial)
        return None if entry is None else entry.revocation_date_utc


def read_crl(data: bytes, issuers: Iterable[x509.Certificate]) -> Crl:
    """Read a list, DER or PEM, and verify it.

    Args:
        data: the file's bytes.
        issuers: certificates of those whose lists count.

    Raises:
        CrlRefused: for any other bytes whatever. `crl-unreadable`, `crl-too-large`, `crl-unsupported` (delta,
            indirect, without a date for the next, a weak signature, something critical that is not known),
            `crl-issuer-unknown`, `crl-signature-invalid`.
    """
    if len(data) > CRL_BYTES_MAX:
        message = f"more than {CRL_BYTES_MAX} bytes: ask the issuer for lists by distribution point"
        raise CrlRefused(message, code="crl-too-large")
    load = x509.load_pem_x509_crl if data.lstrip().startswith(_PEM_BEGINS) else x509.load_der_x509_crl
    try:
        parsed = load(data)
        crl = _whole(parsed)
        signers = [each for each in issuers if each.subject == parsed.issuer and _may_sign_lists(each)]
    except BROKEN as error:
        message = "no revocation list in DER or PEM: fetch it again"
        raise CrlRefused(message) from error
    if not signers:
        message = f"the directory lists no issuer of lists called {crl.issuer}: list it, or remove the file"
        raise CrlRefused(message, code="crl-issuer-unknown")
    if not any(_is_signed_by(parsed, signer) for signer in signers):
        message = f"not signed by {crl.issuer}: fetch it from the issuer itself"
        raise CrlRefused(message, code="crl-signature-invalid")
    return crl


def older_ones(before: Iterable[Crl], now: Iterable[Crl]) -> list[Crl]:
    """Which of the lists `now` in use go back behind those used `before`."""
    known = {crl.scope: crl for crl in before}
    return [crl for crl in now if crl.scope in known and known[crl.scope].is_newer_than(crl)]


class Revocations:
    """What lists say about certificates, as of any time; may be shared by threads."""

    def __init__(self, crls: Sequence[Crl], when_stale: WhenStale) -> None:
        """Rely on `crls`, of which each was verified; `when_stale` says what one counts whose next is overdue."""
        self._when_stale = when_stale
        self._by_issuer: defaultdict[bytes, list[Crl]] = defaultdict(list)
        for crl in crls:
            self._by_issuer[crl.scope[0]].append(crl)

    def revoked(self, certificate: x509.Certificate) -> datetime | None:
        """Since when the certificate is revoked, by any list of its issuer."""
        crls = self._by_issuer.get(certificate.issuer.public_bytes(), ())
        dates = [crl.revoked(certificate.serial_number) for crl in crls]
        return min((date for date in dates if date is not None), default=None)

    def stale_after(self, certificate: x509.Certificate) -> datetime | None:
        """Until when the lists of its issuer vouch for the certificate; None without a list, or when it may be late."""
        if self._when_stale is WhenStale.ACCEPT:
            return None
        crls = self._by_issuer.get(certificate.issuer.public_bytes(), ())
        return min((crl.next_update for crl in crls), default=None)


NO_REVOCATIONS = Revocations((), WhenStale.ACCEPT)
"""No lists: only the directory says what is revoked."""

INSTANT = timedelta(seconds=1)
"""Times in lists are whole seconds: what is revoked since one held up to the second before."""


def _whole(parsed: x509.CertificateRevocationList) -> Crl:
    if parsed.next_update_utc is None:
        raise _unsupported("without a date for the next one")
    number, point = 0, b""
    for extension in parsed.extensions:
        value = extension.value
        if isinstance(value, x509.CRLNumber):
            number = value.crl_number
        elif isinstance(value, x509.DeltaCRLIndicator):
            raise _unsupported("a list of changes (delta)")
        elif isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl or value.only_some_reasons or value.only_contains_attribute_certs:
                raise _unsupported("for other issuers, or for some reasons only")
            point = value.public_bytes()
        elif extension.critical and extension.oid not in _KNOWN_CRITICAL:
            raise _unsupported(f"with a critical extension {extension.oid.dotted_string}")
    if not isinstance(parsed.signature_hash_algorithm, _HASHES):
        raise _unsupported("signed with a weak hash")
    return Crl(
        der=parsed.public_bytes(serialization.Encoding.DER),
        number=number,
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        scope=(parsed.issuer.public_bytes(), point),
        _parsed=parsed,
    )


def _unsupported(what: str) -> CrlRefused:
    return CrlRefused(f"a list {what} is not taken: ask the issuer for a whole one", code="crl-unsupported")


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_signed_by(parsed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return parsed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # others raise TypeError
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
