"""Which of a body's keys signs: the present one, and the next one as soon as the exchange knows it.

What the directory does not list, the exchange drops in silence. So a next key may lie in place for weeks
before its certificate is listed, and the agent changes over by itself:

    present ──▶ the next certificate is listed, holds today, and every router has had time to see so ──▶ next
    next    ──▶ the exchange is silent: a router may know no better yet                            ──▶ present
    present ──▶ the exchange refuses it, or it is no longer listed, and the next one is             ──▶ next

The directory lists both meanwhile, so whatever either signed is taken.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.agent.drafts import Clock
from exchange.domain.directory import CertificateUse, Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.security.cades import Signer
from exchange.security.validity import Validity

log = logging.getLogger(__name__)

PresentKey = Callable[[], Signer]
"""The key that lies in place now.

Raises:
    ConfigurationError: there is none for the moment: its two files are replaced one after the other.
"""


class NextKey(Protocol):
    """The key that is to follow, in files that come one after the other; each call reads them."""

    def certificate(self) -> x509.Certificate | None:
        """Its certificate; None before there is one."""
        ...

    def signer(self) -> Signer:
        """The whole pair; raises `ConfigurationError` while it is none."""
        ...


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why the exchange takes nothing that a body signs, as far as the directory tells; the text says what to do."""

    reason: Reason
    text: str


_REMEDIES = {
    Reason.SIGNER_UNKNOWN: "the directory does not list the statement certificate in place, so the exchange drops in "
    "silence what it signed: put the right pair there, or have it listed",
    Reason.CERTIFICATE_REVOKED: "the statement certificate in place was revoked: make the next key with `exchange body "
    "renew`, and have its certificate issued and listed",
    Reason.CERTIFICATE_EXPIRED: "the statement certificate in place has expired: make the next key with `exchange body "
    "renew`, and have its certificate issued and listed",
    Reason.CERTIFICATE_NOT_YET_VALID: "the statement certificate in place is not valid yet: wait for its first day, or "
    "set this machine's clock",
}


class KeyRing:
    """The keys of one body. Used by one thread at a time.

    The present key is read when the agent starts, and again when the exchange refuses signatures or is
    silent: then another may have been put in place.
    """

    def __init__(
        self,
        body: str,
        present_key: PresentKey,
        next_key: NextKey | None,
        directory: Callable[[], Directory],
        clock: Clock,
        monotonic: Callable[[], float],
        change_over_seconds: float,
    ) -> None:
        """Read the present key.

        Args:
            body: whose keys.
            present_key: what lies in place.
            next_key: what is to follow; None where nothing ever will.
            directory: the newest version known here.
            clock: UTC.
            monotonic: seconds that only grow.
            change_over_seconds: how long a certificate must have been listed before its key is used.
        """
        self._body = body
        self._read_present = present_key
        self._next_key = next_key
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._change_over_seconds = change_over_seconds
        self._present = self.signer = present_key()
        self._known_since: float | None = None

    def hindrance(self) -> Hindrance | None:
        """Why nothing is taken that is signed now; None when the directory has nothing against body and keys.

        A ring beside another process's agent never changes over: a next key that can be used is no hindrance.
        """
        body = self._directory().bodies.get(self._body)
        if body is not None and not body.reachable:
            text = f"the directory lists {self._body} as {body.status}: ask the exchange's operators"
            return Hindrance(Reason.BODY_SUSPENDED, text)
        reason = self._trouble(self.signer.certificate)
        return None if reason is None or self._usable_next() else Hindrance(reason, _REMEDIES[reason])

    def look(self) -> None:
        """Change over when it is time to; cheap while it is not."""
        certificate = self._usable_next()
        if certificate is None:
            self._known_since = None
            self._leave_next()
            return
        if self._known_since is None:
            self._known_since = self._monotonic()
        waited = self._monotonic() - self._known_since >= self._change_over_seconds
        if waited or not self._is_usable(self._present.certificate):
            self._use_next(certificate)

    def refused(self) -> None:
        """The exchange does not take the key in use: read what lies in place now, or use the next one at once."""
        self._read()
        certificate = self._usable_next()
        if certificate is not None and self.signer is self._present:
            self._use_next(certificate)
        else:
            self.look()

    def doubted(self) -> None:
        """The exchange is silent, as it is to whom it does not know: read what lies in place now, or go back to it."""
        self._read()
        if self.signer is not self._present and self._is_usable(self._present.certificate):
            log.info("%s: signing with the present key again: the exchange is silent to the next one", self._body)
            self.signer = self._present
            self._known_since = self._monotonic()
        else:
            self.look()

    def _leave_next(self) -> None:
        """There is no next key any more: it lies in place as the present one by now, or must not be used."""
        if self.signer is self._present:
            return
        self._read()
        if not self._is_usable(self.signer.certificate):
            log.info("%s: signing with the present key again: the next one does not count", self._body)
            self.signer = self._present

    def _read(self) -> None:
        try:
            present = self._read_present()
        except ConfigurationError as error:
            log.warning("%s: signing with the key as it was read before: %s (%s)", self._body, error, error.code)
            return
        if self.signer is self._present or self.signer.signer == present.signer:
            self.signer = present
        self._present = present

    def _use_next(self, certificate: x509.Certificate) -> None:
        if self.signer.certificate == certificate or self._next_key is None:
            return
        try:
            self.signer = self._next_key.signer()
        except ConfigurationError as error:
            log.warning("%s: the next key cannot be used: %s (%s)", self._body, error, error.code)
            return
        log.info("%s: signing with the next key, certificate %s", self._body, self.signer.signer.hex()[:8])

    def _usable_next(self) -> x509.Certificate | None:
        try:
            certificate = None if self._next_key is None else self._next_key.certificate()
        except ConfigurationError as error:
            log.warning("%s: the next certificate cannot be used: %s (%s)", self._body, error, error.code)
            return None
        return certificate if certificate is not None and self._is_usable(certificate) else None

    def _is_usable(self, certificate: x509.Certificate) -> bool:
        return self._trouble(certificate) is None

    def _trouble(self, certificate: x509.Certificate) -> Reason | None:
        """What keeps signatures of a certificate from being taken."""
        now, name, listed = self._clock(), digest(certificate.public_bytes(Encoding.DER)), self._listed()
        if name not in listed:
            return Reason.SIGNER_UNKNOWN
        if (revoked := listed[name]) is not None and revoked <= now:
            return Reason.CERTIFICATE_REVOKED
        validity = Validity.of(certificate)
        if validity.covers(now):
            return None
        return Reason.CERTIFICATE_NOT_YET_VALID if now < validity.not_before else Reason.CERTIFICATE_EXPIRED

    def _listed(self) -> dict[bytes, datetime | None]:
        """Since when each of the body's statement certificates is revoked, by its name in signatures."""
        body = self._directory().bodies.get(self._body)
        listed = () if body is None else body.certificates
        return {digest(each.der): each.revoked for each in listed if each.use is CertificateUse.STATEMENT}
