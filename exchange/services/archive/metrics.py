"""What the archive counts; labels are bounded, never ids."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800)


class ArchiveMetrics:
    """Counters and gauges of one archive process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self._entries = Counter("exchange_archive_entries", "Entries taken from the journal", registry=registry)
        self._strays = Counter(
            "exchange_archive_strays",
            "Values in the journal that are no record of it, and so no leaf",
            registry=registry,
        )
        self._lag = Gauge("exchange_archive_lag", "Offsets of the journal still to be taken", registry=registry)
        self._progress = Gauge(
            "exchange_archive_progress_timestamp_seconds",
            "When the archive last saw the journal's end",
            registry=registry,
        )
        self._checkpoint = Gauge(
            "exchange_archive_checkpoint_timestamp_seconds", "When a checkpoint was last published", registry=registry
        )
        self._witnessed = Gauge(
            "exchange_archive_witnessed_timestamp_seconds",
            "When a checkpoint was last published that as many witnesses cosigned as the policy asks for",
            registry=registry,
        )
        self._size = Gauge(
            "exchange_archive_checkpoint_size", "Heads in the checkpoint published last", registry=registry
        )
        self._delay = Histogram(
            "exchange_archive_delay_seconds",
            "From the journal's acceptance of the oldest new entry to the checkpoint over it",
            registry=registry,
            buckets=_SECONDS,
        )
        self._proofs = Counter("exchange_archive_proofs", "Proofs of origins that were published", registry=registry)
        self._failures = Counter(
            "exchange_archive_failures", "Times that everything was opened anew, or ended", ["code"], registry=registry
        )

    def count(self, entries: int, strays: int) -> None:
        """Count what a batch brought."""
        self._entries.inc(entries)
        self._strays.inc(strays)

    def show_lag(self, offsets: int, now: datetime) -> None:
        """Show how far behind the journal's last stable end the archive is."""
        self._lag.set(offsets)
        self._progress.set(now.timestamp())

    def published(self, size: int, proofs: int, now: datetime, *, witnessed: bool) -> None:
        """Show a checkpoint that is on Kafka."""
        self._size.set(size)
        self._checkpoint.set(now.timestamp())
        if witnessed:
            self._witnessed.set(now.timestamp())
        self._proofs.inc(proofs)

    def delayed(self, oldest: datetime, now: datetime) -> None:
        """Observe how long the oldest new entry under a checkpoint waited for it."""
        self._delay.observe(max(0.0, (now - oldest).total_seconds()))

    def fail(self, code: str) -> None:
        """Count an error that made the archive open everything anew, or end."""
        self._failures.labels(code=code).inc()
