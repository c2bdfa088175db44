"""What every page does first: who asks, what may be seen, and a question to a database off the event loop."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import TypeVar, cast

import sqlalchemy as sa
from starlette.requests import Request

from exchange.console.desk import desk_of
from exchange.console.pages.rendering import Renderer
from exchange.services.http.problems import ApiRefused
from exchange.store.desk.database import DeskStore

Answer = TypeVar("Answer")


def renderer_of(request: Request) -> Renderer:
    """What makes pages of the application that a request came to."""
    return cast("Renderer", request.app.state.renderer)


async def ask(request: Request, question: Callable[[sa.Connection], Answer]) -> Answer:
    """The answer to a question, of one state of the tracker's database.

    Raises:
        StoreError: the database does not answer.
    """
    return await _within(desk_of(request).store.reading, question)


async def ask_own(request: Request, question: Callable[[sa.Connection], Answer]) -> Answer:
    """The answer to a question about what people wrote down in the console.

    Raises:
        ApiRefused: `desk-not-here`.
        StoreError: the database does not answer.
    """
    return await _within(own_of(request).reading, question)


async def write_own(request: Request, work: Callable[[sa.Connection], Answer]) -> Answer:
    """Change what people wrote down in the console, in one transaction; what `work` raises takes it back.

    Raises:
        ApiRefused: `desk-not-here`.
        StoreError: the database does not answer.
    """
    return await _within(own_of(request).writing, work)


async def _within(
    opened: Callable[[], AbstractContextManager[sa.Connection]], work: Callable[[sa.Connection], Answer]
) -> Answer:
    """Do something with a connection in a thread."""

    def done() -> Answer:
        with opened() as connection:
            return work(connection)

    return await asyncio.to_thread(done)


def own_of(request: Request) -> DeskStore:
    """Where the console keeps what people wrote down.

    Raises:
        ApiRefused: `desk-not-here`.
    """
    own = desk_of(request).own
    if own is None:
        message = "nothing that people write down is kept here: ask the console's own process"
        raise ApiRefused(message, status=HTTPStatus.SERVICE_UNAVAILABLE, code="desk-not-here")
    return own
