"""What the tracker counts; labels are bounded, never ids.

Counters are of this process: after a rebuild they count the journal once more. Gauges are of the
state itself.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exchange.domain.delivery import TABLE, Actor, State
from exchange.domain.event import Event
from exchange.store.writer import Move, Taken

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)

STAGES = {Event.DELIVERED: "deliver", Event.HANDED_OVER: "hand-over", Event.REGISTERED: "register"}
"""The stage that an event ends; it lasted since the delivery's state before."""


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
        self._stages = {event: stages.labels(stage=stage) for event, stage in STAGES.items()}
        self._flags = Counter("exchange_flags", "Journal records that stand out", ["code"], registry=registry)
        self._pending = Gauge(
            "exchange_pending", "Deliveries in which somebody must act next", ["state"], registry=registry
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
        self._lag = Gauge("exchange_tracker_lag", "Offsets of the journal still to be taken", registry=registry)
        self._behind = Gauge(
            "exchange_tracker_lag_seconds",
            "Age of the last record taken, while there are more to take; else 0",
            registry=registry,
        )
        self._held_up = Gauge(
            "exchange_journal_unstable_offsets",
            "Offsets of the journal behind its last stable one: open transactions hold all readers up there",
            registry=registry,
        )
        self._progress = Gauge(
            "exchange_tracker_progress_timestamp_seconds",
            "When the tracker last saw the journal's end and the database's answer",
            registry=registry,
        )
        self._failures = Counter(
            "exchange_tracker_failures", "Times that everything was opened anew, or ended", ["code"], registry=registry
        )
        self._states: Tally[State] = Tally()
        self._bodies: set[str] = set()
        self._journalled: datetime | None = None

    def begin(self, counts: Mapping[State, int]) -> None:
        """Take what the store holds for the state that batches move on from."""
        self._states = Tally(counts)
        self._show_pending()

    def count(self, taken: Taken, journalled: datetime) -> None:
        """Count what a batch brought; `journalled`: when the journal took its last record."""
        self._journalled = journalled
        for flag in taken.flags:
            self._flags.labels(code=flag.code).inc()
        self._facts.inc(len(taken.letters) + len(taken.receipts))
        for move in taken.moves:
            self._count_move(move)
        self._show_pending()
        seen = {receipt.signer: receipt.course.journalled for receipt in taken.receipts}
        for body, moment in seen.items():
            self._seen.labels(body=body).set(moment.timestamp())

    def show(self, oldest: Mapping[str, datetime]) -> None:
        """Show since when each body's oldest letter waits."""
        for body in self._bodies - set(oldest):
            self._oldest.remove(body)
        self._bodies = set(oldest)
        for body, moment in oldest.items():
            self._oldest.labels(body=body).set(moment.timestamp())

    def show_lag(self, offsets: int, held_up: int, now: datetime) -> None:
        """Show how far behind the journal's last stable end the tracker is, and how much lies behind that."""
        self._lag.set(offsets)
        self._held_up.set(held_up)
        self._behind.set(_seconds(self._journalled, now) if offsets and self._journalled else 0)
        self._progress.set(now.timestamp())

    def fail(self, code: str) -> None:
        """Count an error that made the tracker open everything anew, or end."""
        self._failures.labels(code=code).inc()

    def _count_move(self, move: Move) -> None:
        letter, before, fact, after = move
        self._states[after.state] += 1
        if before is not None:
            self._states[before.state] -= 1
        if after.decided and (before is None or not before.decided):
            self._deliveries.labels(outcome=after.decided.value).inc()
        stage = self._stages.get(fact.event)
        if stage is None or before is None or after.state is before.state:
            return
        stage.observe(_seconds(before.since, fact.journalled))
        if fact.event is Event.DELIVERED:
            self._duration.observe(_seconds(letter, fact.journalled))

    def _show_pending(self) -> None:
        for rule in TABLE.values():
            if rule.next is not Actor.NOBODY:
                self._pending.labels(state=rule.state.value).set(self._states[rule.state])


def _seconds(earlier: datetime, later: datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())
