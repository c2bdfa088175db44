"""What the router counts (names of `docs/metrics.md`); labels are bounded, never ids."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.domain.reason import Reason
from exchange.security.crl_folder import CrlFolder

Outcome = tuple[str, str]
"""What became of a submission: `accepted` and its kind, `rejected` or `dead` and the reason, `held`."""

DEAD = (
    Reason.OVERSIZED,
    Reason.UNREADABLE,
    Reason.BATCH_REFUSED,
    Reason.SIGNATURE_FORM,
    Reason.SIGNATURE_INVALID,
    Reason.STATEMENT_ALTERED,
    Reason.SIGNER_UNKNOWN,
    Reason.CERTIFICATE_UNTRUSTED,
    Reason.CERTIFICATE_PURPOSE,
    Reason.WRONG_SIGNER,
)
"""What alerts look at: counted from the start, so that the first one is a growth."""


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
        for reason in DEAD:
            self.dead_letters.labels(reason=reason.value)
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


class CrlMetrics(Collector):
    """How the revocation lists stand, as of the last look at their folder; labels are the directory's issuers."""

    def __init__(self, crls: CrlFolder) -> None:
        """Of one folder."""
        self._crls = crls

    def collect(self) -> Iterable[Metric]:
        """Names of `docs/metrics.md`."""
        due = GaugeMetricFamily(
            "exchange_router_crl_next_update_timestamp_seconds", "When an issuer's next list is due", labels=["issuer"]
        )
        soonest: dict[str, float] = {}
        for crl in self._crls.held:
            soonest[crl.issuer] = min(crl.next_update.timestamp(), soonest.get(crl.issuer, float("inf")))
        for issuer, moment in soonest.items():
            due.add_metric([issuer], moment)
        yield due
        yield GaugeMetricFamily("exchange_router_crls_stale", "Lists in use that are overdue", len(self._crls.stale()))
        refused = GaugeMetricFamily("exchange_router_crls_refused", "Files that are not taken", labels=["code"])
        for code, count in self._crls.refused.items():
            refused.add_metric([code], count)
        yield refused
