"""A letter's journalled bytes, read from where the tracker saw it and checked before anybody says them again."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from exchange.bus.picking import Offset
from exchange.bus.records import Record
from exchange.domain.decision import Decided, Journalled, Verdict
from exchange.domain.errors import ExchangeError, WireError
from exchange.domain.ids import digest
from exchange.domain.statement import Content, Letter, commitment_digest
from exchange.store.desk.items import Item
from exchange.store.rows import position_at
from exchange.wire.records import decode

log = logging.getLogger(__name__)


class Flaw(StrEnum):
    """Why a letter's record cannot be said again."""

    MISSING = "redrive-record-missing"
    ALTERED = "redrive-record-altered"
    DELETED = "redrive-content-gone"


class Records(Protocol):
    """What is asked of `exchange.bus.picking.RecordPicker`; see there for its promises."""

    async def pick(self, places: Collection[Offset]) -> Mapping[Offset, Record]:
        """The records at these partitions and offsets; those that are none are left out."""
        ...


OpenRecords = Callable[[], AbstractAsyncContextManager[Records]]
Archived = Callable[[bytes], bytes]
"""A letter's record by its digest."""


@dataclass(frozen=True, slots=True)
class Found:
    """The letter of an item: its journalled bytes, or why they cannot be said."""

    item: Item
    record: bytes = b""
    flaw: Flaw | None = None


class Letters:
    """Reads letters of the journal; opened when first asked, and anew after it failed. For one task."""

    def __init__(self, opening: OpenRecords, archived: Archived | None = None) -> None:
        """Nothing is opened.

        Args:
            opening: opens the journal.
            archived: gives a letter's record where the journal has none any more, empty when nobody has; blocks.
        """
        self._opening = opening
        self._archived = archived
        self._stack = AsyncExitStack()
        self._records: Records | None = None

    async def close(self) -> None:
        """Close the connection, if there is one."""
        self._records = None
        await self._stack.aclose()

    async def read(self, items: Collection[Item]) -> list[Found]:
        """The letters of some items, in their order.

        Raises:
            BusError: the journal cannot be read now; the next call opens it anew.
        """
        places = {item.place: position_at(item.place) for item in items}
        wanted = {(position.partition, position.offset) for position in places.values()}
        try:
            if self._records is None:
                self._records = await self._stack.enter_async_context(self._opening())
            records = await self._records.pick(wanted)
        except ExchangeError:
            await self.close()
            raise
        found = []
        for item in items:
            record = records.get((places[item.place].partition, places[item.place].offset))
            value = b"" if record is None else record.value or b""
            if not value and self._archived is not None:
                value = await self._refilled(self._archived, item.letter)
            flaw = Flaw.MISSING if not value else flaw_of(value, item)
            found.append(Found(item, b"" if flaw else value, flaw))
        return found

    async def _refilled(self, archived: Archived, letter: bytes) -> bytes:
        """From the archive; what it has is looked at like what the journal has."""
        try:
            return await asyncio.to_thread(archived, letter)
        except ExchangeError as error:
            log.warning("the archive does not give %s: %s: %s", letter.hex(), error.code, error)
            return b""


@dataclass(frozen=True, slots=True)
class Whole:
    """A letter of the journal with all of its contents, each as the sender committed to it."""

    letter: Letter
    recipients: tuple[str, ...]
    contents: tuple[Content, ...]


def read_whole(value: bytes, letter_digest: bytes) -> Whole | Flaw:
    """The letter in a record of the journal; or why the record is not this accepted letter with all its contents.

    The signature needs no second look: these are the bytes whose digest the tracker had from the journal, the
    router compares them with what it journalled, and the recipient's agent verifies them as on the first day.
    """
    try:
        journalled = decode(Journalled, value)
        decided = decode(Decided, journalled.entry)
        letter = decode(Letter, decided.statement)
    except WireError:
        return Flaw.ALTERED
    decision = decided.decision
    is_it = digest(decided.statement) == letter_digest == decision.statement
    if not is_it or decision.verdict is not Verdict.ACCEPTED:
        return Flaw.ALTERED
    if any(not content.salt for content in journalled.contents) or len(journalled.contents) < len(letter.contents):
        return Flaw.DELETED
    commitments = [commitment.digest for commitment in letter.contents]
    if [commitment_digest(content) for content in journalled.contents] != commitments:
        return Flaw.ALTERED
    return Whole(letter, decision.recipients, journalled.contents)


def flaw_of(value: bytes, item: Item) -> Flaw | None:
    """Why a record of the journal is not the letter of this item with all of its contents; None: it is."""
    whole = read_whole(value, item.letter)
    if isinstance(whole, Flaw):
        return whole
    return None if item.recipient in whole.recipients else Flaw.ALTERED
