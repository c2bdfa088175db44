"""A folder of revocation lists: DER or PEM, one file or several for each issuer, replaced at any time."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from exchange.security.crl import CRL_BYTES_MAX, Crl, CrlRefused, read_crl

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was looked at last; `refused` is the code for which it was not taken."""

    stamp: tuple[int, int]
    refused: str


class CrlFolder:
    """The lists in use: of each issuer and distribution point the newest that lay there since the start.

    A file that vanishes, breaks or is older than what is in use changes nothing: an attacker who holds
    back news must not also be able to take it back. Not shared between threads.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        """Nothing is read before `look`."""
        self._folder = folder
        self._clock = clock
        self._issuers: tuple[bytes, ...] = ()
        self._held: dict[tuple[bytes, bytes], Crl] = {}
        self._seen: dict[str, _Seen] = {}
        self._warned: set[bytes] = set()
        self._looked = False

    @property
    def held(self) -> tuple[Crl, ...]:
        """The lists in use as of the last look."""
        return tuple(self._held.values())

    @property
    def refused(self) -> Counter[str]:
        """How many files were not taken at the last look, by code."""
        return Counter(seen.refused for seen in self._seen.values() if seen.refused)

    def stale(self) -> list[Crl]:
        """Lists in use whose next one is overdue."""
        now = self._clock()
        return [crl for crl in self.held if crl.next_update < now]

    def look(self, issuers: tuple[bytes, ...]) -> tuple[Crl, ...]:
        """Look at files that are new or changed; the lists in use.

        Args:
            issuers: certificates (DER) whose lists count: those that the directory lists.

        Raises:
            CrlRefused: `crl-folder-unreadable`, at the first look; later those in use stay.
        """
        certificates = [x509.load_der_x509_certificate(issuer) for issuer in issuers]
        if issuers != self._issuers:
            self._issuers, self._seen = issuers, {}
            self._held = {scope: crl for scope, crl in self._held.items() if _still_counts(crl, certificates)}
        try:
            files = self._files()
        except CrlRefused as error:
            if not self._looked:
                raise
            log.warning("the revocation lists in use stay: %s (%s)", error, error.code)
        else:
            self._seen = {path.name: self._looked_at(path, stamp, certificates) for path, stamp in files}
        self._looked = True
        self._warn_of_stale_ones()
        return self.held

    def of(self, issuers: tuple[bytes, ...]) -> tuple[Crl, ...]:
        """Of the lists in use those that count under other issuers, an older directory's."""
        certificates = [x509.load_der_x509_certificate(issuer) for issuer in issuers]
        return tuple(crl for crl in self.held if _still_counts(crl, certificates))

    def _files(self) -> list[tuple[Path, tuple[int, int]]]:
        try:
            paths = [path for path in sorted(self._folder.iterdir()) if not path.name.startswith(".")]
            found = [(path, path.stat()) for path in paths if path.is_file()]
        except OSError as error:
            message = f"{self._folder} cannot be read ({error.strerror}): check [crl] folder and its rights"
            raise CrlRefused(message, code="crl-folder-unreadable") from error
        return [(path, (status.st_mtime_ns, status.st_size)) for path, status in found]

    def _looked_at(self, path: Path, stamp: tuple[int, int], issuers: Sequence[x509.Certificate]) -> _Seen:
        seen = self._seen.get(path.name)
        if seen is not None and seen.stamp == stamp and seen.refused != "crl-not-yet-valid":
            return seen
        try:
            self._take(read_crl(read_bounded(path), issuers))
        except CrlRefused as error:
            if seen is None or (seen.stamp, seen.refused) != (stamp, error.code):
                log.warning("%s is not taken: %s (%s)", path, error, error.code)
            return _Seen(stamp, error.code)
        return _Seen(stamp, "")

    def _take(self, crl: Crl) -> None:
        if crl.this_update > self._clock():
            message = f"it begins {crl.this_update:%Y-%m-%dT%H:%M:%SZ}: check this machine's clock"
            raise CrlRefused(message, code="crl-not-yet-valid")
        held = self._held.get(crl.scope)
        if held is not None and crl.der != held.der and not crl.is_newer_than(held):
            message = f"number {crl.number} is not newer than {held.number}, which is in use: remove the file"
            raise CrlRefused(message, code="crl-older")
        if held is None or crl.der != held.der:
            log.info("revocation list %d of %s, of %s, is taken", crl.number, crl.issuer, crl.this_update)
            self._held[crl.scope] = crl

    def _warn_of_stale_ones(self) -> None:
        stale = {crl.der: crl for crl in self.stale()}
        for der, crl in stale.items():
            if der not in self._warned:
                words = "the next revocation list of %s has been due since %s: see that it is fetched (%s)"
                log.warning(words, crl.issuer, crl.next_update, "revocation-stale")
        self._warned = set(stale)


def read_bounded(path: Path) -> bytes:
    """A file's bytes, one more than a list may have at most.

    Raises:
        CrlRefused: `crl-unreadable`.
    """
    try:
        with path.open("rb") as file:
            return file.read(CRL_BYTES_MAX + 1)
    except OSError as error:
        raise CrlRefused(f"it cannot be read ({error.strerror}): check its rights") from error


def _still_counts(crl: Crl, issuers: Sequence[x509.Certificate]) -> bool:
    try:
        read_crl(crl.der, issuers)
    except CrlRefused:
        return False
    return True
