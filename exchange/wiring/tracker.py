"""The tracker's process."""

from functools import partial

from prometheus_client import CollectorRegistry

from exchange.bus.reader import PositionedReader
from exchange.services.runner import observed, until_signalled
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.settings import TrackerSettings
from exchange.store.database import Store
from exchange.wiring.directory import latest_directory


async def run_tracker(settings: TrackerSettings) -> None:
    """Follow the journal until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates or the directory cannot be used.
        StoreError: the database cannot be used.
        PositionLost, JournalIncomplete, StoreConflict: see `Tracker.run`.
    """
    registry = CollectorRegistry()
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    partitions = latest_directory(settings.directory).journal_partitions
    with Store(settings.store) as store:
        store.migrate()
        tracker = Tracker(partial(PositionedReader, settings.kafka), store, partitions, TrackerMetrics(registry))
        with observed(registry, lambda: tracker.waiting_for, settings.observe.host, settings.observe.port):
            await until_signalled(tracker.run())
