"""The tracker's process."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import ExitStack
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.reader import PositionedReader
from exchange.domain.own_bodies import TRACKER_BODY
from exchange.security.directory.folder import DirectoryFolder
from exchange.services.process import process_registry
from exchange.services.reading import look_for_garbage_rarely
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.services.speaking import Speaker
from exchange.services.tracker.archiving import keep_putting_away
from exchange.services.tracker.deadlines import Deadlines
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.services.tracker.tallying import keep_counting
from exchange.services.tracker.terms import TermsFiles
from exchange.settings import TrackerSettings
from exchange.store.archive import Archive
from exchange.store.database import Store
from exchange.wiring.directory import followed
from exchange.wiring.speaking import open_speaker

log = logging.getLogger(__name__)


async def run_tracker(settings: TrackerSettings) -> None:
    """Follow the journal until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates, keys, the directory or the policy cannot be used.
        SpoolError: that of what it says cannot be opened, or is in use.
        StoreError: the database's URL is wrong.
        PositionLost, JournalIncomplete, StoreConflict: see `Tracker.run`.
    """
    registry = process_registry({("transport", ""): settings.kafka.certificate}, folders={})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    async with followed(settings.directory, settings.kafka, registry):
        await _run(settings, registry)


async def _run(settings: TrackerSettings, registry: CollectorRegistry) -> None:
    directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    terms = TermsFiles(settings.policy, directory.latest, system.monotonic, system.now)
    installed, metrics = directory.latest(), TrackerMetrics(registry)
    opening = partial(PositionedReader, settings.kafka)
    with ExitStack() as stack:
        store, speaker = stack.enter_context(_store(settings)), _speaker(settings, stack)
        if speaker is None:
            log.warning("without a table [speaking] nobody says which deadlines have passed")
            deadlines = None
        else:
            deadlines = Deadlines(store, terms, installed.lanes, speaker, metrics.deadlines)
        tracker = Tracker(opening, store, installed.journal_partitions, metrics, system.now, terms, deadlines)
        look_for_garbage_rarely()
        with observed(registry, lambda: tracker.waiting_for, settings.observe.host, settings.observe.port):
            async with changes_told("tracker", lambda: tracker.waiting_for):
                await until_signalled(_work(tracker, store, speaker, _archiving(settings, store, metrics)))


def _speaker(settings: TrackerSettings, stack: ExitStack) -> Speaker | None:
    if settings.speaking is None:
        return None
    return stack.enter_context(open_speaker(TRACKER_BODY, settings.speaking, settings.kafka, settings.directory))


def _store(settings: TrackerSettings) -> Store:
    archive = None if settings.archive is None else Archive(settings.archive.folder)
    return Store(settings.store, archive=archive)


def _archiving(settings: TrackerSettings, store: Store, metrics: TrackerMetrics) -> Coroutine[Any, Any, None] | None:
    if settings.archive is None:
        return None
    return keep_putting_away(store, settings.archive.keep_months, system.now, system.monotonic, metrics.fail)


async def _work(
    tracker: Tracker, store: Store, speaker: Speaker | None, archiving: Coroutine[Any, Any, None] | None
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(tracker.run(), name="tracker")
        group.create_task(keep_counting(store, system.monotonic), name="tallies")
        if archiving is not None:
            group.create_task(archiving, name="archive")
        if speaker is not None:
            group.create_task(speaker.run(), name="speaker")
