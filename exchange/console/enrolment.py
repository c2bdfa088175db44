"""Letting a body in, as far as it is the console's: who asked, what is known of the way, the second person's word.

    request ──▶ certificate ──▶ spoke ──▶ test exchange ──▶ second person ──▶ connected
    here, or    the keepers'    the tracker's own data      here              the keepers'
    to keepers  two signatures                                                two signatures

No key is here, and nothing here changes the directory: a consent stands in the journal and at the desk, and the
keepers' commands do the rest. Whoever asks for the consent does not give it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar

import sqlalchemy as sa

from exchange.console.auth.acts import Act
from exchange.console.cases import Case, certificates_of
from exchange.console.desk import Desk
from exchange.console.pages.forms import is_prose
from exchange.domain.directory import Body, BodyStatus
from exchange.domain.entry import Problem
from exchange.domain.errors import ExchangeError
from exchange.domain.ids import digest
from exchange.domain.own_bodies import ECHO_BODY
from exchange.domain.task import REASON_CHARACTERS
from exchange.domain.user import User
from exchange.security.enrolment import Request, decode_request, encode_request
from exchange.security.enrolment_rules import examine_request, keys_listed
from exchange.settings.territory import territory
from exchange.store import queries
from exchange.store.desk import approvals
from exchange.store.desk.approvals import Approval, Verdict
from exchange.store.desk.database import DeskStore
from exchange.store.overviews import Trial

ACTION = "enrol"
OPEN_AT_MOST = 100
DECIDED_AT_MOST = 50
_ID_CHARACTERS = 16

Answer = TypeVar("Answer")


class CaseRefused(ExchangeError):
    """Something that cannot be done to a body's case; `problems` is what is wrong with its request."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Keep the status of the answer."""
        super().__init__(message, code=code)
        self.status = status
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Cases:
    """What the page of enrolment shows.

    Attributes:
        waiting: asked for, and not done with.
        unasked: let in by the keepers for testing, while nobody asked for a second person's word here.
        decided: answered and done with, the last first.
    """

    waiting: tuple[Case, ...]
    unasked: tuple[Body, ...]
    decided: tuple[Approval, ...]


class Enrolment:
    """What people do with cases; made for one request."""

    def __init__(self, desk: Desk, own: DeskStore) -> None:
        """Args: own: where cases are kept."""
        self._desk = desk
        self._own = own

    async def cases(self) -> Cases:
        """All that wait, and the last that were decided."""

        def listed(connection: sa.Connection) -> tuple[tuple[Approval, ...], tuple[Approval, ...], tuple[Body, ...]]:
            """All that the page shows, as of one moment."""
            testing = [body for body in bodies.values() if body.status is BodyStatus.TESTING]
            last = {body.code: approvals.latest(connection, ACTION, body.code) for body in testing[:OPEN_AT_MOST]}
            unasked = [body for body in testing if body.code in last and _is_over(last[body.code])]
            return (
                approvals.listed(connection, ACTION, [Verdict.OPEN], OPEN_AT_MOST),
                approvals.listed(connection, ACTION, [Verdict.APPROVED, Verdict.DECLINED], DECIDED_AT_MOST),
                tuple(unasked),
            )

        bodies = self._desk.directory().bodies
        is_open, answered, unasked = await self._read(listed)
        found = [await self._case(each) for each in (*is_open, *answered)]
        waiting = tuple(case for case in found if case.waits)
        done = {case.approval.id for case in found if not case.waits}
        return Cases(waiting, unasked, tuple(each for each in answered if each.id in done))

    async def case(self, name: str) -> Case:
        """One case.

        Raises:
            CaseRefused: `enrolment-unknown`.
        """
        approval = await self._read(lambda connection: approvals.find(connection, name))
        if approval is None or approval.action != ACTION:
            message = f"no case is called '{name[:64]}': look for it on the page of enrolment"
            raise CaseRefused(message, code="enrolment-unknown", status=HTTPStatus.NOT_FOUND)
        return await self._case(approval)

    async def enter(self, user: User, text: str, reason: str) -> str:
        """Enter a body's request, and ask for a second person's word; the case's name.

        Args:
            user: who asks.
            text: the request's file.
            reason: why, and how it was made sure that it is the body's.

        Raises:
            CaseRefused: `enrolment-invalid`, `enrolment-request-wrong`, `enrolment-open`.
            AccessRefused: `act-not-kept`.
        """
        _require_reason(reason)
        request = await asyncio.to_thread(self._examined, text)
        return await self._ask(user, request.code, encode_request(request).decode(), reason)

    async def ask(self, user: User, code: str, reason: str) -> str:
        """Ask for a second person's word on a body that the keepers let in; raises as `enter`."""
        _require_reason(reason)
        body = self._desk.directory().bodies.get(code)
        if body is None or body.status is not BodyStatus.TESTING:
            message = f"body: '{code[:63]}' is not listed as testing: choose one of the list, or enter its request"
            raise CaseRefused(message, code="enrolment-invalid")
        return await self._ask(user, code, "", reason)

    async def decide(self, user: User, name: str, verdict: Verdict, remark: str, seen: str) -> None:
        """The second person's word.

        Args:
            user: the second person.
            name: the case's.
            verdict: the word.
            remark: of a refusal the reason; else anything or nothing.
            seen: SHA-256 of the certificate that the page showed; empty where it showed none.

        Raises:
            CaseRefused: `enrolment-unknown`, `enrolment-second-person`, `enrolment-decided`, `enrolment-untested`,
                `enrolment-invalid`; nothing was written.
            AccessRefused: `act-not-kept`.
        """
        case = await self.case(name)
        approval = case.approval
        if approval.person == user.login:
            message = "you asked for this yourself: another person must answer"
            raise CaseRefused(message, code="enrolment-second-person", status=HTTPStatus.FORBIDDEN)
        certificate = "" if case.certificate is None else case.certificate.sha256
        if approval.verdict is not Verdict.OPEN or seen != certificate:
            raise _decided()
        if verdict is Verdict.APPROVED and not case.may_be_approved:
            message = "the body has not exchanged a letter with the echo by this certificate: let it run its selftest"
            raise CaseRefused(message, code="enrolment-untested", status=HTTPStatus.CONFLICT)
        if verdict is Verdict.DECLINED or remark:
            _require_reason(remark)
        await self._desk.acts.record(_act_of(case, user, verdict, remark))
        at = self._desk.now()
        if not await self._write(lambda one: approvals.decide(one, name, user.login, verdict, remark, at)):
            raise _decided()

    async def _ask(self, user: User, code: str, document: str, reason: str) -> str:
        before = await self._read(lambda connection: approvals.latest(connection, ACTION, code))
        if before is not None and before.verdict is Verdict.OPEN:
            raise _asked_already(code)
        # Of two people who ask at one moment the second finds the name taken.
        name = sha256(f"{code}\n{'' if before is None else before.id}".encode()).hexdigest()[:_ID_CHARACTERS]
        detail = f"request {digest(document.encode()).hex()}" if document else "let in by the keepers"
        await self._desk.acts.record(
            Act("enrolment-ask", user.login, task=name, reason=reason, detail=detail, recipient=code)
        )
        approval = Approval(name, ACTION, code, document, user.login, reason, self._desk.now())
        if not await self._write(lambda connection: approvals.ask(connection, approval)):
            raise _asked_already(code)
        return name

    def _examined(self, text: str) -> Request:
        """A request that could be granted.

        Raises:
            CaseRefused: `enrolment-request-wrong`.
        """
        head = self._desk.directory()
        try:
            request = decode_request(text.encode())
        except ExchangeError as error:
            raise _wrong((Problem(error.code, "request", str(error)),)) from error
        used = keys_listed(head.bodies.values())
        problems = examine_request(request, head, territory().names.keys(), used, self._desk.now())
        if problems:
            raise _wrong(tuple(problems))
        return request

    async def _case(self, approval: Approval) -> Case:
        code = approval.about
        body = self._desk.directory().bodies.get(code)
        request = decode_request(approval.summary.encode()) if approval.summary else None
        is_listed = next(certificates_of(body), None) is not None
        last, trial = await asyncio.to_thread(self._known, code) if is_listed else (None, None)
        return Case(code, approval, request, body, last, trial)

    def _known(self, code: str) -> tuple[datetime | None, Trial | None]:
        with self._desk.store.reading() as connection:
            return queries.last_word(connection, code), queries.trial(connection, code, ECHO_BODY)

    async def _read(self, question: Callable[[sa.Connection], Answer]) -> Answer:
        def read() -> Answer:
            with self._own.reading() as connection:
                return question(connection)

        return await asyncio.to_thread(read)

    async def _write(self, work: Callable[[sa.Connection], Answer]) -> Answer:
        def write() -> Answer:
            with self._own.writing() as connection:
                return work(connection)

        return await asyncio.to_thread(write)


def _act_of(case: Case, user: User, verdict: Verdict, remark: str) -> Act:
    """The answer as the journal has it: on what it rests stands there, too."""
    approval, certificate, trial = case.approval, case.certificate, case.trial
    detail = [f"asked for by {approval.person}"]
    if approval.summary:
        detail.append(f"request {digest(approval.summary.encode()).hex()}")
    if certificate is not None:
        detail.append(f"certificate {certificate.sha256}")
    if trial is not None and trial.passed:
        detail.append(f"test letter {trial.sent.letter.digest.hex()}")
    is_approved = verdict is Verdict.APPROVED
    return Act(
        action="enrolment-approve" if is_approved else "enrolment-refuse",
        person=user.login,
        second=user.login if is_approved else "",
        task=approval.id,
        reason=remark,
        detail="; ".join(detail),
        recipient=case.code,
    )


def _is_over(approval: Approval | None) -> bool:
    """Whether somebody may ask for a body that is listed as testing."""
    return approval is None or approval.verdict is Verdict.DECLINED


def _require_reason(reason: str) -> None:
    if len(reason) not in REASON_CHARACTERS or not is_prose(reason, len(reason)):
        bounds = f"{REASON_CHARACTERS.start} to {REASON_CHARACTERS.stop - 1}"
        message = f"reason: say in {bounds} characters why; it stands in the journal"
        raise CaseRefused(message, code="enrolment-invalid")


def _wrong(problems: tuple[Problem, ...]) -> CaseRefused:
    told = "; ".join(f"{each.code}: {each.place}" for each in problems)
    message = f"request: {told}: let the body mend it and ask anew with `exchange body request`"
    return CaseRefused(message, code="enrolment-request-wrong", problems=problems)


def _asked_already(code: str) -> CaseRefused:
    message = f"somebody asked for {code} already: look at the case that waits"
    return CaseRefused(message, code="enrolment-open", status=HTTPStatus.CONFLICT)


def _decided() -> CaseRefused:
    message = "it was answered meanwhile, or the body's certificate is another now: look at the case again"
    return CaseRefused(message, code="enrolment-decided", status=HTTPStatus.CONFLICT)
