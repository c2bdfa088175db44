"""One client's stream: from where it stopped, without gap or repetition."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from exchange.console.stream import messages
from exchange.console.stream.hub import (
    AGAIN_SECONDS,
    MOST_CHANGES,
    Batch,
    Beat,
    Ended,
    Hub,
    Lagging,
    Live,
    News,
    Stale,
    Subscription,
    further,
)
from exchange.console.stream.wanted import Wanted
from exchange.store.errors import StoreError
from exchange.store.lists import Vector

MOST_MISSED = 20_000
"""Records of the journal that a client may have missed; behind more it loads its list again."""
AT_ONCE = 4
"""Clients that catch up at a time."""


class Following:
    """Streams of one hub."""

    def __init__(self, hub: Hub) -> None:
        """Nobody follows yet."""
        self._hub = hub
        self._catching_up = asyncio.Semaphore(AT_ONCE)

    async def stream(self, wanted: Wanted, start: Vector | None) -> AsyncGenerator[bytes, None]:
        """Messages for as long as the client takes them.

        Args:
            wanted: which changes.
            start: the place that the client was told; None: from now on.
        """
        with self._hub.subscribed(wanted) as subscription:
            yield messages.HEAD
            if (stale := self._hub.stale) is not None:
                yield _notice(stale, start)
            while (present := self._hub.place) is None:
                if message := _notice(news := await subscription.next(), start):
                    yield message
                if isinstance(news, Lagging | Ended):
                    return
            client = _Client(wanted, start or present)
            async for message in self._begin(client, present):
                yield message
            async for message in _live(client, subscription):
                yield message

    async def _begin(self, client: "_Client", present: Vector) -> AsyncGenerator[bytes, None]:
        """Tell where the stream begins, and what the client missed."""
        if _missed(client.place, present) > MOST_MISSED:
            client.place = present
            yield messages.moment_message("reset", self._hub.now(), present)
            return
        yield messages.moment_message("open", self._hub.now(), client.place)
        while _missed(client.place, present):
            before = client.place
            if message := await self._missed_page(client):
                yield message
            if client.place == before:  # the database is away, or its tables are being filled again
                yield messages.beat(self._hub.now(), before)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _missed_page(self, client: "_Client") -> bytes:
        """Some of what a client missed."""
        try:
            async with self._catching_up:
                found, after = await asyncio.to_thread(self._hub.reader.changes, client.place, MOST_CHANGES)
        except StoreError as error:
            return messages.moment_message("stale", self._hub.now(), code=error.code)
        client.place = further(client.place, after)
        return messages.changes_message(filter(client.wanted.takes, found), client.place)


@dataclass(slots=True)
class _Client:
    """How far one client was told."""

    wanted: Wanted
    place: Vector

    def told(self, batch: Batch) -> bytes:
        """What the client is told of a batch: of one that it has caught up with in part only the rest."""
        before, self.place = self.place, further(self.place, batch.after)
        if before == batch.before:
            return batch.message(self.wanted)
        new = (change for change in batch.changes if change.offset > before.offsets.get(change.partition, -1))
        return messages.changes_message(filter(self.wanted.takes, new), self.place)


async def _live(client: _Client, subscription: Subscription) -> AsyncGenerator[bytes, None]:
    """Messages as they come, until the client is cut off or the process ends."""
    while True:
        news = await subscription.next()
        if message := client.told(news) if isinstance(news, Batch) else _notice(news, client.place):
            yield message
        if isinstance(news, Lagging | Ended):
            return


def _notice(news: News, place: Vector | None) -> bytes:
    """What is told of news that bring no changes."""
    match news:
        case Beat(at):
            return messages.beat(at, place)
        case Stale(at, code):
            return messages.moment_message("stale", at, code=code)
        case Live(at):
            return messages.moment_message("live", at)
        case Lagging(at):
            return messages.moment_message("lagging", at)
        case _:
            return b""


def _missed(place: Vector, present: Vector) -> int:
    """How many records of the journal lie between; a place of another journal is as far as can be."""
    if present.offsets and place.offsets.keys() - present.offsets.keys():
        return MOST_MISSED + 1
    return sum(max(0, offset - place.offsets.get(partition, -1)) for partition, offset in present.offsets.items())
