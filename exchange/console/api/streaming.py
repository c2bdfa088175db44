"""The stream of changes, asked for, and ended when its caller may not see it any more."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from exchange.console.api.asking import Asked, wanted
from exchange.console.api.parameters import StreamQuery
from exchange.console.api.rates import Rates
from exchange.console.auth.entrance import recognised
from exchange.console.stream.following import Following
from exchange.console.stream.wanted import Wanted
from exchange.domain.errors import ExchangeError
from exchange.store import queries
from exchange.store.lists import Vector

MEDIA_TYPE = "text/event-stream"
LAST_EVENT_ID = "last-event-id"
LASTS_SECONDS = 600.0
"""After which a stream ends, and its client comes back by itself."""
ASKS_SECONDS = 10.0
"""How often a stream asks whether its caller is still who it was."""
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy before us would keep messages back until there are more
}

log = logging.getLogger(__name__)


async def stream(asked: Asked[StreamQuery], following: Following, rates: Rates) -> Response:
    """Changes from now on, or from where the caller stopped.

    Raises:
        StoreError: `cursor-invalid`.
        ApiRefused: `api-parameter-invalid`, `api-busy`.
    """
    if asked.request.method == "HEAD":
        return Response(headers=_HEADERS, media_type=MEDIA_TYPE)
    place = asked.request.headers.get(LAST_EVENT_ID, "") or asked.query.after
    start = Vector.read(place) if place else None
    rates.require_stream(asked.user.login)
    which = await _wanted(asked)
    return _Stream(_counted(following.stream(which, start), rates, asked), headers=_HEADERS)


class _Stream(StreamingResponse):
    """Ends what makes its messages when the caller leaves."""

    media_type = MEDIA_TYPE

    def __init__(self, messages: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
        super().__init__(messages, headers=headers)
        self._messages = messages

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._messages):
            await super().stream_response(send)


async def _counted(
    messages: AsyncGenerator[bytes, None], rates: Rates, asked: Asked[StreamQuery]
) -> AsyncGenerator[bytes, None]:
    ends = asyncio.get_running_loop().time() + LASTS_SECONDS
    with rates.streaming(asked.user.login):
        # Beside the messages: a desk that does not answer holds none of them up.
        async with aclosing(messages), _beside(_no_longer_theirs(asked)) as over:
            async for message in messages:
                if over.done():
                    return
                yield message
                if asyncio.get_running_loop().time() >= ends:
                    return


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """A task for as long as the context lasts."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _no_longer_theirs(asked: Asked[StreamQuery]) -> None:
    """Return once the caller's session or token is over, or its rights are others; a desk that is away says neither."""
    while True:
        await asyncio.sleep(ASKS_SECONDS)
        try:
            visitor = await recognised(asked.request, asked.desk.identify, asked.desk.people, is_use=False)
        except ExchangeError as error:
            log.warning("whose stream it is cannot be asked now: %s: %s", error.code, error)
            continue
        if visitor.user != asked.user or visitor.must_change_password:
            return


async def _wanted(asked: Asked[StreamQuery]) -> Wanted:
    """What the caller is told; a text stands for the letters that it names now."""
    now = asked.desk.now()
    which = wanted(asked.query, asked.user, _minute(now))
    text, which = which.text, replace(which, text="")
    if not text:
        return Wanted(which)
    found = await asked.told(lambda connection: queries.find(connection, text, 100))
    return Wanted(which, frozenset(each.digest for each in found))


def _minute(now: datetime) -> datetime:
    """Streams that ask for the same ages within a minute ask for the same."""
    return now.replace(second=0, microsecond=0)
