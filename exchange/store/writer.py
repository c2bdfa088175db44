"""Facts in: stored once, the deliveries that they touch moved on, the position too.

1. The stored position must be right before the facts: a second writer is found out. Letters that were put away and
   that the facts are about come back.
2. Read what is known of the letters and deliveries concerned: what their facts came to, never the
   facts themselves, so a delivery costs the same however much was said about it.
3. Go through the facts in order: a letter brings its deliveries, a receipt or deadline one fact more
   (rule 4.1), with which its delivery advances (rule 4.2).
4. Write rows and positions; and of each body that it spoke.

All in the caller's transaction, so state is always the fold up to the position.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa

from exchange.domain.deadline import NO_TERMS, Matter, Stage, Terms
from exchange.domain.delivery import Delivery, Due, Fact, advance, contradicts
from exchange.domain.event import Event
from exchange.domain.fact import (
    CommandFact,
    DeadlineFact,
    FlagCode,
    JournalFact,
    LetterFact,
    OriginOpened,
    ReceiptFact,
    StatementRefused,
    StatementVoided,
    Unreadable,
    is_ignored,
    why_ignored,
)
from exchange.store import bulk
from exchange.store.archive import Archive
from exchange.store.deadlines import OverranRow, Told, overrun, tick
from exchange.store.errors import StoreConflict
from exchange.store.putting_away import fetch_back
from exchange.store.rows import (
    ActRow,
    DeliveryRow,
    FactRow,
    FlagRow,
    LetterRow,
    PositionRow,
    concerned,
    micros,
    moment,
    place_of,
)
from exchange.store.schema import acts, deliveries, facts, flags, letters, positions, spoken

_MINUTE = 60_000_000
_OF_LETTERS = LetterFact | ReceiptFact | DeadlineFact

DeliveryKey = tuple[bytes, str]
"""Letter's digest and recipient's body code."""


class Move(NamedTuple):
    """A delivery went on by a fact.

    Attributes:
        letter: when the journal took the letter.
        before: what it was; None when the letter began it.
        fact: what happened.
        after: what it is now.
    """

    letter: datetime
    before: Delivery | None
    fact: Fact
    after: Delivery


@dataclass(slots=True)
class Taken:
    """What a batch came to: for metrics.

    Attributes:
        letters: accepted and refused.
        receipts: that count, in the journal's order.
        moves: of deliveries, in the journal's order.
        flags: records set aside or standing out.
    """

    letters: list[LetterFact] = field(default_factory=list)
    receipts: list[ReceiptFact] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    flags: list[FlagRow] = field(default_factory=list)


def take(
    connection: sa.Connection,
    batch: Sequence[JournalFact],
    reached: Sequence[PositionRow],
    terms: Terms = NO_TERMS,
    archive: Archive | None = None,
) -> Taken:
    """Store a batch; see the module's text.

    Raises:
        StoreConflict: the stored position is not before these facts.
        ArchiveError: a letter that was put away cannot be fetched back.
    """
    begun = _require_next(connection, batch, reached)
    fetch_back(connection, archive, {fact.letter for fact in batch if isinstance(fact, _OF_LETTERS)})
    gathering = _Gathering(connection, batch, terms)
    for fact in batch:
        gathering.add(fact)
    new, changed = gathering.delivery_rows()
    taken = gathering.taken
    bulk.insert(connection, letters, [LetterRow.of(fact) for fact in taken.letters])
    bulk.insert(connection, facts, gathering.fact_rows)
    bulk.insert(connection, flags, taken.flags)
    bulk.insert(connection, deliveries, new)
    bulk.update(connection, deliveries, changed, fixed=("journalled", "sender"))
    overrun(connection, gathering.overran, gathering.said)
    bulk.insert(connection, acts, gathering.act_rows)
    bulk.raise_to(connection, spoken, gathering.spoken_rows())
    tick(connection, batch)
    bulk.insert(connection, positions, [row for row in reached if (row.topic, row.partition) not in begun])
    bulk.update(connection, positions, [row for row in reached if (row.topic, row.partition) in begun])
    return taken


def _require_next(
    connection: sa.Connection, batch: Sequence[JournalFact], reached: Sequence[PositionRow]
) -> set[tuple[str, int]]:
    """Make sure that the batch comes next; which of the partitions have a stored position."""
    stored = {(row.topic, row.partition): row.position for row in connection.execute(sa.select(positions))}
    first = {row.partition: row.position for row in reached}
    for fact in reversed(batch):
        first[fact.position.partition] = fact.position.offset
    for row in reached:
        before = stored.get((row.topic, row.partition), -1)
        if before >= min(first[row.partition], row.position):
            message = (
                f"partition {row.partition} was already taken up to {before}, {first[row.partition]} comes again: "
                "another tracker writes to this database; stop one of them"
            )
            raise StoreConflict(message)
    return set(stored)


class _Letter(NamedTuple):
    """What receipts about a letter need of it; `sender` is None when it was refused."""

    place: int
    sender: str | None
    journalled: datetime
    matter: Matter


@dataclass(slots=True)
class _Delivery:
    """A delivery as the batch has it so far; `stored` says whether the database has a row of it."""

    value: Delivery
    stored: bool
    delivered: int = 0
    registered: int = 0
    touched: bool = False


class _Gathering:
    """A batch on its way: what the store knows of its letters, and what the batch adds."""

    def __init__(self, connection: sa.Connection, batch: Sequence[JournalFact], terms: Terms) -> None:
        self.taken = Taken()
        self._terms = terms
        self.fact_rows: list[FactRow] = []
        self.act_rows: list[ActRow] = []
        self.overran: list[OverranRow] = []
        self.said: list[Told] = []
        self._spoken: dict[tuple[str, int], datetime] = {}
        self._letters: dict[bytes, _Letter] = {}
        self._deliveries: dict[DeliveryKey, _Delivery] = {}
        for digest, letter, row in _known(connection, batch):
            self._letters[digest] = letter
            if row is not None:
                known = _Delivery(row.delivery(), stored=True, delivered=row.delivered, registered=row.registered)
                self._deliveries[digest, row.recipient] = known

    def add(self, fact: JournalFact) -> None:
        """The next fact of the batch."""
        if isinstance(fact, LetterFact):
            self._spoken[fact.sender, fact.position.partition] = fact.course.journalled
            self._add_letter(fact)
        elif isinstance(fact, ReceiptFact):
            self._spoken[fact.signer, fact.position.partition] = fact.course.journalled
            self._add_receipt(fact)
        elif isinstance(fact, DeadlineFact):
            self._add_deadline(fact)
        elif isinstance(fact, CommandFact):
            self.act_rows.append(ActRow.of(fact))
        elif isinstance(fact, OriginOpened | StatementVoided):
            self._spoken[fact.body, fact.position.partition] = fact.journalled
        elif isinstance(fact, StatementRefused):
            self._flag(fact, FlagCode.STATEMENT_REFUSED, fact.body, fact.statement, fact.reason, fact.detail)
        elif isinstance(fact, Unreadable):
            self._flag(fact, FlagCode.UNREADABLE, "", b"", "", fact.detail)

    def delivery_rows(self) -> tuple[list[DeliveryRow], list[DeliveryRow]]:
        """Rows of the deliveries that began, and of those that went on."""
        new: list[DeliveryRow] = []
        changed: list[DeliveryRow] = []
        for (digest, recipient), delivery in self._deliveries.items():
            if delivery.touched:
                letter = self._letters[digest]
                told = letter.matter.sender, delivery.delivered, delivery.registered
                row = DeliveryRow.of(letter.place, recipient, micros(letter.journalled), delivery.value, told)
                (changed if delivery.stored else new).append(row)
        return new, changed

    def spoken_rows(self) -> list[tuple[str, int, int]]:
        """The last word of each body in each partition, to the minute: more often nobody looks."""
        return [(*key, micros(at) // _MINUTE * _MINUTE) for key, at in sorted(self._spoken.items())]

    def _add_letter(self, fact: LetterFact) -> None:
        if fact.letter in self._letters:
            self._flag(fact, FlagCode.LETTER_REPEATED, fact.sender, fact.letter, "", "")
            return
        place, journalled = place_of(fact.position), fact.course.journalled
        letter = _Letter(place, None if fact.reason else fact.sender, journalled, fact.matter)
        self._letters[fact.letter] = letter
        self.taken.letters.append(fact)
        happened = fact.of_delivery()
        self.fact_rows.append(FactRow.of(fact, place, happened))
        for recipient in fact.recipients:
            begun = advance(None, happened, self._due(letter, recipient))
            self._deliveries[fact.letter, recipient] = _Delivery(begun, stored=False, touched=True)
            self.taken.moves.append(Move(journalled, None, happened, begun))

    def _add_receipt(self, fact: ReceiptFact) -> None:
        delivery = self._deliveries.get((fact.letter, fact.signer))
        letter = None if delivery is None else self._letters[fact.letter]
        ignored = why_ignored(fact, None if letter is None else letter.sender)
        if delivery is None or letter is None or ignored is not None:
            detail = f"{fact.event} of a letter of {fact.sender}"
            self._flag(fact, ignored or FlagCode.NOT_ADDRESSED, fact.signer, fact.letter, fact.reason, detail)
            return
        happened = fact.of_delivery()
        self.taken.receipts.append(fact)
        self.fact_rows.append(FactRow.of(fact, letter.place, happened))
        before = delivery.value
        if not self._move(delivery, letter, fact.signer, happened) and contradicts(happened, delivery.value):
            self._flag(fact, FlagCode.CONTRADICTED, fact.signer, fact.letter, fact.reason, fact.event)
        if before.due is not None and before.overran(delivery.value, fact.course.arrived):
            self.overran.append(OverranRow(letter.place, fact.signer, str(before.stage), micros(before.due)))

    def _add_deadline(self, fact: DeadlineFact) -> None:
        delivery = self._deliveries.get((fact.letter, fact.recipient))
        letter = None if delivery is None else self._letters[fact.letter]
        if delivery is None or letter is None or is_ignored(fact, letter.sender):
            self._flag(fact, FlagCode.DEADLINE_IGNORED, fact.body, fact.letter, "", fact.stage)
            return
        happened = fact.of_delivery()
        self.fact_rows.append(FactRow.of(fact, letter.place, happened))
        self.said.append((letter.place, fact.recipient, fact.stage))
        self._move(delivery, letter, fact.recipient, happened)

    def _move(self, delivery: _Delivery, letter: _Letter, recipient: str, happened: Fact) -> bool:
        """Let a delivery go on by a fact; whether it changed."""
        before, after = delivery.value, advance(delivery.value, happened, self._due(letter, recipient))
        if after is before:
            return False
        delivery.value, delivery.touched = after, True
        if before.stage is Stage.DELIVER and after.stage is not Stage.DELIVER:
            delivery.delivered = micros(happened.journalled)
        if before.decided is None and after.decided is Event.REGISTERED:
            delivery.registered = micros(happened.journalled)
        self.taken.moves.append(Move(letter.journalled, before, happened, after))
        return True

    def _due(self, letter: _Letter, recipient: str) -> Due:
        terms, matter = self._terms, letter.matter

        def due(stage: Stage, began: datetime) -> datetime | None:
            return terms.due_or_none(stage, began, matter, recipient)

        return due

    def _flag(self, fact: JournalFact, code: str, body: str, about: bytes, reason: str, detail: str) -> None:
        journalled = fact.course.journalled if isinstance(fact, LetterFact | ReceiptFact) else fact.journalled
        row = FlagRow(place_of(fact.position), code, body, about, micros(journalled), reason, detail)
        self.taken.flags.append(row)


def _known(
    connection: sa.Connection, batch: Iterable[JournalFact]
) -> Iterator[tuple[bytes, _Letter, DeliveryRow | None]]:
    """What the store knows of the batch's letters, and of the deliveries that its receipts are about."""
    wanted = {(fact.letter, concerned(fact)): None for fact in batch if isinstance(fact, _OF_LETTERS)}
    for row in bulk.select_by_pairs(connection, _KNOWN, wanted):
        digest, place, sender, refusal, journalled, kind, urgency, reply_due, recipient = row[:9]
        matter = Matter(sender, kind, urgency, date.fromisoformat(reply_due) if reply_due else None)
        letter = _Letter(place, None if refusal else sender, moment(journalled), matter)
        yield digest, letter, None if recipient is None else DeliveryRow(place, recipient, journalled, *row[9:])


_KNOWN = f"""
    SELECT letters.digest, letters.place, letters.sender, letters.reason, letters.journalled,
        letters.kind, letters.urgency, letters.reply_due,
        {", ".join(f"deliveries.{name}" for name in DeliveryRow._fields if name not in {"letter", "journalled"})}
    FROM {{pairs}}
    JOIN letters ON letters.digest = pairs.column1
    LEFT JOIN deliveries ON deliveries.letter = letters.place AND deliveries.recipient = pairs.column2
"""  # noqa: S608  # names of our own columns
