"""Fetches issuers' revocation lists into the router's folder; run by a timer, once for all lists.

A list is verified before it replaces the one that lies there, so whoever stands between us and the
issuer can hold news back, which shows when the next list is overdue, and nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
)

from cryptography import x509

from exchange.domain.address import web_address
from exchange.domain.directory import Directory
from exchange.domain.ids import digest
from exchange.security.crl import CRL_BYTES_MAX, Crl, CrlRefused, read_crl
from exchange.security.crl_folder import read_bounded
from exchange.security.files import write_atomically

TIMEOUT_SECONDS = 30.0
"""For connecting and for each read."""

Download = Callable[[str], bytes]
"""The bytes at an address, one more than a list may have at most; raises `CrlRefused`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one address.

    Attributes:
        url: the address.
        file: where its list lies.
        issuer: the list's; empty when none could be fetched.
        number: of the list.
        next_update: when the next is due.
        changed: whether the file is new.
        code: why the list was not taken, empty when it was.
        problem: the same in words.
    """

    url: str
    file: Path
    issuer: str = ""
    number: int = 0
    next_update: datetime | None = None
    changed: bool = False
    code: str = ""
    problem: str = ""


def fetch_all(
    urls: Sequence[str], folder: Path, directory: Directory, now: datetime, download: Download
) -> list[Fetched]:
    """Fetch each list, and keep those that hold.

    Raises:
        OSError: the folder cannot be written.
    """
    issuers = [x509.load_der_x509_certificate(issuer) for issuer in directory.issuers]
    return [_fetch(url, folder / f"{digest(url.encode()).hex()[:16]}.crl", issuers, now, download) for url in urls]


def distribution_points(directory: Directory) -> tuple[str, ...]:
    """Addresses of lists that the issuers' and bodies' certificates name, those over HTTP."""
    listed = (each.der for body in directory.bodies.values() for each in body.certificates)
    certificates = map(x509.load_der_x509_certificate, (*directory.issuers, *listed))
    return tuple(sorted({url for certificate in certificates for url in _points_of(certificate)}))


def download(url: str) -> bytes:
    """Fetch over HTTP or HTTPS, through the environment's proxy if it names one.

    Raises:
        CrlRefused: `crl-not-fetched`.
    """
    if web_address(url) is None:
        raise _not_fetched(url, "it is no address of http or https")
    opener = OpenerDirector()  # not `build_opener`, which would read local files, too
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPRedirectHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as response:
            return bytes(response.read(CRL_BYTES_MAX + 1))
    except (URLError, HTTPException, OSError, ValueError, AttributeError) as error:
        # AttributeError: a redirection to where no handler leads gives no response at all.
        reason = error.reason if isinstance(error, URLError) else type(error).__name__
        raise _not_fetched(url, str(reason)) from error


def _fetch(url: str, file: Path, issuers: Sequence[x509.Certificate], now: datetime, get: Download) -> Fetched:
    try:
        crl = read_crl(get(url), issuers)
        changed = _is_next(crl, file, issuers, now)
    except CrlRefused as error:
        return Fetched(url, file, code=error.code, problem=str(error))
    if changed:
        write_atomically(file, crl.der)
    return Fetched(url, file, crl.issuer, crl.number, crl.next_update, changed)


def _is_next(crl: Crl, file: Path, issuers: Iterable[x509.Certificate], now: datetime) -> bool:
    """Whether a list replaces the one that lies there; a present one that cannot be used is replaced by any."""
    if crl.this_update > now:
        message = f"it begins {crl.this_update:%Y-%m-%dT%H:%M:%SZ}: check this machine's clock"
        raise CrlRefused(message, code="crl-not-yet-valid")
    try:
        present = read_crl(read_bounded(file), issuers)
    except CrlRefused:
        return True
    if present.der == crl.der:
        return False
    if present.scope == crl.scope and not crl.is_newer_than(present):
        message = f"number {crl.number} is not newer than {present.number}, which is there: ask the issuer why"
        raise CrlRefused(message, code="crl-older")
    return True


def _points_of(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = [name.value for point in points for name in point.full_name or ()]
    return [name for name in names if isinstance(name, str) and web_address(name) is not None]


def _not_fetched(url: str, why: str) -> CrlRefused:
    return CrlRefused(f"{url} cannot be fetched: {why}: check the address and the way to it", code="crl-not-fetched")
