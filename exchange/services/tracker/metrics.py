"""What the tracker counts; labels are bounded, never ids.

Counters are of this process: after a rebuild they count the journal once more. Gauges are of the
state itself.
"""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from exchange.domain.delivery import TABLE, Actor, Fact, State
from exchange.domain.event import Event
from exchange.store.writer import Folded, Taken

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 72 * 3600)

STAGES = {Event.DELIVERED: "deliver", Event.HANDED_OVER: "hand-over", Event.REGISTERED: "register"}
"""The stage that an event ends; it lasted since the delivery's fact before."""


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
        self._stages = Histogram(
            "exchange_stage_duration_seconds",
            "Seconds that a delivery spent in a stage, in the journal's time",
            ["stage"],
            registry=registry,
            buckets=_SECONDS,
        )
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
        self._bodies: set[str] = set()

    def count(self, taken: Taken) -> None:
        """Count what a batch brought."""
        for flag in taken.flags:
            self._flags.labels(code=flag.code).inc()
        seen: dict[str, datetime] = {}
        for (_, recipient), folded in taken.touched.items():
            self._facts.inc(folded.fresh)
            self._count_delivery(folded)
            last = folded.facts[-1]
            if last.event not in {Event.ACCEPTED, Event.REJECTED}:
                seen[recipient] = max(last.journalled, seen.get(recipient, last.journalled))
        for body, moment in seen.items():
            self._seen.labels(body=body).set(moment.timestamp())

    def show(self, counts: Mapping[State, int], oldest: Mapping[str, datetime]) -> None:
        """Show the state as it is now."""
        for rule in TABLE.values():
            if rule.next is not Actor.NOBODY:
                self._pending.labels(state=rule.state.value).set(counts.get(rule.state, 0))
        for body in self._bodies - set(oldest):
            self._oldest.remove(body)
        self._bodies = set(oldest)
        for body, moment in oldest.items():
            self._oldest.labels(body=body).set(moment.timestamp())

    def _count_delivery(self, folded: Folded) -> None:
        facts = folded.facts
        decided = next((index for index, fact in enumerate(facts) if TABLE[fact.event].decides), None)
        for index in range(len(facts) - folded.fresh, len(facts)):
            fact = facts[index]
            if index == decided:
                self._deliveries.labels(outcome=fact.event.value).inc()
            stage = STAGES.get(fact.event)
            if stage is None or index == 0:
                continue
            self._stages.labels(stage=stage).observe(_seconds(facts[index - 1], fact))
            if fact.event is Event.DELIVERED:
                self._duration.observe(_seconds(facts[0], fact))


def _seconds(earlier: Fact, later: Fact) -> float:
    return max(0.0, (later.journalled - earlier.journalled).total_seconds())
