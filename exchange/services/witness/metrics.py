"""What a witness counts, by the logs that it is configured for."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.services.witness.keeping import Keeper, Kind
from exchange.tlog.checkpoint import Checkpoint


class WitnessMetrics:
    """How the witness answers, and what it found."""

    def __init__(self, registry: CollectorRegistry, keeper: Keeper) -> None:
        """Register on `registry`; what was found before counts from the start."""
        self._answers = Counter(
            "exchange_witness_answers", "Requests to cosign a checkpoint, by what they were answered", ["status"],
            registry=registry,
        )  # fmt: skip
        self._size = Gauge("exchange_witness_size", "Entries of a log in the last checkpoint cosigned", ["log"],
            registry=registry,
        )  # fmt: skip
        self._cosigned = Gauge(
            "exchange_witness_cosigned_timestamp_seconds", "When a checkpoint of a log was last cosigned", ["log"],
            registry=registry,
        )  # fmt: skip
        kept = Gauge(
            "exchange_witness_contradictions", "What speaks against a log and is kept", ["kind"], registry=registry
        )
        for kind in Kind:
            kept.labels(kind.value).set_function(partial(keeper.count, kind))

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._answers.labels(str(status)).inc()

    def cosigned(self, checkpoint: Checkpoint, at: int) -> None:
        """A checkpoint was cosigned, at seconds since 1970."""
        self._size.labels(checkpoint.origin).set(checkpoint.size)
        self._cosigned.labels(checkpoint.origin).set(at)
