"""The directory's service: puts in force what keepers completed, and hands it to everybody by Kafka.

Its folder is the directory; what is on Kafka is a copy of it that is completed again whenever a file is
missing there. It vouches for the newest version every few hours, so a reader who hears nothing for a day
knows that something is wrong.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from hashlib import sha256

from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import DIRECTORY
from exchange.domain.directory import Directory
from exchange.domain.errors import BusError, ConfigurationError
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import FRESH_FOR, DirectoryPublisher
from exchange.security.errors import DirectoryRefused, KeyRefused
from exchange.security.keys import PrivateKey
from exchange.services.directory.records import BATCH_RECORDS, PARTITION, OpenTopic, TopicReader, file_of
from exchange.services.runner import end_if_asked, is_asked_to_end

LOOK_SECONDS = 1.0
RETRY_SECONDS = 1.0
STAMP_AGAIN = FRESH_FOR / 4
APPLY_AGAIN_SECONDS = 30.0
HANDED_ON_AT_ONCE = 200
"""Files, in one call that succeeds or is made again."""

log = logging.getLogger(__name__)


class DirectoryService:
    """Keeps the directory in force and on Kafka; one process."""

    def __init__(
        self,
        folder: DirectoryFolder,
        clock_key: Callable[[], PrivateKey],
        open_topic: OpenTopic,
        open_producer: Callable[[], AbstractAsyncContextManager[SubmissionProducer]],
        apply: Callable[[Directory], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        """Nothing is opened before `run`.

        Args:
            folder: the directory.
            clock_key: loads the key that signs timestamps.
            open_topic: opens the directory's topic.
            open_producer: opens what writes to it.
            apply: makes topics, rights and quotas what a version says; called for each version in force.
            now: the clock.
        """
        self._folder = folder
        self._publisher = DirectoryPublisher(folder)
        self._clock_key = clock_key
        self._open_topic = open_topic
        self._open_producer = open_producer
        self._apply = apply
        self._now = now
        self._there: dict[str, bytes] = {}
        self._sent: tuple[int, int] = (0, 0)
        self._applied = 0
        self._version: Directory | None = None
        self._apply_at = 0.0
        self._trouble = ""
        self._waiting_for = "the directory: not read yet"

    @property
    def waiting_for(self) -> str:
        """What keeps the newest version from being in force everywhere; empty when it is."""
        return self._waiting_for

    @property
    def in_force(self) -> Directory | None:
        """The newest version when it was last looked at; None before."""
        return self._version

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            try:
                async with self._open_topic({PARTITION: None}) as reader, self._open_producer() as producer:
                    self._there, self._sent = {}, (0, 0)
                    while True:
                        end_if_asked()
                        await self._listen(reader)
                        self._waiting_for = await self._look(producer)
            except (*CLIENT_ERRORS, BusError, ConfigurationError, KeyRefused, OSError) as error:
                trouble = error if isinstance(error, BusError | ConfigurationError | KeyRefused) else None
                shown = trouble or bus_error(error, "handing the directory on")
                self._waiting_for = f"{shown.code}: {shown}"
                log.warning("the directory's service begins again: %s: %s", shown.code, shown)
            except asyncio.CancelledError:
                if is_asked_to_end():
                    raise
                log.warning("the directory's service begins again: the connection was lost")
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, reader: TopicReader) -> None:
        """Find out what is on Kafka; what somebody else wrote over a file is written over again."""
        ends = await reader.end_offsets()
        while True:
            for record in await reader.read(LOOK_SECONDS, BATCH_RECORDS):
                if (file := file_of(record)) is None:
                    continue
                digest = sha256(file[1]).digest()
                if self._there.get(file[0]) != digest:
                    self._there[file[0]], self._sent = digest, (0, 0)
            if reader.reached(ends):
                return

    async def _look(self, producer: SubmissionProducer) -> str:
        """Put a new version in force; hand on what is new; what is still waited for."""
        version = await asyncio.to_thread(self._in_force)
        if self._version is None or version.digest != self._version.digest:
            self._version = version
        newest = self._folder.newest()
        if (newest.number, version.version) != self._sent:
            await self._send(producer, version)
            self._sent = (newest.number, version.version)
        now = asyncio.get_running_loop().time()
        if version.version != self._applied and now >= self._apply_at:
            try:
                await self._apply(version)
                self._applied, self._trouble = version.version, ""
            except (BusError, ConfigurationError) as error:
                # Handing on goes on meanwhile: bodies hear of a suspension even when rights cannot be changed.
                self._apply_at = now + APPLY_AGAIN_SECONDS
                self._trouble = f"rights of version {version.version}: {error.code}: {error}"
                log.warning("%s", self._trouble)
        return self._trouble

    def _in_force(self) -> Directory:
        """The newest complete version, with a timestamp of today."""
        head = self._publisher.head()
        try:
            newest = self._folder.newest()
            left = newest.fresh_until - self._now()
            # More than a day is left of one that was made while this clock was ahead.
            due = newest.version != head.version or not FRESH_FOR - STAMP_AGAIN <= left <= FRESH_FOR
        except DirectoryRefused:
            due = True  # there is none yet, or it is by a clock of a root before
        if due:
            self._publisher.stamp(self._clock_key(), self._now())
            log.info("directory version %d is in force", head.version)
        return self._folder.latest()

    async def _send(self, producer: SubmissionProducer, version: Directory) -> None:
        """Hand on the files that Kafka lacks, of all versions; each after those that it names, the timestamp last."""
        for number in range(1, version.version + 1):
            snapshot = f"{number}.snapshot.json"
            if number == version.version or self._there.get(snapshot) != sha256(self._folder.read(snapshot)).digest():
                names = await asyncio.to_thread(self._folder.files, number)
                await self._hand_on(producer, names)
        await self._hand_on(producer, {TIMESTAMP: b""})
        log.info("directory version %d is on Kafka", version.version)

    async def _hand_on(self, producer: SubmissionProducer, names: Mapping[str, bytes]) -> None:
        """Write those whose digest there is another; snapshots last: one that is there says that its files are."""
        missing = [name for name, digest in names.items() if self._there.get(name) != digest]
        missing.sort(key=lambda name: ".snapshot." in name)
        for start in range(0, len(missing), HANDED_ON_AT_ONCE):
            files = {name: self._folder.read(name) for name in missing[start : start + HANDED_ON_AT_ONCE]}
            records = [Outgoing(data, name.encode()) for name, data in files.items()]
            await producer.send(records, topic=DIRECTORY, partition=PARTITION[1])
            self._there |= {name: sha256(data).digest() for name, data in files.items()}
