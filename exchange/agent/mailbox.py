"""A body's mailbox for programs: send, see what became of it, read what arrived, answer.

Works on the spool alone, beside a running agent or in the same process; the agent sends what is
left here. A body without an EDMS is served by this.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from exchange.agent.arrivals import open_deadline, open_receipt
from exchange.agent.bounds import BYTES_AT_ONCE
from exchange.agent.correspondence import say_letter, say_receipt
from exchange.agent.drafts import Drafting, Words, own_receipt_key
from exchange.agent.errors import DraftRefused
from exchange.agent.key_ring import Hindrance
from exchange.agent.office import Wake
from exchange.agent.ports import ArrivedLetter, DraftLetter, DraftReceipt
from exchange.agent.rendering import arrived_letter, late_words
from exchange.agent.spool import Spool, incoming, outgoing
from exchange.agent.spool.incoming import ArrivalKind, ArrivalState, Kept
from exchange.agent.spool.outgoing import OutgoingState, Sent
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.statement import Letter, Signed
from exchange.wire.records import decode

UNTAKEN = 50
"""Arrivals that are looked at in one go."""
RECEIPTS = 100
"""Of one letter that are shown at most; the tracker has them all."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A receipt about a letter of ours: who said what, and when by the speaker's clock."""

    actor: str
    event: Event
    at: datetime
    reason: str
    text: str
    reg_number: str
    reg_date: date | None


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter of ours.

    Attributes:
        digest: its id in the exchange; None while it is a draft.
        recipients: codes of the bodies that it names; none when it names a group.
        state: how far it came on its way to the exchange.
        reason: code, when the exchange refused it.
        heard: the last hundred receipts about it, in the order of their arrival.
    """

    message_id: str
    digest: bytes | None
    recipients: tuple[str, ...]
    created: datetime
    state: OutgoingState
    reason: str
    detail: str
    heard: tuple[Heard, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A letter that arrived, with how far it was handed over."""

    received: datetime
    state: ArrivalState
    reason: str
    detail: str
    arrived: ArrivedLetter


class Mailbox:
    """One body's letters in a spool."""

    def __init__(
        self,
        spool: Spool,
        body: str,
        drafting: Drafting,
        changed: Wake = lambda: None,
        hindered: Callable[[], Hindrance | None] = lambda: None,
    ) -> None:
        """`changed` is called when there is something to send; `hindered` says why none of it can be taken."""
        self._hindered = hindered
        self._spool = spool
        self._body = body
        self._drafting = drafting
        self._changed = changed

    async def submit(self, *drafts: DraftLetter) -> None:
        """Leave letters to be sent, all or none; on disk when this returns.

        Raises:
            DraftRefused: `message-id-repeated`, or what the exchange could never take; the code says which.
            SpoolError: `slowed-by-exchange` or `spool-full`: nothing was kept, try again later.
        """

        def work(connection: sqlite3.Connection) -> None:
            for draft in drafts:
                say_letter(connection, self._drafting, self._body, draft)

        await self._spool.run(work)
        self._changed()

    async def hindrance(self) -> Hindrance | None:
        """Why the exchange takes nothing of this body now, as far as the directory tells; what is sent is kept."""
        return await self._spool.run(lambda _connection: self._hindered())

    async def submit_once(self, draft: DraftLetter, asked: bytes) -> bool:
        """Leave a letter to be sent unless the very same was asked for before; on disk when this returns.

        Args:
            draft: the letter.
            asked: SHA-256 of what the caller said; equal for a call that is repeated.

        Returns:
            Whether it is new.

        Raises:
            DraftRefused: as `submit`; `message-id-repeated` when its id was used for another letter.
            SpoolError: as `submit`.
        """

        def work(connection: sqlite3.Connection) -> bool:
            if not outgoing.take_input(connection, self._body, asked):
                return False
            say_letter(connection, self._drafting, self._body, draft)
            return True

        is_new = await self._spool.run(work)
        self._changed()
        return is_new

    async def sent(self, limit: int = 100, receipts: int = RECEIPTS) -> list[SentLetter]:
        """The last letters sent, newest first, each with so many receipts at most."""

        def work(connection: sqlite3.Connection) -> list[SentLetter]:
            letters = outgoing.sent_letters(connection, self._body, limit)
            return [_sent(letter, incoming.receipts_about(connection, letter.row, receipts)) for letter in letters]

        return await self._spool.run(work)

    async def sent_letter(self, message_id: str) -> SentLetter | None:
        """A letter of ours by its message id."""

        def work(connection: sqlite3.Connection) -> SentLetter | None:
            letter = outgoing.sent_letter(connection, self._body, message_id)
            return None if letter is None else _sent(letter, incoming.receipts_about(connection, letter.row, RECEIPTS))

        return await self._spool.run(work)

    async def heard(self, message_id: str, after: int = 0) -> list[tuple[int, Heard]]:
        """The next hundred receipts about a letter of ours, in the order of their arrival, each with its row.

        Args:
            message_id: the letter's.
            after: the last row that the caller has; 0 at first.
        """

        def work(connection: sqlite3.Connection) -> list[tuple[int, Heard]]:
            letter = outgoing.sent_letter(connection, self._body, message_id)
            receipts = () if letter is None else incoming.receipts_after(connection, letter.row, after, RECEIPTS)
            return [(kept.row, _heard(kept)) for kept in receipts]

        return await self._spool.run(work)

    async def arrived(self, limit: int = 100) -> list[Received]:
        """The last letters that arrived, newest first."""
        kept = await self._spool.run(lambda connection: incoming.letters(connection, self._body, limit))
        return [received(letter) for letter in kept]

    async def letter(self, digest: bytes) -> Received | None:
        """An arrived letter by its digest."""
        kept = await self._spool.run(lambda connection: incoming.letter(connection, self._body, digest))
        return None if kept is None else received(kept)

    async def untaken(self) -> list[Received]:
        """Some of the letters that nobody took yet, oldest first; receipts before them are put aside, see `sent`."""

        def work(connection: sqlite3.Connection) -> list[Received]:
            now = self._drafting.clock()
            found = incoming.to_hand_over(connection, self._body, now, UNTAKEN, BYTES_AT_ONCE, timedelta())
            for kept in found:
                if kept.kind is not ArrivalKind.LETTER:
                    incoming.mark(connection, kept.row, ArrivalState.SKIPPED)
            return [received(kept) for kept in found if kept.kind is ArrivalKind.LETTER]

        return await self._spool.run(work)

    async def answer(self, digest: bytes, receipt: DraftReceipt, reply: DraftLetter | None) -> None:
        """Take a letter and say what there is to say about it, all or nothing.

        Raises:
            DraftRefused: as `take`, `say` and `submit`.
            SpoolError: as `submit`.
        """

        def work(connection: sqlite3.Connection) -> None:
            kept = self._known(connection, digest)
            self._hand(connection, kept)
            say_receipt(connection, self._drafting, self._body, kept, receipt)
            if reply is not None:
                say_letter(connection, self._drafting, self._body, reply)

        await self._spool.run(work)
        self._changed()

    async def take(self, digest: bytes) -> None:
        """The caller has the letter in its own keeping: says `handed-over` to the sender, once.

        Raises:
            DraftRefused: `receipt-letter-unknown`.
        """

        def work(connection: sqlite3.Connection) -> None:
            self._hand(connection, self._known(connection, digest))

        await self._spool.run(work)
        self._changed()

    async def say(self, digest: bytes, draft: DraftReceipt) -> None:
        """Leave a receipt about an arrived letter to be sent; the same words again are sent once.

        Raises:
            DraftRefused: `receipt-letter-unknown`, `event-unknown`.
        """

        def work(connection: sqlite3.Connection) -> None:
            say_receipt(connection, self._drafting, self._body, self._known(connection, digest), draft)

        await self._spool.run(work)
        self._changed()

    async def hand_over_again(self, digest: bytes) -> None:
        """Put a letter whose hand-over failed back in the queue.

        Raises:
            DraftRefused: `receipt-letter-unknown`.
        """

        def work(connection: sqlite3.Connection) -> None:
            kept = self._known(connection, digest)
            if kept.state is ArrivalState.FAILED:
                incoming.mark(connection, kept.row, ArrivalState.RECEIVED)

        await self._spool.run(work)
        self._changed()

    def _hand(self, connection: sqlite3.Connection, kept: Kept) -> None:
        incoming.mark(connection, kept.row, ArrivalState.HANDED)
        words = Words(kept.digest, kept.sender, Event.HANDED_OVER, self._drafting.clock())
        key = own_receipt_key(Event.HANDED_OVER, kept.digest, kept.command.hex())
        outgoing.add(connection, self._drafting.receipt(self._body, words, key))

    def _known(self, connection: sqlite3.Connection, digest: bytes) -> Kept:
        kept = incoming.letter(connection, self._body, digest)
        if kept is None:
            message = f"no letter {digest.hex()} has arrived: look the digest up among the arrived letters"
            raise DraftRefused(message, code="receipt-letter-unknown")
        return kept


def _sent(letter: Sent, receipts: Iterable[Kept]) -> SentLetter:
    said = decode(Letter, decode(Signed, letter.record).statement)
    return SentLetter(
        message_id=letter.message_id,
        digest=letter.digest,
        recipients=said.recipients,
        created=letter.created,
        state=letter.state,
        reason=letter.reason,
        detail=letter.detail,
        heard=tuple(map(_heard, receipts)),
        group=said.group.expression if said.group else "",
    )


def _heard(kept: Kept) -> Heard:
    if kept.kind is ArrivalKind.DEADLINE:
        deadline = open_deadline(kept.record)
        return Heard(EXCHANGE, Event.EXPIRED, deadline.due, "", late_words(deadline), "", None)
    arrival = open_receipt(kept.record)
    receipt, card = arrival.receipt, arrival.card
    return Heard(
        actor=kept.sender,
        event=Event(receipt.event),
        at=receipt.at,
        reason=receipt.reason,
        text="" if card is None else card.reason_text or card.note,
        reg_number="" if card is None else card.reg_number,
        reg_date=None if card is None else card.reg_date,
    )


def received(kept: Kept) -> Received:
    """A kept letter as programs see it."""
    return Received(kept.received, kept.state, kept.reason, kept.detail, arrived_letter(kept))
