"""A body on its way in: which steps it has taken, as request, directory, tracker and desk tell it together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509

from exchange.domain.directory import Body, BodyStatus, CertificateUse
from exchange.domain.ids import digest
from exchange.security.enrolment import Request
from exchange.security.enrolment_rules import key_digest
from exchange.store.desk.approvals import Approval, Verdict
from exchange.store.overviews import Trial

_MINUTE = timedelta(minutes=1)
"""How exactly the last word is known."""


class Step(StrEnum):
    """What a body passes on its way in, in this order."""

    REQUESTED = "requested"
    CERTIFIED = "certified"
    SPOKE = "spoke"
    EXCHANGED = "exchanged"
    APPROVED = "approved"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A body's statement certificate: SHA-256 of it and of its key, and since when it holds."""

    sha256: str
    key: bytes
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A body on its way in.

    Attributes:
        code: the body's.
        approval: what was asked for here, and what was answered.
        request: the body's own, when it was entered here.
        body: its entry in the directory; None when it has none.
        last: when the journal took its last word.
        trial: what it exchanged with the echo.
    """

    code: str
    approval: Approval
    request: Request | None
    body: Body | None
    last: datetime | None
    trial: Trial | None

    @property
    def certificate(self) -> Certificate | None:
        """The one that speaks for it: of the key that its request names, where that is known."""
        found = [each for each in certificates_of(self.body) if self._key in {None, each.key}]
        return found[-1] if found else None

    @property
    def has_other_key(self) -> bool:
        """Whether the directory lists a key that the request does not name."""
        return any(self._key not in {None, each.key} for each in certificates_of(self.body))

    @property
    def steps(self) -> Mapping[Step, datetime | None]:
        """The steps that were taken, with their times where these are known."""
        return dict(self._taken())

    @property
    def next(self) -> Step | None:
        """The first step that was not taken; None when all were."""
        taken = self.steps
        return next((step for step in Step if step not in taken), None)

    @property
    def may_be_approved(self) -> bool:
        """Whether everything is there that the second person must see."""
        is_testing = self.body is not None and self.body.status is BodyStatus.TESTING
        is_open = self.approval.verdict is Verdict.OPEN
        return is_open and is_testing and not self.has_other_key and Step.EXCHANGED in self.steps

    @property
    def waits(self) -> bool:
        """Whether somebody has something to do: the second person, or the keepers after a consent."""
        if self.approval.verdict is Verdict.OPEN:
            return True
        is_in = self.body is not None and self.body.status in {BodyStatus.CONNECTED, BodyStatus.LEFT}
        return self.approval.verdict is Verdict.APPROVED and not is_in

    @property
    def _key(self) -> bytes | None:
        return None if self.request is None else key_digest(self.request.csrs[CertificateUse.STATEMENT])

    def _taken(self) -> Iterator[tuple[Step, datetime | None]]:
        certificate, trial, approval = self.certificate, self.trial, self.approval
        yield Step.REQUESTED, approval.asked
        if certificate is not None:
            yield Step.CERTIFIED, certificate.since
            if self.last is not None and self.last + _MINUTE > certificate.since:
                yield Step.SPOKE, self.last
            # What went by an earlier key, or by the paper bridge, says nothing of this one.
            if trial and trial.reply and trial.passed and trial.sent.letter.journalled >= certificate.since:
                yield Step.EXCHANGED, trial.reply.delivery.since
        if approval.verdict is Verdict.APPROVED:
            yield Step.APPROVED, approval.decided
        if self.body is not None and self.body.status is BodyStatus.CONNECTED:
            yield Step.CONNECTED, None if self.body.change is None else self.body.change.at


def certificates_of(body: Body | None) -> Iterator[Certificate]:
    """The statement certificates that speak for a body, in the directory's order."""
    for listed in () if body is None else body.certificates:
        if listed.use is CertificateUse.STATEMENT and listed.revoked is None:
            found = x509.load_der_x509_certificate(listed.der)
            yield Certificate(digest(listed.der).hex(), key_digest(found), found.not_valid_before_utc)
