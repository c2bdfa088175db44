"""The one reader of changes in a process, and those whom it tells."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.bus.topics import JOURNAL
from exchange.console.stream.messages import changes_message
from exchange.console.stream.wanted import Wanted
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.lists import Vector
from exchange.store.overviews import Change

POLL_SECONDS = 0.25
AGAIN_SECONDS = 1.0
"""After the database failed."""
BEAT_SECONDS = 10.0
READ_SECONDS = 5.0
MOST_CHANGES = 1000
"""Of one message; more follow at once."""
MOST_WAITING = 64
"""Messages that a client may leave waiting: sixteen seconds of a busy exchange."""

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Where changes come from; called in threads."""

    def reached(self) -> Vector:
        """How far the journal was taken. Raises as `changes`."""

    def changes(self, after: Vector, limit: int) -> tuple[list[Change], Vector]:
        """What happened behind a place, complete and in order, and the place to go on from.

        Raises:
            StoreError: the database does not answer.
        """


@dataclass(frozen=True, slots=True)
class StoreReader:
    """Changes of the tracker's database."""

    store: Store

    def reached(self) -> Vector:
        """How far the tracker is."""
        with self.store.reading(READ_SECONDS) as connection:
            return queries.reached(connection, JOURNAL)

    def changes(self, after: Vector, limit: int) -> tuple[list[Change], Vector]:
        """What the tracker took behind a place."""
        with self.store.reading(READ_SECONDS) as connection:
            return queries.changes(connection, JOURNAL, after, limit)


@dataclass(slots=True)
class Batch:
    """What happened between two places."""

    before: Vector
    after: Vector
    changes: tuple[Change, ...]
    _messages: dict[Wanted, bytes] = field(default_factory=dict)

    def message(self, wanted: Wanted) -> bytes:
        """What is told of it to who was told everything before; empty for nothing. Made once for all who want it."""
        made = self._messages.get(wanted)
        if made is None:
            made = self._messages[wanted] = changes_message(filter(wanted.takes, self.changes), self.after)
        return made


def further(first: Vector, second: Vector) -> Vector:
    """Each partition as far as either is: tables that are being rebuilt do not take a client back."""
    partitions = first.offsets.keys() | second.offsets.keys()
    return Vector({each: max(first.offsets.get(each, -1), second.offsets.get(each, -1)) for each in partitions})


@dataclass(frozen=True, slots=True)
class Beat:
    """Ten seconds have passed."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Stale:
    """The database is away since then."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Live:
    """It is there again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Lagging:
    """The client was too slow; nothing follows."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The process ends; nothing follows."""


News = Batch | Beat | Stale | Live | Lagging | Ended


class Subscription:
    """One client's news, in order; bounded."""

    def __init__(self, wanted: Wanted, most: int) -> None:
        """Nothing has come yet."""
        self.wanted = wanted
        self.is_cut = False
        self._news: asyncio.Queue[News] = asyncio.Queue(most)

    async def next(self) -> News:
        """The next news, once there is some."""
        return await self._news.get()

    def tell(self, news: News, at: datetime) -> None:
        """Add news; who has left too much waiting gets nothing more but that."""
        if self.is_cut:
            return
        if self._news.full() or isinstance(news, Ended):
            self.is_cut = True
            while not self._news.empty():
                self._news.get_nowait()
            news = news if isinstance(news, Ended) else Lagging(at)
        self._news.put_nowait(news)


class Hub:
    """Reads changes four times a second, and tells them all who listen. For one event loop."""

    def __init__(
        self,
        reader: Reader,
        now: Callable[[], datetime],
        registry: CollectorRegistry,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Nothing is read before `run`; metrics go to `registry`."""
        self.reader = reader
        self.now = now
        self.place: Vector | None = None
        self.stale: Stale | None = None
        self._most_waiting = most_waiting
        self._clients: set[Subscription] = set()
        self._is_over = False
        self._streams = Gauge("exchange_console_streams", "Open streams of changes", registry=registry)
        self._told = Counter("exchange_console_changes", "Changes read for the streams", registry=registry)
        self._cut = Counter("exchange_console_streams_cut", "Streams cut off for being slow", registry=registry)
        self._read = Gauge(
            "exchange_console_changes_read_timestamp_seconds", "When the database last told changes", registry=registry
        )

    @property
    def waiting_for(self) -> str:
        """What keeps changes from being told; empty when nothing does."""
        if self.stale is not None:
            return f"the tracker's database: {self.stale.code}"
        return "" if self.place is not None else "the tracker's database: not asked yet"

    @contextmanager
    def subscribed(self, wanted: Wanted) -> Iterator[Subscription]:
        """Be told everything behind `place`, as it is when the context is entered."""
        subscription = Subscription(wanted, self._most_waiting)
        self._clients.add(subscription)
        self._streams.set(len(self._clients))
        if self._is_over:
            subscription.tell(Ended(), self.now())
        try:
            yield subscription
        finally:
            self._clients.discard(subscription)
            self._streams.set(len(self._clients))

    def end(self) -> None:
        """End all streams, now and from now on."""
        self._is_over = True
        self._tell(Ended())

    async def run(self) -> None:
        """Read and tell until cancelled."""
        # A thread of its own: pages that wait for the database do not hold the stream up.
        with ThreadPoolExecutor(1, "changes") as thread:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(), name="beat")
                while True:
                    seconds = await self._turn(thread)
                    await asyncio.sleep(seconds)

    async def _turn(self, thread: Executor) -> float:
        """Read once; how many seconds until the next time."""
        place = self.place if self._clients else None
        try:
            batch = await asyncio.get_running_loop().run_in_executor(thread, self._look, place)
        except StoreError as error:
            self._fail(error)
            return AGAIN_SECONDS
        self._read.set(self.now().timestamp())
        if self.place is None or self.stale is not None:
            self.place, self.stale = self.place or batch.after, None
            self._tell(Live(self.now()))
        if place is None and self._clients:
            return 0.0  # they came meanwhile, and are told everything behind the place that they found
        self.place = batch.after
        if batch.after != batch.before:  # records that change no delivery move clients' places too
            self._told.inc(len(batch.changes))
            self._tell(batch)
        return 0.0 if len(batch.changes) >= MOST_CHANGES else POLL_SECONDS

    def _look(self, place: Vector | None) -> Batch:
        """What happened behind a place; without one only how far things are."""
        if place is None:
            reached = self.reader.reached()
            return Batch(reached, reached, ())
        found, after = self.reader.changes(place, MOST_CHANGES)
        return Batch(place, further(place, after), tuple(found))

    def _fail(self, error: StoreError) -> None:
        if self.stale is None:
            self.stale = Stale(self.now(), error.code)
            self._tell(self.stale)
        log.warning("changes cannot be read: %s: %s", error.code, error)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._tell(Beat(self.now()))

    def _tell(self, news: News) -> None:
        at = self.now()
        for client in self._clients:
            was_cut = client.is_cut
            client.tell(news, at)
            if client.is_cut and not was_cut and not isinstance(news, Ended):
                self._cut.inc()
