"""Answers that wait until there is something to tell, and end when the agent does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from starlette.requests import Request

from exchange.agent.feed import Feed, Page

Item = TypeVar("Item")


class LongPolls:
    """The requests that wait. For one event loop."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: set[asyncio.Timeout] = set()
        self._is_over = False

    async def page(
        self, feed: Feed, look: Callable[[], Awaitable[Page[Item]]], seconds: float, request: Request
    ) -> Page[Item]:
        """What `look` finds, waiting `seconds` at most for there to be something; not for a caller who has left."""
        rung = feed.next_ring
        page = await look()
        if page.items or not seconds:
            return page
        try:
            async with self._patience(seconds, request):
                while not page.items:
                    await rung.wait()
                    rung = feed.next_ring
                    page = await look()
        except TimeoutError:
            pass
        return page

    def end(self) -> None:
        """Answer all who wait with what there is, now and from now on."""
        self._is_over = True
        for timeout in tuple(self._waiting):
            self._hurry(timeout)

    @asynccontextmanager
    async def _patience(self, seconds: float, request: Request) -> AsyncIterator[None]:
        """Raises TimeoutError when it has run out."""
        async with asyncio.timeout(0 if self._is_over else seconds) as timeout:
            self._waiting.add(timeout)
            leaving = asyncio.create_task(_left(request))
            leaving.add_done_callback(lambda _: self._hurry(timeout))
            try:
                yield
            finally:
                self._waiting.discard(timeout)
                leaving.cancel()

    def _hurry(self, timeout: asyncio.Timeout) -> None:
        if timeout in self._waiting:
            with suppress(RuntimeError):  # it runs out in this very turn of the loop
                timeout.reschedule(asyncio.get_running_loop().time())


async def _left(request: Request) -> None:
    """Returns when the caller has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
