"""Facts in: stored once, the deliveries that they touch folded again, the position moved.

1. The stored position must be right before the facts: a second writer is found out.
2. Read what is known of the letters concerned.
3. Go through the facts in order: a letter brings its deliveries, a receipt one fact more (rule 4.1).
4. Fold every delivery that got a fact from all its facts (rule 4.2).
5. Write rows and positions.

All in the caller's transaction, so state is always the fold up to the position.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from exchange.domain.delivery import Delivery, Fact, State, fold
from exchange.domain.fact import (
    FlagCode,
    JournalFact,
    LetterFact,
    ReceiptFact,
    StatementRefused,
    Unreadable,
    why_ignored,
)
from exchange.store import bulk
from exchange.store.errors import StoreConflict
from exchange.store.rows import DeliveryRow, FactRow, FlagRow, LetterRow, PositionRow, micros
from exchange.store.schema import deliveries, facts, flags, letters, positions

_KEYS_AT_ONCE = 1_000

DeliveryKey = tuple[bytes, str]
Item = TypeVar("Item")


@dataclass(slots=True)
class Folded:
    """A delivery that a batch touched.

    Attributes:
        sender: of the letter.
        journalled: when the journal took the letter, microseconds since 1970 UTC.
        facts: all facts of the delivery, in the journal's order once the batch is taken.
        fresh: how many of them, the last ones, the batch brought.
        delivery: what they come to; None before they are folded.
    """

    sender: str
    journalled: int
    facts: list[Fact]
    fresh: int = 0
    delivery: Delivery | None = None


@dataclass(slots=True)
class Taken:
    """What a batch came to: for metrics.

    Attributes:
        letters: accepted and refused.
        touched: every delivery that got a fact, by (letter, recipient).
        flags: records set aside or standing out.
    """

    letters: list[LetterFact] = field(default_factory=list)
    touched: dict[DeliveryKey, Folded] = field(default_factory=dict)
    flags: list[FlagRow] = field(default_factory=list)


def take(connection: sa.Connection, batch: Sequence[JournalFact], reached: Sequence[PositionRow]) -> Taken:
    """Store a batch; see the module's text.

    Raises:
        StoreConflict: the stored position is not before these facts.
    """
    _require_next(connection, batch, reached)
    gathering = _Gathering(connection, batch)
    for fact in batch:
        gathering.add(fact)
    taken = gathering.folded()
    bulk.insert(connection, letters, [LetterRow.of(fact) for fact in taken.letters])
    bulk.insert(connection, facts, gathering.fact_rows)
    bulk.insert(connection, flags, taken.flags)
    bulk.upsert(connection, deliveries, list(_delivery_rows(taken)), fixed=("sender", "journalled"))
    bulk.upsert(connection, positions, reached)
    return taken


def _require_next(connection: sa.Connection, batch: Sequence[JournalFact], reached: Sequence[PositionRow]) -> None:
    stored = {
        (row.topic, row.partition): row.position for row in connection.execute(sa.select(positions).with_for_update())
    }
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


class _Gathering:
    """A batch on its way: what the store knows of its letters, and what the batch adds."""

    def __init__(self, connection: sa.Connection, batch: Sequence[JournalFact]) -> None:
        concerned = {fact.letter for fact in batch if isinstance(fact, LetterFact | ReceiptFact)}
        self._known = _known_deliveries(connection, concerned)
        self._letters = {letter for letter, _ in self._known}
        receipts = {fact.letter for fact in batch if isinstance(fact, ReceiptFact)}
        self._stored = _stored_facts(connection, receipts & self._letters)
        self._taken = Taken()
        self.fact_rows: list[FactRow] = []

    def add(self, fact: JournalFact) -> None:
        """The next fact of the batch."""
        if isinstance(fact, LetterFact):
            self._add_letter(fact)
        elif isinstance(fact, ReceiptFact):
            self._add_receipt(fact)
        elif isinstance(fact, StatementRefused):
            self._flag(fact, FlagCode.STATEMENT_REFUSED, fact.body, fact.statement, fact.reason, fact.detail)
        elif isinstance(fact, Unreadable):
            self._flag(fact, FlagCode.UNREADABLE, "", b"", "", fact.detail)

    def folded(self) -> Taken:
        """Everything touched, folded; contradictions that the batch brought are flagged."""
        taken = self._taken
        for (letter, recipient), touched in taken.touched.items():
            touched.delivery = delivery = fold(touched.facts)
            if delivery.contradicted:
                late = set(delivery.contradicted)
                for fact in touched.facts[-touched.fresh :]:
                    if fact.position in late:
                        taken.flags.append(_contradiction(letter, recipient, fact))
        return taken

    def _add_letter(self, fact: LetterFact) -> None:
        if fact.letter in self._letters:
            self._flag(fact, FlagCode.LETTER_REPEATED, fact.sender, fact.letter, "", "")
            return
        self._letters.add(fact.letter)
        self._taken.letters.append(fact)
        happened = fact.of_delivery()
        self.fact_rows.append(FactRow.of(fact, happened))
        journalled = micros(fact.course.journalled)
        for recipient in fact.recipients:
            touched = Folded(fact.sender, journalled, [happened], 1)
            self._taken.touched[fact.letter, recipient] = touched
            self._known[fact.letter, recipient] = (None if fact.reason else fact.sender, journalled)

    def _add_receipt(self, fact: ReceiptFact) -> None:
        key = (fact.letter, fact.signer)
        sender, journalled = self._known.get(key, (None, 0))
        ignored = why_ignored(fact, sender)
        if ignored is not None or sender is None:
            detail = f"{fact.event} of a letter of {fact.sender}"
            self._flag(fact, ignored or FlagCode.NOT_ADDRESSED, fact.signer, fact.letter, fact.reason, detail)
            return
        happened = fact.of_delivery()
        self.fact_rows.append(FactRow.of(fact, happened))
        touched = self._taken.touched.get(key)
        if touched is None:
            before = [row.fact() for row in self._stored[fact.letter] if row.recipient in {"", fact.signer}]
            touched = self._taken.touched[key] = Folded(sender, journalled, before)
        touched.facts.append(happened)
        touched.fresh += 1

    def _flag(self, fact: JournalFact, code: str, body: str, about: bytes, reason: str, detail: str) -> None:
        journalled = fact.course.journalled if isinstance(fact, LetterFact | ReceiptFact) else fact.journalled
        place = fact.position
        row = FlagRow(place.partition, place.offset, code, body, about, micros(journalled), reason, detail)
        self._taken.flags.append(row)


def _contradiction(letter: bytes, recipient: str, fact: Fact) -> FlagRow:
    place, when = fact.position, micros(fact.journalled)
    return FlagRow(
        place.partition, place.offset, FlagCode.CONTRADICTED, recipient, letter, when, fact.reason, fact.event.value
    )


def _delivery_rows(taken: Taken) -> Iterator[DeliveryRow]:
    for (letter, recipient), touched in taken.touched.items():
        if touched.delivery is not None:
            yield DeliveryRow.of(letter, recipient, touched.sender, touched.delivery, touched.journalled)


def _known_deliveries(connection: sa.Connection, concerned: set[bytes]) -> dict[DeliveryKey, tuple[str | None, int]]:
    """Sender (None of a refused letter) and time of each delivery of the letters, by (letter, recipient)."""
    columns = (
        deliveries.c.letter,
        deliveries.c.recipient,
        deliveries.c.sender,
        deliveries.c.state,
        deliveries.c.journalled,
    )
    known: dict[DeliveryKey, tuple[str | None, int]] = {}
    for some in _chunks(concerned):
        for letter, recipient, sender, state, journalled in connection.execute(
            sa.select(*columns).where(deliveries.c.letter.in_(some))
        ):
            known[letter, recipient] = (None if state == State.REJECTED else sender, journalled)
    return known


def _stored_facts(connection: sa.Connection, concerned: set[bytes]) -> dict[bytes, list[FactRow]]:
    """Facts of the letters, in the journal's order."""
    found: dict[bytes, list[FactRow]] = defaultdict(list)
    for some in _chunks(concerned):
        query = sa.select(facts).where(facts.c.letter.in_(some)).order_by(facts.c.partition, facts.c.position)
        for row in connection.execute(query):
            found[row.letter].append(FactRow(*row))
    return found


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    every = list(items)
    for start in range(0, len(every), _KEYS_AT_ONCE):
        yield every[start : start + _KEYS_AT_ONCE]
