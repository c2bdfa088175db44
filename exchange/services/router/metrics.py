"""What the router counts (names of `docs/metrics.md`); labels are bounded, never ids."""

from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Outcome = tuple[str, str]
"""What became of a submission: `accepted` and its kind, `rejected` or `dead` and the reason, `held`."""


class RouterMetrics:
    """Counters of one router process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self.accepted = Counter("exchange_accepted", "Statements accepted", ["kind"], registry=registry)
        self.rejected = Counter("exchange_rejected", "Statements refused", ["reason"], registry=registry)
        self.held = Counter("exchange_held", "Statements not taken; their origin was told", registry=registry)
        self.dead_letters = Counter(
            "exchange_dead_letters", "Submissions that moved nothing", ["reason"], registry=registry
        )
        self.decide = Histogram(
            "exchange_stage_duration_seconds",
            "Seconds from the broker's arrival time to the decision, for the first submission of each batch",
            ["stage"],
            registry=registry,
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
        ).labels(stage="decide")
        self.lanes = Gauge("exchange_router_lanes", "Lanes that this process serves", registry=registry)
        self.armed = Gauge(
            "exchange_router_lanes_armed", "Of these, lanes that submissions are read of", registry=registry
        )
        self.directory = Gauge(
            "exchange_router_directory_version", "Version of the directory that is decided by", registry=registry
        )
        self.rearmed = Counter("exchange_router_rearmed", "Times that a lane was armed", registry=registry)
        self.transactions = Counter("exchange_router_transactions", "Transactions committed", registry=registry)

    @staticmethod
    def show_validity(registry: CollectorRegistry, valid_until: Callable[[], datetime]) -> None:
        """Show until when may be decided by the directory, unless a newer timestamp comes."""
        name = "exchange_router_directory_valid_until_timestamp_seconds"
        words = "When nothing is decided any more, unless the directory's timestamp is signed again"
        Gauge(name, words, registry=registry).set_function(lambda: valid_until().timestamp())

    def committed(self, outcomes: Mapping[Outcome, int]) -> None:
        """Count what one transaction did, once for all its statements: each count costs as much as a record."""
        self.transactions.inc()
        for (outcome, of), count in outcomes.items():
            match outcome:
                case "accepted":
                    self.accepted.labels(kind=of).inc(count)
                case "rejected":
                    self.rejected.labels(reason=of).inc(count)
                case "dead":
                    self.dead_letters.labels(reason=of).inc(count)
                case _:
                    self.held.inc(count)
