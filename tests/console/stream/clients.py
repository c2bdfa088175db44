"""Hubs that read, and clients that listen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry

from exchange.console.stream.following import Following
from exchange.console.stream.hub import Hub, Reader
from exchange.console.stream.wanted import Wanted
from exchange.store.lists import DeliveryFilter, Vector
from tests.console.stream.stories import Heard, clock
from tests.patience import PATIENCE

ALL = Wanted(DeliveryFilter())


@asynccontextmanager
async def running(reader: Reader, most_waiting: int = 64) -> AsyncIterator[Hub]:
    """A hub that reads."""
    hub = Hub(reader, clock, CollectorRegistry(), most_waiting)
    task = asyncio.create_task(hub.run())
    try:
        await until(lambda: hub.place is not None or hub.stale is not None)
        yield hub
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def listening(hub: Hub, heard: Heard, wanted: Wanted = ALL) -> AsyncIterator[asyncio.Task[None]]:
    """A client that goes on from what it heard, until the context ends."""
    start = Vector.read(heard.last_id) if heard.last_id else None

    async def listen() -> None:
        async for message in Following(hub).stream(wanted, start):
            heard.feed(message)

    task = asyncio.create_task(listen())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become so."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - other tasks make it so
            await asyncio.sleep(0.001)


async def opened(heard: Heard) -> None:
    """Wait until a stream has begun."""
    before = heard.events.count("open")
    await until(lambda: heard.events.count("open") > before)
