"""Follows the directory's topic into a reader's own copy.

The copy believes nobody; see `DirectoryCopy`. Kafka away, or the directory's service: the copy stays and
serves. After a restart the topic is read from where the copy was whole; if that place is gone, for example
compacted away, from its beginning: what is there already is not written again.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from exchange.bus.errors import CLIENT_ERRORS, PositionLost, bus_error
from exchange.bus.records import Position
from exchange.domain.errors import BusError, ConfigurationError
from exchange.security.directory.copy import DirectoryCopy
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically
from exchange.services.directory.records import (
    BATCH_RECORDS,
    PARTITION,
    READ_SECONDS,
    OpenTopic,
    TopicReader,
    file_of,
)
from exchange.services.runner import end_if_asked, is_asked_to_end

RETRY_SECONDS = 1.0
_POSITION = ".topic.json"

log = logging.getLogger(__name__)


class DirectoryFollower:
    """Keeps a copy of the directory new; one per folder."""

    def __init__(
        self, copy: DirectoryCopy, open_topic: OpenTopic, now: Callable[[], datetime], registry: CollectorRegistry
    ) -> None:
        """Register metrics on `registry`; nothing is opened before `run`.

        Args:
            copy: where versions are taken into.
            open_topic: opens the directory's topic behind a position.
            now: the clock.
            registry: of the process.
        """
        self._copy = copy
        self._now = now
        self._newest = copy.newest()
        name = "exchange_directory_fresh_until_timestamp_seconds"
        fresh = Gauge(name, "When a newer timestamp of the directory is overdue", registry=registry)
        fresh.set_function(lambda: self._newest.fresh_until.timestamp() if self._newest else 0.0)
        version = Gauge("exchange_directory_version", "Version of the directory in this copy", registry=registry)
        version.set_function(lambda: self._newest.version if self._newest else 0)
        self._open_topic = open_topic
        self._file = copy.folder / _POSITION
        self._position = self._stored()
        self._taken = asyncio.Event()
        self._refused = "" if self._newest else "the directory: no version has come yet"
        self._away = ""

    @property
    def waiting_for(self) -> str:
        """What keeps the copy from being new; empty while all that came was taken, and is of today."""
        return self._away or self._refused or self._stale()

    async def first(self) -> None:
        """Wait until there is a version."""
        await self._taken.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                async with self._open_topic({PARTITION: self._position}) as reader:
                    while True:
                        end_if_asked()
                        await self._follow(reader)
            except PositionLost as error:
                log.warning("the directory's topic is read from its beginning: %s", error)
                self._position = None
            except (*CLIENT_ERRORS, BusError, ConfigurationError) as error:
                trouble = bus_error(error, "following the directory") if isinstance(error, CLIENT_ERRORS) else error
                self._away = f"{trouble.code}: {trouble}"
                log.warning("the directory's copy stays as it is: %s: %s", trouble.code, trouble)
            except asyncio.CancelledError:
                if is_asked_to_end():
                    raise
                log.warning("the directory's topic is opened again: the connection was lost")
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, reader: TopicReader) -> None:
        records = await reader.read(READ_SECONDS, BATCH_RECORDS)
        for record in records:
            file = file_of(record)
            try:
                if file is not None:
                    await asyncio.to_thread(self._copy.offer, *file)
            except DirectoryRefused as error:
                log.warning("a file is not taken: %s: %s", error.code, error)
        at_end = reader.reached(await reader.end_offsets())
        self._away = ""
        if at_end and records:
            await self._take(records[-1].position)

    async def _take(self, position: Position) -> None:
        """At the end of the topic everything that belongs together is there, or will never be."""
        try:
            taken = await asyncio.to_thread(self._copy.take)
        except DirectoryRefused as error:
            self._refused = f"{error.code}: {error}"
            log.warning("the directory's copy stays as it is: %s: %s", error.code, error)
            return
        self._refused = ""
        if taken is not None:
            log.info("directory version %d is here", taken.version)
            self._newest = self._copy.newest()
            self._taken.set()
        if self._copy.complete:
            self._position = position
            stored = {"offset": position.offset, "digest": position.digest.hex()}
            await asyncio.to_thread(write_atomically, self._file, json.dumps(stored).encode())

    def _stale(self) -> str:
        if self._newest is None or self._now() <= self._newest.fresh_until:
            return ""
        return (
            f"directory-stale: nobody has vouched for the directory since {self._newest.fresh_until:%Y-%m-%d %H:%M} UTC"
        )

    def _stored(self) -> Position | None:
        """Where the copy was whole; None before, or when nobody can say: then from the beginning."""
        return _read_position(self._file)


def _read_position(file: Path) -> Position | None:
    try:
        stored = json.loads(file.read_bytes())
        return Position(int(stored["offset"]), bytes.fromhex(stored["digest"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the directory's topic is read from its beginning: %s: %s", file, type(error).__name__)
        return None
