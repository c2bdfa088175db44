"""What arrives for one body, as a program reads it that asks again and again: in order, each page from a cursor.

A cursor is the row of the last arrival that the caller has; it only grows and outlives restarts, so a
caller that keeps it with what it has taken misses nothing and sees nothing twice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from exchange.agent.bounds import BYTES_AT_ONCE
from exchange.agent.mailbox import Received, received
from exchange.agent.ports import ArrivedReceipt
from exchange.agent.rendering import arrived_receipt
from exchange.agent.spool import Spool, incoming
from exchange.agent.spool.incoming import Kept

Item = TypeVar("Item")


class Doorbell:
    """Tells everybody who waits that something arrived. For one event loop."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Something arrived."""
        self._next.set()
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """Set by the next ring."""
        return self._next


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some arrivals, each with its row; `cursor` asks for those behind them."""

    items: tuple[tuple[int, Item], ...]
    cursor: int


class Feed:
    """One body's arrivals in a spool."""

    def __init__(self, spool: Spool, body: str, bell: Doorbell) -> None:
        """`bell` rings when something arrived."""
        self._spool = spool
        self._body = body
        self._bell = bell

    @property
    def next_ring(self) -> asyncio.Event:
        """Set when something arrives; take it before looking, and nothing is missed in between."""
        return self._bell.next

    async def letters(self, after: int, limit: int) -> Page[Received]:
        """Letters to the body that arrived after a cursor, oldest first.

        Args:
            after: the cursor; 0 at first.
            limit: so many at most, fewer when they are large.

        Raises:
            SpoolError: the spool cannot be read.
        """
        found = await self._spool.run(
            lambda connection: incoming.letters_after(connection, self._body, after, limit, BYTES_AT_ONCE)
        )
        return _page(after, found, received)

    async def receipts(self, after: int, limit: int) -> Page[ArrivedReceipt]:
        """What was heard about the body's letters after a cursor: of recipients, and of the exchange.

        Arguments and errors are those of `letters`.
        """
        found = await self._spool.run(
            lambda connection: incoming.words_after(connection, self._body, after, limit, BYTES_AT_ONCE)
        )
        return _page(after, found, lambda kept: arrived_receipt(kept)[0])


def _page(after: int, kept: list[Kept], item: Callable[[Kept], Item]) -> Page[Item]:
    return Page(tuple((each.row, item(each)) for each in kept), kept[-1].row if kept else after)
