"""From drafts to statements that the exchange is proven to have (rules 2.4, 2.5).

One task serves all bodies of the process: it numbers and signs what is drafted, sends what is not
proven taken, and goes back when the router or the bus says so. The spool alone remembers; how far
was sent is forgotten with the process, and then everything unproven is sent again, which costs a
notice and changes nothing.

Silence is answered by a probe: the first unproven statement alone is sent again, ever less often.
What the router says about it shows whether the rest was lost, so a router that is away for an hour
finds each statement about once, not a hundred times.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from exchange.agent.chain import Heard, Identity
from exchange.agent.drafts import signed_record
from exchange.agent.errors import may_pass, want_of_memory_named
from exchange.agent.office import Office
from exchange.agent.protocol import Abandon, Halt, Replace, Resend, SignAgain, Stand, Take
from exchange.agent.spool import origins
from exchange.agent.spool.origins import Unproven
from exchange.agent.status import Waits
from exchange.agent.tracing import sending, tell_sent
from exchange.agent.transport import Partition, Submissions
from exchange.bus.producer import Outgoing
from exchange.domain.errors import ExchangeError
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.domain.statement import Letter
from exchange.wire.headers import cloud_event
from exchange.wire.records import kind_of, read_head

log = logging.getLogger(__name__)

PART = "outbound"
TROUBLE = "trouble"
BUS = "submissions"
CLOCK = "clock"
CLOCK_AHEAD = "this machine's clock is ahead of the exchange's: set it; what is refused is said again with its time"


@dataclass(slots=True)
class Line:
    """One body's way out; what is here is forgotten with the process.

    Attributes:
        lane: topic and partition that take what the body says.
        ready: its inbox was read to the end (rule 2.5): it may sign.
        cursor: next number to send; 0: the first one unproven.
        turns: how often something that was heard changed the cursor; what was prepared before does not.
        probe: number that was sent alone to ask where we stand; 0: none.
        not_before: nothing is sent until then (monotonic seconds).
        spoken: when something was last sent or heard (monotonic seconds).
        silences: probes without an answer in a row.
        troubles: waits without progress in a row.
        halted: a person must act first.
    """

    identity: Identity
    lane: Partition
    waits: Waits
    spoken: float
    not_before: float
    ready: bool = False
    cursor: int = 0
    turns: int = 0
    probe: int = 0
    silences: int = 0
    troubles: int = 0
    halted: bool = False

    @property
    def body(self) -> str:
        """The body's code."""
        return self.identity.body

    def advance(self, batch: "_Batch") -> None:
        """The batch is sent; a notice that came meanwhile may have sent the line back."""
        if self.turns == batch.turns:
            self.cursor = batch.last + 1

    def take_back(self, batch: "_Batch") -> None:
        """Nobody knows whether the batch was taken; what went before it was."""
        if self.turns == batch.turns:
            self.go_back(batch.first)

    def go_back(self, number: int = 0) -> None:
        """Send from `number` on, or from the first one unproven."""
        self.cursor = number
        self.probe = 0
        self.turns += 1


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one line sends next, numbers `first` to `last`; `probe`: the first unproven one alone, again.

    `taken` is the last number proven taken, `began` when it was prepared.
    """

    line: Line
    turns: int
    first: int
    last: int
    probe: bool
    records: tuple[Outgoing, ...] = field(repr=False)
    taken: int
    began: datetime


class Outbound:
    """Sends for all lines; `run` is its task, the other methods belong to the same event loop."""

    def __init__(self, office: Office) -> None:
        """Nobody is served before `add`."""
        self._spool = office.spool
        self._timing = office.timing
        self._clock = office.clock
        self._monotonic = office.monotonic
        self._counters = office.counters
        self._traces = office.traces
        self._lines: dict[str, Line] = {}
        self._woken = asyncio.Event()

    def add(self, line: Line) -> None:
        """Serve a body from now on; nothing of it is sent before `ready`."""
        self._lines[line.body] = line

    def drop(self, body: str) -> None:
        """Serve a body no longer."""
        self._lines.pop(body, None)

    def wake(self) -> None:
        """There is something new in the spool."""
        self._woken.set()

    def ready(self, body: str) -> None:
        """The body's inbox was read to its end: it may sign. One that was let go meanwhile says nothing more."""
        line = self._lines.get(body)
        if line is not None:
            line.ready = True
            self.wake()

    def heard(self, body: str, heard: Heard) -> None:
        """Go on by what a notice said; the spool has done its part."""
        line = self._lines.get(body)
        if line is None:
            return
        # A repeat that tells nothing and was not asked for may answer anybody who sends again what we
        # said long ago: it must not keep us from asking ourselves.
        if heard.actions or line.probe:
            line.spoken = self._monotonic()
            line.silences = 0
        self._after_probe(line, heard)
        for action in heard.actions:
            self._follow(line, action)
        self.wake()

    async def run(self, submissions: Submissions) -> None:
        """Send until cancelled; errors of bus and spool that may pass are waited out."""
        attempts = 0
        while True:
            self._woken.clear()
            try:
                busy = await self._round(submissions)
            except ExchangeError as error:
                if not may_pass(error):
                    raise
                attempts += 1
                self._all_wait(error)
                await asyncio.sleep(self._timing.backoff(attempts))
                continue
            attempts = 0
            for line in self._lines.values():
                line.waits.over(BUS)
            if not busy:
                await self._pause()

    async def _round(self, submissions: Submissions) -> bool:
        """Sign and send one batch of every line that may; whether there was anything."""
        now = self._monotonic()
        lines = [line for line in self._lines.values() if line.ready and not line.halted and line.not_before <= now]
        batches = await self._spool.run(lambda connection: self._prepare(connection, lines, now))
        batches = [batch for batch in batches if batch.line.body in self._lines]
        for batch in batches:  # whoever had its turn comes last in the next round
            self._lines[batch.line.body] = self._lines.pop(batch.line.body)
        lanes: dict[Partition, list[_Batch]] = {}
        for batch in batches:
            lanes.setdefault(batch.line.lane, []).append(batch)
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(self._send(submissions, lane, those)) for lane, those in lanes.items()]
        for failed in (task.result() for task in sending):
            if failed is not None:
                raise failed
        return bool(batches)

    def _prepare(self, connection: sqlite3.Connection, lines: Sequence[Line], now: float) -> list[_Batch]:
        """In the spool's thread: what each line sends next, as many lines as fit into one round."""
        batches, room, began = [], self._timing.round_bytes, self._clock()
        speaking = origins.speaking(connection)
        for line in (line for line in lines if line.body in speaking):
            if room <= 0:
                break
            turns = line.turns
            origin = line.identity.extend(connection, self._timing.batch, self._timing.window)
            first, limit = max(line.cursor, origin.taken + 1), self._timing.batch
            probe = origin.taken < origin.signed < first and now >= line.spoken + self._patience(line, origin.taken)
            if probe:
                line.identity.renew(connection, origin)
                first, limit = origin.taken + 1, 1
            statements = origins.unproven(connection, origin, first, limit, room)
            room -= sum(len(statement.record) for statement in statements)
            if statements:
                traced = None if self._traces is None else began
                records = tuple(_record(line.body, statement, traced) for statement in statements)
                first = statements[0].number
                batches.append(_Batch(line, turns, first, statements[-1].number, probe, records, origin.taken, began))
        return batches

    async def _send(self, submissions: Submissions, lane: Partition, batches: Sequence[_Batch]) -> ExchangeError | None:
        """Send what goes into one lane; on failure all its lines go back."""
        records = [record for batch in batches for record in batch.records]
        topic, partition = lane
        try:
            with want_of_memory_named():
                await submissions.send(records, topic=topic, partition=partition)
        except ExchangeError as error:
            for batch in batches:
                batch.line.take_back(batch)
                self._tell(lane, batch, error.code)
            return error
        for batch in batches:
            line = batch.line
            self._tell(lane, batch)
            line.spoken = self._monotonic()
            self._counters.add("agent_submitted_total", len(batch.records), body=line.body)
            if batch.probe:
                self._asked(line, batch.last, self._patience(line, batch.taken))
            else:
                line.waits.over(PART)
                line.advance(batch)
        return None

    def _tell(self, lane: Partition, batch: _Batch, code: str = "") -> None:
        """Letters of the batch were written, or why they were not."""
        if self._traces is not None:
            tell_sent(self._traces, lane, batch.records, (batch.began, self._clock()), code)

    def _patience(self, line: Line, taken: int) -> float:
        """How many seconds silence is borne; each time twice as long."""
        first = self._timing.resend_after if taken else self._timing.resend_first
        return min(self._timing.resend_at_most, first * 2.0 ** min(line.silences, 20))

    def _asked(self, line: Line, number: int, silence: float) -> None:
        """A probe was sent, after so many seconds of silence."""
        line.probe = number
        line.silences += 1
        code = "notice"
        message = f"nothing heard for {silence:.0f} s of what was sent: it is kept, and asked for ever more rarely"
        if (hindrance := line.identity.keys.hindrance()) is not None:
            code, message = hindrance.reason.value, f"{hindrance.text}; all is kept"
        line.waits.on(PART, code, message, self._clock())

    def _after_probe(self, line: Line, heard: Heard) -> None:
        """The probe's answer: what was sent before it and is not taken was lost."""
        trouble = heard.notice.trouble
        answered = heard.notice.number <= line.probe or (trouble is not None and trouble.reason == Reason.REPEAT)
        if line.probe and answered:
            line.go_back()

    def _follow(self, line: Line, action: object) -> None:
        match action:
            case Take(_, reason, _):
                self._counters.add("agent_taken_total", body=line.body, reason=reason)
                if reason == Reason.CLOCK_AHEAD:
                    line.waits.on(CLOCK, reason, CLOCK_AHEAD, self._clock())
                    log.warning("%s: %s (%s)", line.body, CLOCK_AHEAD, reason)
            case Stand():
                line.troubles = 0
                line.waits.over(PART)
                line.waits.over(TROUBLE)
            case Resend(number, reason, later):
                line.go_back(number)
                if later:
                    self._hold(line, reason)
            case SignAgain(number, reason):
                line.go_back(number)
                self._hold(line, reason)
            case Replace(_, reason) | Abandon(_, reason):
                line.go_back()
                self._counters.add("agent_restarted_total", body=line.body, reason=reason)
                log.warning("%s: %s, going on with %s", line.body, reason, type(action).__name__.lower())
            case Halt(reason, detail):
                line.halted = True
                line.waits.on(TROUBLE, reason, detail, self._clock())
                log.error("%s: %s (%s): nothing more is sent before a person acts", line.body, reason, detail)

    def _hold(self, line: Line, reason: str) -> None:
        """Wait before the line goes on, longer each time."""
        line.troubles += 1
        line.not_before = self._monotonic() + self._timing.backoff(line.troubles)
        line.waits.on(TROUBLE, reason, "the exchange does not take the next statement yet", self._clock())
        log.warning("%s: %s, sending again later", line.body, reason)

    def _all_wait(self, error: ExchangeError) -> None:
        now = self._clock()
        for line in self._lines.values():
            line.waits.on(BUS, error.code, str(error), now)
        log.warning("sending waits: %s (%s)", error, error.code)

    async def _pause(self) -> None:
        """Until something is new here, or another process may have left something."""
        try:
            async with asyncio.timeout(self._timing.poll):
                await self._woken.wait()
        except TimeoutError:
            return


def _record(body: str, unproven: Unproven, traced: datetime | None) -> Outgoing:
    """What is written; of a letter that is `traced`, since when, with the header that says so."""
    head, said = read_head(unproven.statement), digest(unproven.statement)
    kind = kind_of(unproven.statement)
    traceparent = sending(said, traced) if traced is not None and kind is Letter else None
    headers = cloud_event(kind.__name__.lower(), body, said, head.created, traceparent)
    value = signed_record(unproven.statement, unproven.signature, unproven.record)
    return Outgoing(value, body.encode(), headers)
