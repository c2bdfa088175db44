"""Checks of the journal that auditors begin here: one at a time, beside everything else, each kept in the journal.

Its beginning is an act that stands there first, its result is another; both are of the same task, and name the person.
Results are remembered here until the process ends, the last few of them; the acts stay.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Protocol

from exchange.console.auth.acts import Act, Acts
from exchange.console.checking import Checked, LogSpan, Stretch
from exchange.domain.errors import ExchangeError, fault
from exchange.domain.user import Right, User
from exchange.services.audit.findings import concluded
from exchange.services.http.problems import ApiRefused
from exchange.services.replay import Progress

log = logging.getLogger(__name__)

REMEMBERED = 10


class CheckKind(StrEnum):
    """What is checked; the name of the act."""

    VERIFY = "verify"
    """The whole journal."""
    REPLAY = "replay"
    """A stretch of it."""
    LOG = "verify-log"
    """The archive's log, of the last days."""

    @property
    def result(self) -> str:
        """Name of the act that says what came of it."""
        return f"{self.value}-result"


@dataclass(frozen=True, slots=True)
class Check:
    """A check, running or done.

    Attributes:
        person: sign-in of who began it.
        of_what: what is replayed, or how much of the log is verified; None of the whole journal.
        done: offsets read.
        of: of so many; 0 before that is known.
        ended: None while it runs.
        result: None while it runs, or when an error ended it.
        code: of the error that ended it, else empty.
        kept: whether the result stands in the journal, too.
    """

    id: str
    person: str
    started: datetime
    of_what: Stretch | LogSpan | None = None
    done: int = 0
    of: int = 0
    ended: datetime | None = None
    result: Checked | None = None
    code: str = ""
    kept: bool = False

    @property
    def kind(self) -> CheckKind:
        """What is checked."""
        match self.of_what:
            case Stretch():
                return CheckKind.REPLAY
            case LogSpan():
                return CheckKind.LOG
        return CheckKind.VERIFY

    @property
    def stretch(self) -> Stretch | None:
        """What is replayed; None of another check."""
        return self.of_what if isinstance(self.of_what, Stretch) else None

    @property
    def span(self) -> LogSpan | None:
        """How much of the log is verified; None of another check."""
        return self.of_what if isinstance(self.of_what, LogSpan) else None

    @property
    def verdict(self) -> str:
        """`running`, `sound`, `found` or `broken-off`."""
        if self.ended is None:
            return "running"
        if self.result is None:
            return "broken-off"
        return "sound" if self.result.sound else "found"


class Checking(Protocol):
    """What is asked of `exchange.console.checking.Checker`; see there for its promises."""

    async def verify(self, tell: Progress) -> Checked:
        """Check the whole journal."""
        ...

    async def replay(self, stretch: Stretch, tell: Progress, /) -> Checked:
        """Check a stretch of it."""
        ...

    @property
    def has_log(self) -> bool:
        """Whether the archive's log is at hand."""
        ...

    async def verify_log(self, since: datetime, tell: Progress, /) -> Checked:
        """Check what came to the archive's log since then."""
        ...


class Checks:
    """Checks of one process. For its event loop; `run` is its task."""

    def __init__(self, checker: Checking, acts: Acts, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        """Nothing was checked yet.

        Args:
            checker: reads the journal.
            acts: where it is kept who had what checked.
            now: the clock.
            new_id: a random id.
        """
        self._checker = checker
        self._acts = acts
        self._now = now
        self._new_id = new_id
        self._checks: dict[str, Check] = {}
        self._running: str | None = None
        self._begun: asyncio.Queue[str] = asyncio.Queue()

    @property
    def known(self) -> Mapping[str, Check]:
        """Those that are remembered, by id; the last begun comes last."""
        return MappingProxyType(self._checks)

    @property
    def is_busy(self) -> bool:
        """Whether one runs."""
        return self._running is not None

    @property
    def has_log(self) -> bool:
        """Whether the archive's log is at hand."""
        return self._checker.has_log

    async def begin(self, user: User, of_what: Stretch | LogSpan | None = None) -> Check:
        """Check a stretch, the log of some days, or the whole journal; `run` does it.

        Raises:
            ApiRefused: `check-busy`, retriable; `right-missing`.
            AccessRefused: `act-not-kept`.
        """
        if not user.may(Right.REPLAY):
            message = f"'{Right.REPLAY}' is an auditor's right: ask one"
            raise ApiRefused(message, status=HTTPStatus.FORBIDDEN, code="right-missing")
        if self._running is not None:
            message = "a check runs, and there is one at a time: wait for its result, then begin yours"
            raise ApiRefused(message, status=HTTPStatus.CONFLICT, code="check-busy", retriable=True)
        check = Check(self._new_id(), user.login, self._now(), of_what)
        self._running = check.id
        try:
            await self._acts.record(_act(check, check.kind.value, _scope(check)))
        except BaseException:
            self._running = None
            raise
        self._checks[check.id] = check
        while len(self._checks) > REMEMBERED:
            del self._checks[next(iter(self._checks))]
        self._begun.put_nowait(check.id)
        return check

    async def run(self) -> None:
        """Do what was begun, until cancelled."""
        while True:
            check = await self._done(await self._begun.get())
            self._checks[check.id] = check
            self._running = None

    async def _done(self, name: str) -> Check:
        """The check with its result, which was told to the journal if that was possible."""

        def tell(done: int, of: int) -> None:
            self._checks[name] = replace(self._checks[name], done=min(done, of), of=of)

        check = self._checks[name]
        result, code = None, ""
        try:
            if check.stretch is not None:
                result = await self._checker.replay(check.stretch, tell)
            elif check.span is not None:
                result = await self._checker.verify_log(check.started - timedelta(days=check.span.days), tell)
            else:
                result = await self._checker.verify(tell)
        except ExchangeError as error:
            log.warning("a check of the journal ended before its end: %s: %s", error.code, error)
            code = error.code
        except Exception as error:  # noqa: BLE001 - a record that nobody foresaw must not end the console
            log.error("a check of the journal failed: %s", fault(error))  # noqa: TRY400 - a traceback may quote a letter
            code = "console-failed"
        check = replace(self._checks[name], ended=self._now(), result=result, code=code)
        try:
            await self._acts.record(_act(check, check.kind.result, f"{_scope(check)}: {_outcome(check)}"))
        except ExchangeError as error:
            log.warning("a check's result is not in the journal: %s: %s", error.code, error)
            return check
        return replace(check, kept=True)


def _act(check: Check, action: str, detail: str) -> Act:
    return Act(action, check.person, task=check.id, detail=detail)


def _scope(check: Check) -> str:
    if check.span is not None:
        return str(check.span)
    return "the whole journal" if check.stretch is None else f"offsets {check.stretch}"


def _outcome(check: Check) -> str:
    """What came of it, for the journal."""
    result = check.result
    if result is None:
        return f"broken off, {check.code}"
    if result.log is not None:
        return concluded(result.log.summary, sound=result.sound)
    newest = f"the newest {result.newest} offsets of each partition, " if result.newest else ""
    differences = f", {result.differences} differences of the tracker" if result.differences else ""
    return concluded(f"{newest}{result.report.summary}{differences}", sound=result.sound)
