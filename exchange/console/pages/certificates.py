"""Certificates of bodies, with the days that they have left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509

from exchange.domain.directory import Body, CertificateUse

SOON = timedelta(days=30)
"""From then on somebody should renew it."""
_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Expiring:
    """A certificate that speaks for a body.

    Attributes:
        left: until it ends; negative when it has.
        serial: hexadecimal.
    """

    body: str
    use: CertificateUse
    ends: datetime
    left: timedelta
    serial: str
    revoked: datetime | None


def certificates_of(body: Body, now: datetime) -> Iterator[Expiring]:
    """Those that the directory lists for a body, as it lists them."""
    for listed in body.certificates:
        ends, serial = _read(listed.der)
        yield Expiring(body.code, listed.use, ends, ends - now, serial, listed.revoked)


def expiring(bodies: Iterable[Body], now: datetime, within: timedelta) -> tuple[Expiring, ...]:
    """Certificates that end soon and that no later one of the same use follows, the first to end first."""
    found = []
    for body in bodies:
        last: dict[CertificateUse, Expiring] = {}
        for one in certificates_of(body, now):
            if one.revoked is None and (one.use not in last or last[one.use].ends < one.ends):
                last[one.use] = one
        found += [one for one in last.values() if one.left < within]
    return tuple(sorted(found, key=lambda one: one.ends))


@lru_cache(_KEPT)
def _read(der: bytes) -> tuple[datetime, str]:
    """A certificate's end and serial; the directory's are read again by every page, and never change."""
    certificate = x509.load_der_x509_certificate(der)
    return certificate.not_valid_after_utc, f"{certificate.serial_number:x}"
