"""Certificates of the directory in words, and how a person names one."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from exchange.domain.directory import ListedCertificate
from exchange.domain.ids import digest


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate in words.

    Attributes:
        use: what it is listed for; empty for an authority's.
        digest: its SHA-256 in hexadecimal.
        subject: whose it is.
        number: its serial number, as `openssl x509 -text` writes it.
        begins: when it begins to hold.
        ends: when it ceases to.
        revoked: since when it speaks for nobody; None while it does.
    """

    use: str
    digest: str
    subject: str
    number: str
    begins: datetime
    ends: datetime
    revoked: datetime | None

    def lines(self) -> tuple[str, str]:
        """For people: whose, which, from and until when; and the SHA-256, by which it is named."""
        use = f"{self.use}: " if self.use else ""
        revoked = f", revoked {self.revoked:%Y-%m-%d %H:%M} UTC" if self.revoked else ""
        holds = f"{self.begins:%Y-%m-%d} to {self.ends:%Y-%m-%d}"
        words = f"{use}{self.subject}, number {self.number}, {holds}{revoked}"
        return words, f"SHA-256 {self.digest}"


def described(listed: ListedCertificate) -> Certificate:
    """A body's certificate."""
    return _described(listed.der, listed.use.value, listed.revoked)


def described_issuer(der: bytes) -> Certificate:
    """An authority's certificate."""
    return _described(der, "", None)


def is_named(der: bytes, name: str) -> bool:
    """Whether a person means this certificate: by a beginning of its SHA-256 or by its number, colons or not."""
    wanted = name.replace(":", "").lower()
    number = f"{x509.load_der_x509_certificate(der).serial_number:x}"
    return bool(wanted) and (digest(der).hex().startswith(wanted) or wanted.lstrip("0") == number)


def _described(der: bytes, use: str, revoked: datetime | None) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    number = certificate.serial_number
    return Certificate(
        use=use,
        digest=digest(der).hex(),
        subject=certificate.subject.rfc4514_string(),
        number=number.to_bytes((number.bit_length() + 7) // 8).hex(":"),
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        revoked=revoked,
    )
