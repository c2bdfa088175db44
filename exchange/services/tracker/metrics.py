"""What the tracker counts; labels are bounded, never ids.

Counters are of this process: after a rebuild they count the journal once more. Gauges are of the
state itself.
"""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exchange.domain.deadline import Stage
from exchange.domain.delivery import TABLE, Actor, Delivery, State
from exchange.domain.event import Event
from exchange.domain.fact import FlagCode
from exchange.store.writer import Move, Taken

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)

STAGES = {Event.DELIVERED: Stage.DELIVER, Event.HANDED_OVER: Stage.HAND_OVER, Event.REGISTERED: Stage.REGISTER}
"""The stage that an event ends; it lasted since the delivery's state before."""


class _JournalGauges:
    """How the tracker follows the journal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.followed = Gauge(
            "exchange_tracker_partitions", "Journal partitions that this tracker follows", registry=registry
        )
        self.lag = Gauge("exchange_tracker_lag", "Offsets of the journal still to be taken", registry=registry)
        self.behind = Gauge(
            "exchange_tracker_lag_seconds",
            "Age of the last record taken, while there are more to take; else 0",
            registry=registry,
        )
        self.held_up = Gauge(
            "exchange_journal_unstable_offsets",
            "Offsets of the journal behind its last stable one: open transactions hold all readers up there",
            registry=registry,
        )
        self.progress = Gauge(
            "exchange_tracker_progress_timestamp_seconds",
            "When the tracker last saw the journal's end and the database's answer",
            registry=registry,
        )


class DeadlineMetrics:
    """What is late, and up to when deadlines were looked for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self._overdue = Gauge(
            "exchange_overdue", "Deliveries that are late at the stage that is awaited", ["stage"], registry=registry
        )
        self._passed = Counter("exchange_deadlines", "Deadlines that passed", ["stage"], registry=registry)
        self._through = Gauge(
            "exchange_tracker_through_timestamp_seconds",
            "Up to when the journal is known to be complete: what was due before has passed",
            registry=registry,
        )
        self._calendar = Gauge(
            "exchange_calendar_end_timestamp_seconds",
            "When the last year ends that the policy's calendar gives; 0 without one",
            registry=registry,
        )
        self._unheard = Gauge(
            "exchange_deadlines_unheard", "Deadlines that were said and are not in the journal yet", registry=registry
        )
        for stage in Stage:
            self._passed.labels(stage=stage.value)

    def passed(self, stage: Stage) -> None:
        """Count a deadline that passed."""
        self._passed.labels(stage=stage.value).inc()

    def show_overdue(self, overdue: Mapping[Stage, int]) -> None:
        """Show how many deliveries are late at what is awaited now."""
        for stage in Stage:
            self._overdue.labels(stage=stage.value).set(overdue.get(stage, 0))

    def show(self, through: datetime | None, unheard: int, calendar_end: datetime | None) -> None:
        """Show up to when deadlines were looked for, how many are on their way to the journal, and what is known."""
        self._calendar.set(0 if calendar_end is None else calendar_end.timestamp())
        self._through.set(0 if through is None else through.timestamp())
        self._unheard.set(unheard)


class TrackerMetrics:
    """Counters and gauges of one tracker process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self._deliveries = Counter(
            "exchange_deliveries", "Deliveries that came to an outcome", ["outcome"], registry=registry
        )
        self._duration = Histogram(
            "exchange_delivery_duration_seconds",
            "Seconds from the journal's acceptance of a letter to its delivery to the recipient's agent",
            registry=registry,
            buckets=_SECONDS,
        )
        stages = Histogram(
            "exchange_stage_duration_seconds",
            "Seconds that a delivery spent in a stage, in the journal's time",
            ["stage"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._stages = {event: stages.labels(stage=stage.value) for event, stage in STAGES.items()}
        self._flags = Counter("exchange_flags", "Journal records that stand out", ["code"], registry=registry)
        # There from the start: the first one is then a growth, and an alert sounds.
        self._flags.labels(code=FlagCode.UNREADABLE)
        self._pending = Gauge(
            "exchange_pending",
            "Deliveries of which something is awaited, or that somebody must set right",
            ["state"],
            registry=registry,
        )
        self._oldest = Gauge(
            "exchange_oldest_undelivered_timestamp_seconds",
            "When the journal took the oldest letter that the body has not fetched",
            ["body"],
            registry=registry,
        )
        self._seen = Gauge(
            "exchange_consumer_last_seen_timestamp_seconds",
            "When the journal took the last receipt of the body",
            ["body"],
            registry=registry,
        )
        self._facts = Counter("exchange_facts", "Facts about deliveries taken from the journal", registry=registry)
        self._journal = _JournalGauges(registry)
        self.deadlines = DeadlineMetrics(registry)
        for outcome in _OUTCOMES:
            self._deliveries.labels(outcome=outcome)
        self._failures = Counter(
            "exchange_tracker_failures", "Times that everything was opened anew, or ended", ["code"], registry=registry
        )
        self._bodies: set[str] = set()
        self._journalled: datetime | None = None

    def count(self, taken: Taken, journalled: datetime) -> None:
        """Count what a batch brought; `journalled`: when the journal took its last record."""
        self._journalled = journalled
        for flag in taken.flags:
            self._flags.labels(code=flag.code).inc()
        self._facts.inc(len(taken.letters) + len(taken.receipts))
        for move in taken.moves:
            self._count_move(move)
        seen = {receipt.signer: receipt.course.journalled for receipt in taken.receipts}
        for body, moment in seen.items():
            self._seen.labels(body=body).set(moment.timestamp())

    def show(self, oldest: Mapping[str, datetime], overdue: Mapping[Stage, int], pending: Mapping[State, int]) -> None:
        """Show since when each body's oldest letter waits, and how many deliveries are late, or pending by state."""
        self.deadlines.show_overdue(overdue)
        for rule in TABLE.values():
            if rule.next is not Actor.NOBODY:
                self._pending.labels(state=rule.state.value).set(pending.get(rule.state, 0))
        for body in self._bodies - set(oldest):
            self._oldest.remove(body)
        self._bodies = set(oldest)
        for body, moment in oldest.items():
            self._oldest.labels(body=body).set(moment.timestamp())

    def show_lag(self, offsets: int, held_up: int, now: datetime) -> None:
        """Show how far behind the journal's last stable end the tracker is, and how much lies behind that."""
        self._journal.lag.set(offsets)
        self._journal.held_up.set(held_up)
        self._journal.behind.set(_seconds(self._journalled, now) if offsets and self._journalled else 0)
        self._journal.progress.set(now.timestamp())

    def show_held(self, partitions: int) -> None:
        """Show how many of the journal's partitions this tracker follows."""
        self._journal.followed.set(partitions)

    def fail(self, code: str) -> None:
        """Count an error that made the tracker open everything anew, or end."""
        self._failures.labels(code=code).inc()

    def _count_move(self, move: Move) -> None:
        letter, before, fact, after = move
        if fact.stage is not None:
            self.deadlines.passed(fact.stage)
        outcome = _outcome(before, after)
        if outcome:
            self._deliveries.labels(outcome=outcome).inc()
        stage = self._stages.get(fact.event)
        if stage is None or before is None or after.state is before.state:
            return
        stage.observe(_seconds(before.since, fact.journalled))
        if fact.event is Event.DELIVERED:
            self._duration.observe(_seconds(letter, fact.journalled))


_OUTCOMES = ("on_time", "late", "failed")


def _outcome(before: Delivery | None, after: Delivery) -> str:
    """What came out of a delivery just now; a delivery counts as late once, and then never as on time."""
    if before is None or after.late:
        return "late" if before is not None and not before.late else ""
    if after.decided and not before.decided:
        return "on_time"
    stopped = after.next is Actor.OPERATOR and before.next is not Actor.OPERATOR
    return "failed" if stopped else ""


def _seconds(earlier: datetime, later: datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())
