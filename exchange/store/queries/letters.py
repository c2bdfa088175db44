"""Letters found, listed, followed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from exchange.domain.delivery import TABLE, Delivery, Position, State
from exchange.domain.event import SERVICE_EVENTS
from exchange.domain.fact import Registration
from exchange.domain.ids import DIGEST_BYTES
from exchange.store.lists import Cursor, Page
from exchange.store.rows import DeliveryRow, FactRow, FlagRow, LetterRow, PositionRow, micros, moment, position_at
from exchange.store.schema import deliveries, facts, flags, letters, positions
from exchange.store.views import DeliveryTimeline, Flag, Letter, LetterFilter, Listed, Step, Summary, Timeline

_HEX_PREFIX = re.compile(r"[0-9a-fA-F]{4,64}")
_READ_ROWS = 5_000
_MOST_NAMED = 1_000
"""Letters that are looked at for one way of naming: a number may have been given ever so often."""

_FLAGS_AT_MOST = 100

OVERVIEW = "overview"
"""The order of its cursors."""

_NOT_SAID = sorted({TABLE[event].state.value for event in SERVICE_EVENTS & TABLE.keys()})
"""States that no body's word leads to."""
_AGE = letters.c.journalled


def find(connection: sa.Connection, text: str, limit: int = 20) -> list[Letter]:
    """Letters that `text` names, youngest first.

    Args:
        connection: of `Store.reading`.
        text: the beginning of a letter's digest in hexadecimal (4 characters or more), or exactly its
            message id, document id, registration number at the sender or at a recipient.
        limit: at most so many.
    """
    return [letter_of(row) for row in named(connection, text, limit)]


def named(connection: sa.Connection, text: str, limit: int) -> list[LetterRow]:
    """Rows of the letters that `find` finds."""
    if not is_sayable(text):
        return []
    query = sa.select(letters)
    if text:
        query = query.where(letters.c.place.in_(_places_of(text)))
    rows = connection.execute(query.order_by(letters.c.journalled.desc(), letters.c.place).limit(limit))
    return [LetterRow(*row) for row in rows]


def _places_of(text: str) -> sa.CompoundSelect[Any]:
    """Places of letters that a text names: each way of naming is one look into its own index.

    Asked in one condition with OR, no database uses them all.
    """
    # The second condition says so to databases that keep an index of facts with a number only.
    registered = (facts.c.reg_number == text, facts.c.reg_number != sa.literal_column("''"))
    names = [letters.c.message_id == text, letters.c.document_id == text, letters.c.reg_number == text]
    if _HEX_PREFIX.fullmatch(text):
        names.append(_begins_with(text.lower()))
    each = [sa.select(facts.c.letter).where(*registered), *(sa.select(letters.c.place).where(name) for name in names)]
    return sa.union_all(*(sa.select(one.limit(_MOST_NAMED).subquery()) for one in each))


def overview(
    connection: sa.Connection, wanted: LetterFilter, most: int, after: Cursor | None = None
) -> Page[Listed | Summary]:
    """Letters, the youngest first: a line for each delivery, but one for a letter to more than `most` bodies.

    Args:
        connection: of `Store.reading`.
        wanted: which.
        most: deliveries of one letter that get a line each.
        after: where the page before ended; None for the first.
    """
    conditions = []
    if wanted.sender is not None:
        conditions.append(letters.c.sender == wanted.sender)
    if wanted.after is not None:
        conditions.append(micros(wanted.after) <= _AGE)
    if after is not None:
        older, same = after.key > _AGE, sa.and_(sa.literal(after.key) == _AGE, letters.c.place > after.place)
        # The first condition is what an index is entered by.
        conditions += [after.key >= _AGE, sa.or_(older, same)]
    chosen = sa.select(letters).where(*conditions).order_by(_AGE.desc(), letters.c.place).limit(wanted.limit + 1)
    found = [LetterRow(*row) for row in connection.execute(chosen)]
    rows = found[: wanted.limit]
    last = Cursor(OVERVIEW, rows[-1].journalled, rows[-1].place) if len(found) > wanted.limit else None
    states: defaultdict[int, dict[State, int]] = defaultdict(dict)
    counted = (
        sa.select(deliveries.c.letter, deliveries.c.state, sa.func.count())
        .where(deliveries.c.letter.in_([row.place for row in rows]))
        .group_by(deliveries.c.letter, deliveries.c.state)
    )
    for letter, state, number in connection.execute(counted):
        states[letter][State(state)] = number
    few = {row.place for row in rows if sum(states[row.place].values()) <= most}
    each: defaultdict[int, list[DeliveryRow]] = defaultdict(list)
    query = sa.select(deliveries).where(deliveries.c.letter.in_(few)).order_by(deliveries.c.recipient)
    for delivery in (DeliveryRow(*row) for row in connection.execute(query)):
        each[delivery.letter].append(delivery)
    lines: list[Listed | Summary] = []
    for row in rows:
        known = letter_of(row)
        if row.place in few:
            lines.extend(Listed(known, one.recipient, one.delivery()) for one in each[row.place])
        else:
            lines.append(Summary(known, states[row.place]))
    return Page(tuple(lines), last)


def timeline(connection: sa.Connection, letter: bytes) -> Timeline | None:
    """The whole story of the letter with this digest; None when the tracker has not seen it."""
    first = connection.execute(sa.select(letters).where(letters.c.digest == letter)).first()
    if first is None:
        return None
    row = LetterRow(*first)
    known = letter_of(row)
    told: defaultdict[str, list[FactRow]] = defaultdict(list)
    for fact in connection.execute(sa.select(facts).where(facts.c.letter == row.place).order_by(facts.c.place)):
        told[fact.recipient].append(FactRow(*fact))
    marked = _flagged(connection, letter)
    late = {Position(flag.partition, flag.offset) for flag in marked}
    rows = connection.execute(
        sa.select(deliveries).where(deliveries.c.letter == row.place).order_by(deliveries.c.recipient)
    )
    parts = []
    for delivery in (DeliveryRow(*row) for row in rows):
        own = merge(told[""], told[delivery.recipient], key=attrgetter("place")) if delivery.recipient else told[""]
        steps = tuple(_steps(known.created, own, late))
        parts.append(DeliveryTimeline(delivery.recipient, delivery.delivery(), steps))
    return Timeline(known, tuple(parts), tuple(marked))


def oldest_undelivered(connection: sa.Connection) -> dict[str, datetime]:
    """When the journal took the oldest letter that each body has not yet fetched, by body code."""
    query = (
        sa.select(deliveries.c.recipient, sa.func.min(deliveries.c.journalled))
        .where(deliveries.c.state == State.ACCEPTED.value)
        .group_by(deliveries.c.recipient)
    )
    return {body: moment(since) for body, since in connection.execute(query)}


def speaking(connection: sa.Connection, since: datetime) -> frozenset[str]:
    """Bodies that said anything since then, as far as the states of their deliveries tell: letters, receipts."""
    wrote = sa.select(letters.c.sender).where(letters.c.journalled >= micros(since)).distinct()
    own = deliveries.c.state.not_in(_NOT_SAID)
    answered = sa.select(deliveries.c.recipient).where(deliveries.c.since >= micros(since), own).distinct()
    return frozenset(code for query in (wrote, answered) for (code,) in connection.execute(query))


def _flagged(connection: sa.Connection, about: bytes) -> list[Flag]:
    """Records that stand out, of one letter; the youngest, these first."""
    query = sa.select(flags).where(flags.c.about == about)
    found = []
    for row in connection.execute(query.order_by(flags.c.journalled.desc(), flags.c.place).limit(_FLAGS_AT_MOST)):
        place, code, body, what, journalled, reason, detail = FlagRow(*row)
        at = position_at(place)
        found.append(Flag(at.partition, at.offset, code, body, what, moment(journalled), reason, detail))
    return found


def positions_of(connection: sa.Connection, topic: str) -> list[PositionRow]:
    """The last record taken of each partition of `topic`."""
    return [PositionRow(*row) for row in connection.execute(sa.select(positions).where(positions.c.topic == topic))]


def tracked(connection: sa.Connection) -> Iterator[tuple[bytes, str, Delivery]]:
    """Every delivery as (letter, recipient, state), for the audit's comparison."""
    reading = connection.execution_options(yield_per=_READ_ROWS)
    query = sa.select(letters.c.digest, deliveries).join(letters, letters.c.place == deliveries.c.letter)
    for digest, *row in reading.execute(query):
        delivery = DeliveryRow(*row)
        yield digest, delivery.recipient, delivery.delivery()


def _begins_with(prefix: str) -> sa.ColumnElement[bool]:
    """Digests from the first to the last that begins with `prefix`: one range of the key."""
    digits = 2 * DIGEST_BYTES
    first, last = bytes.fromhex(prefix.ljust(digits, "0")), bytes.fromhex(prefix.ljust(digits, "f"))
    return letters.c.digest.between(first, last)


def is_sayable(text: str) -> bool:
    """Whether a database takes this for text at all; what it does not take, no row has."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def letter_of(row: LetterRow) -> Letter:
    """The letter that a row says."""
    return Letter(
        digest=row.digest,
        sender=row.sender,
        message_id=row.message_id,
        consignment_id=row.consignment_id,
        kind=row.kind,
        urgency=row.urgency,
        access=row.access,
        conversation=row.conversation,
        in_reply_to=row.in_reply_to,
        reply_due=row.reply_due,
        document=Registration(row.document_id, row.reg_number, row.reg_date),
        items=row.items,
        size=row.size,
        created=moment(row.created),
        arrived=moment(row.arrived),
        decided=moment(row.decided),
        journalled=moment(row.journalled),
        reason=row.reason,
        detail=row.detail,
    )


def _steps(created: datetime, told: Iterable[FactRow], late: set[Position]) -> Iterator[Step]:
    before = created
    for fact in told:
        journalled = moment(fact.journalled)
        yield Step(
            event=fact.event,
            at=moment(fact.at),
            journalled=journalled,
            wait=max(journalled - before, timedelta()),
            reason=fact.reason,
            registration=Registration(number=fact.reg_number, date=fact.reg_date),
            text=fact.text,
            holds=position_at(fact.place) not in late,
        )
        before = journalled
