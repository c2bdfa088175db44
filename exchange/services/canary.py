"""The canary: a letter each minute between two bodies of the exchange's own, and how long each step of it took.

    canary ── letter ─▶ echo ── delivered, handed-over, registered, reply ─▶ canary

It goes the way that every letter goes: two agents, the router, both inboxes. So it fails when letters fail, also at
night, when nobody writes any, and before anybody has noticed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.agent.mailbox import Mailbox, SentLetter
from exchange.agent.ports import DraftLetter
from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.card import FileInfo, FileRole, LetterCard, Party
from exchange.domain.errors import ExchangeError
from exchange.domain.event import Event
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
SOURCE_FORMAT = "exchange-canary"
DECIDE, REPLY = "decide", "reply"
HEARD = {Event.DELIVERED: "deliver", Event.HANDED_OVER: "hand-over", Event.REGISTERED: "register"}
STAGES = (DECIDE, *HEARD.values(), REPLY)
OUTCOMES = ("success", "late", "refused", "unsent")

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class CanaryMetrics:
    """How the canary's letters fare; names of `docs/metrics.md`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`; every count is there from the start: a first failure is then a growth."""
        letters = Counter("exchange_canary_letters", "The canary's letters by outcome", ["outcome"], registry=registry)
        self._letters = {outcome: letters.labels(outcome=outcome) for outcome in OUTCOMES}
        stages = Histogram(
            "exchange_canary_duration_seconds",
            "Seconds since the canary said its letter",
            ["stage"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._stages = {stage: stages.labels(stage=stage) for stage in STAGES}
        self._last: _Last | None = None
        registry.register(_LastLetter(lambda: self._last))

    def reached(self, stage: str, seconds: float) -> None:
        """A letter came so far, so long after it was said."""
        self._stages[stage].observe(seconds)

    def ended(self, outcome: str, now: datetime) -> None:
        """A letter was answered, or given up."""
        self._letters[outcome].inc()
        before = None if self._last is None else self._last.succeeded
        well = outcome == "success"
        self._last = _Last(well=well, succeeded=now if well else before)


@dataclass(frozen=True, slots=True)
class _Last:
    """How the last letter ended, and when one last ended well."""

    well: bool
    succeeded: datetime | None


class _LastLetter(Collector):
    """Of what never was there is no sample: 1970 would set off every alert."""

    def __init__(self, last: Callable[[], _Last | None]) -> None:
        self._last = last

    def collect(self) -> Iterable[Metric]:
        """Names of `docs/metrics.md`."""
        last = self._last()
        success = GaugeMetricFamily("exchange_canary_success", "Whether the last letter was answered in time")
        moment = GaugeMetricFamily(
            "exchange_canary_last_success_timestamp_seconds", "When a letter was last answered in time"
        )
        if last is not None:
            success.add_metric([], last.well)
            if last.succeeded is not None:
                moment.add_metric([], last.succeeded.timestamp())
        return success, moment


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the canary writes, and how long it waits for the answer, in seconds."""

    every: float = 60.0
    within: float = 60.0


class Canary:
    """Writes from one mailbox to the echo; `run` is its task."""

    def __init__(
        self,
        mailbox: Mailbox,
        bodies: tuple[str, str],
        pace: Pace,
        metrics: CanaryMetrics,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """Write as a body whose agent sends what the mailbox is given.

        Args:
            mailbox: of the canary's body.
            bodies: codes of the canary and of the echo.
            pace: how often, and how long to wait.
            metrics: where the outcome is counted.
            clock: present time (UTC).
            new_id: gives a letter's id, another one each time.
        """
        self._mailbox = mailbox
        self._body, self._echo = bodies
        self._pace = pace
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id

    async def run(self) -> None:
        """Write until cancelled; what fails is counted, and the next letter is written all the same."""
        while True:
            began = _seconds()
            outcome = await self._outcome()
            self._metrics.ended(outcome, self._clock())
            if outcome != "success":
                log.warning("the canary's letter to %s was %s", self._echo, outcome)
            await asyncio.sleep(max(0.0, began + self._pace.every - _seconds()))

    async def _outcome(self) -> str:
        try:
            return await self._letter()
        except ExchangeError as error:
            if not error.retriable:
                raise
            log.warning("the canary's letter waits: %s (%s)", error, error.code)
            return "unsent"

    async def _letter(self) -> str:
        draft = self._draft(self._new_id())
        began, seen = _seconds(), set[str]()
        await self._mailbox.submit(draft)
        while True:
            sent = await self._mailbox.sent_letter(draft.message_id)
            reached = [] if sent is None else await self._reached(sent)
            for stage in reached:
                if stage not in seen:
                    self._metrics.reached(stage, _seconds() - began)
            seen.update(reached)
            if len(seen) == len(STAGES):
                return "success"
            if sent is not None and sent.state in {OutgoingState.REFUSED, OutgoingState.VOID}:
                return "refused"
            if _seconds() - began > self._pace.within:
                return "late"
            await asyncio.sleep(LOOK_SECONDS)

    async def _reached(self, sent: SentLetter) -> list[str]:
        """The stages that a letter has behind it; replies are taken, so that nothing gathers in the spool."""
        stages = [DECIDE] if sent.state is OutgoingState.TAKEN else []
        stages += [HEARD[heard.event] for heard in sent.heard if heard.actor == self._echo and heard.event in HEARD]
        for received in await self._mailbox.untaken():
            await self._mailbox.take(received.arrived.digest)
            if sent.digest is not None and received.arrived.letter.in_reply_to == sent.digest:
                stages.append(REPLY)
        return stages

    def _draft(self, message_id: str) -> DraftLetter:
        text = f"{message_id}\n".encode()
        card = LetterCard(
            document_id=message_id,
            title="Canary",
            annotation="Текшерүү каты · Проверочное письмо · Canary",
            sender=Party(body=self._body),
            addressees=(Party(body=self._echo),),
            files=(FileInfo("1", "canary.txt", "text/plain", len(text), sha256(text).digest(), FileRole.MAIN),),
            source_format=SOURCE_FORMAT,
        )
        return DraftLetter(
            message_id=message_id, consignment_id=message_id, kind=LetterKind.DOCUMENT, conversation=message_id,
            in_reply_to="", in_reply_to_number="", recipients=(self._echo,), ack=AckPolicy.ALWAYS, wanted=(),
            urgency=Urgency.ROUTINE, reply_due=None, access=Access.PUBLIC, card=card, files=(text,),
        )  # fmt: skip


def _seconds() -> float:
    """Seconds that only grow: a clock that is set back makes no letter late."""
    return asyncio.get_running_loop().time()
