"""The tracker's process."""

from functools import partial

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.reader import PositionedReader
from exchange.services.process import process_registry
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.services.tracker.batch import look_for_garbage_rarely
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.settings import TrackerSettings
from exchange.store.database import Store
from exchange.wiring.directory import followed, latest_directory


async def run_tracker(settings: TrackerSettings) -> None:
    """Follow the journal until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates or the directory cannot be used.
        StoreError: the database's URL is wrong.
        PositionLost, JournalIncomplete, StoreConflict: see `Tracker.run`.
    """
    registry = process_registry({("transport", ""): settings.kafka.certificate}, folders={})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    async with followed(settings.directory, settings.kafka, registry):
        await _run(settings, registry)


async def _run(settings: TrackerSettings, registry: CollectorRegistry) -> None:
    partitions = latest_directory(settings.directory).journal_partitions
    opening = partial(PositionedReader, settings.kafka)
    with Store(settings.store) as store:
        tracker = Tracker(opening, store, partitions, TrackerMetrics(registry), system.now)
        look_for_garbage_rarely()
        with observed(registry, lambda: tracker.waiting_for, settings.observe.host, settings.observe.port):
            async with changes_told("tracker", lambda: tracker.waiting_for):
                await until_signalled(tracker.run())
