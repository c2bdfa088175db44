"""Deliveries listed by any filter, a page at a time, and counted.

A filter is cut into branches, one for each state and side, of which each is one walk along one index and
stops at the page's length; their heads are merged. So what a page costs does not depend on how many rows
the filter leaves, and no filter makes the database sort them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from exchange.domain.delivery import AWAITED, TABLE, State
from exchange.domain.statement import Urgency
from exchange.store.lists import MOST_COUNTED, MOST_SEEN, Counted, Cursor, DeliveryFilter, Order, Page
from exchange.store.queries.letters import is_sayable, letter_of, named
from exchange.store.rows import DeliveryRow, LetterRow, micros
from exchange.store.schema import AWAITED as SOMETHING
from exchange.store.schema import FAILING, letters
from exchange.store.schema import deliveries as table
from exchange.store.views import Listed

_ACTORS = {rule.state: rule.next for rule in TABLE.values()}
_FAILING = frozenset(rule.state for rule in TABLE.values() if rule.negative)
_MOST_NAMED = 1_000

Condition = sa.ColumnElement[bool]
_JOINED = sa.join(table, letters, table.c.letter == letters.c.place)

# As the partial indexes have them.
_REASONED = table.c.reason != sa.literal_column("''")
_LATE = table.c.late != sa.literal_column("''")
_IN_TIME = table.c.late == sa.literal_column("''")
_OVERDUE = table.c.overdue != sa.literal_column("0")
_NOT_OVERDUE = table.c.overdue == sa.literal_column("0")
_URGENT = letters.c.urgency != sa.literal_column(f"'{Urgency.ROUTINE}'")


@dataclass(frozen=True, slots=True)
class _Walk:
    """An index to walk along: what orders it, and whether from the top down."""

    key: sa.ColumnElement[int]
    place: sa.ColumnElement[int]
    down: bool

    @property
    def order(self) -> list[sa.ColumnElement[Any]]:
        columns = (self.key, self.place, table.c.recipient)
        return [column.desc() if self.down else column.asc() for column in columns]

    def behind(self, cursor: Cursor) -> Condition:
        """Rows that come after the cursor's."""
        row = sa.tuple_(self.key, self.place, table.c.recipient)
        last = sa.tuple_(sa.literal(cursor.key), sa.literal(cursor.place), sa.literal(cursor.name))
        # Where the row is of two tables, only the second condition lets an index be entered in the middle.
        if self.down:
            return sa.and_(row < last, self.key <= cursor.key)
        return sa.and_(row > last, self.key >= cursor.key)


@dataclass(frozen=True, slots=True)
class _Branch:
    """Rows that one walk along one index finds, `source` the tables that they are of."""

    conditions: list[Condition]
    walk: _Walk
    source: sa.FromClause


def deliveries(connection: sa.Connection, wanted: DeliveryFilter, after: Cursor | None, limit: int) -> Page[Listed]:
    """A page of the deliveries that a filter leaves, with their letters.

    Args:
        connection: of `Store.reading`.
        wanted: which, in which order.
        after: where the page before ended; None for the first.
        limit: at most so many.
    """
    branches = list(_branches(connection, wanted))
    if not branches:
        return Page((), None)
    heads, filters = [], list(_filters(wanted))
    for branch in branches:
        walk = branch.walk
        conditions = [*branch.conditions, *filters, *([] if after is None else [walk.behind(after)])]
        head = sa.select(table.c.letter, table.c.recipient, walk.key.label("key")).select_from(branch.source)
        heads.append(head.where(*conditions).order_by(*walk.order).limit(limit + 1))
    found = heads[0].subquery() if len(heads) == 1 else _merged(heads).subquery()
    order, down = [found.c.key, found.c.letter, found.c.recipient], branches[0].walk.down
    query = (
        sa.select(found.c.key, table, letters)
        .select_from(found)
        .join(table, sa.and_(table.c.letter == found.c.letter, table.c.recipient == found.c.recipient))
        .join(letters, letters.c.place == found.c.letter)
        .order_by(*(column.desc() if down else column.asc() for column in order))
        .limit(limit + 1)
    )
    rows = connection.execute(query).all()
    return Page(tuple(_listed(row) for row in rows[:limit]), _next(wanted.order, rows, limit))


def count(connection: sa.Connection, wanted: DeliveryFilter, most: int = MOST_COUNTED) -> Counted:
    """How many deliveries a filter leaves, counted no further than `most`.

    So a list of millions costs no more than a short one. Nor does it when few of its rows fit: at most `MOST_SEEN` rows
    of an index are looked at for what the index does not know; how many fit among the others is not known.

    Args:
        connection: of `Store.reading`.
        wanted: which.
        most: a longer list is "more than" so many.
    """
    filters = list(_filters(wanted))
    number, is_cut = 0, False
    for branch in _branches(connection, wanted):
        left = most + 1 - number
        rows = sa.select((sa.and_(*filters) if filters else sa.true()).label("fits")).select_from(branch.source)
        looked_at = rows.where(*branch.conditions).limit(max(left, MOST_SEEN) if filters else left)
        # Not all may fit: in the page's order it is the page's walk, without one what the database likes to read first.
        some = (looked_at.order_by(*branch.walk.order[:1]) if filters else looked_at).subquery()
        fitting, looked = connection.execute(sa.select(sa.func.count().filter(some.c.fits), sa.func.count())).one()
        number, is_cut = number + fitting, is_cut or (bool(filters) and looked == max(left, MOST_SEEN))
        if number > most:
            return Counted(most, more=True)
    return Counted(number, more=is_cut)


def counted(connection: sa.Connection, wanted: DeliveryFilter, after: Cursor | None, page: Page[Listed]) -> Counted:
    """How long a list is, of which the page behind `after` was read: a page that is all of it says so itself."""
    return Counted(len(page.items)) if after is None and page.after is None else count(connection, wanted)


def states_of(wanted: DeliveryFilter) -> frozenset[State] | None:
    """The states that a filter leaves; None for any."""
    states = frozenset(wanted.states or State)
    if wanted.next is not None:
        states &= {state for state, actor in _ACTORS.items() if actor is wanted.next}
    if wanted.stage is not None:
        states &= {state for state, stage in AWAITED.items() if stage is wanted.stage}
    return None if states == frozenset(State) else states


def _branches(connection: sa.Connection, wanted: DeliveryFilter) -> Iterator[_Branch]:
    if not all(is_sayable(text) for text in _texts(wanted)):
        return
    named_letters = []
    if wanted.text:
        places = [row.place for row in named(connection, wanted.text, _MOST_NAMED)]
        named_letters.append(table.c.letter.in_(places))
    states = states_of(wanted)
    each: list[list[Condition]] = [[]]
    if states is not None:
        each = [[table.c.state == state.value] for state in sorted(states)]
    for side in _sides(wanted):
        of_letters = _is_of_letters(side)
        walk = _walk(side, of_letters=of_letters)
        common = [*_indexed(side, of_letters=of_letters), *named_letters, *_from_others(wanted, side)]
        for state in each:
            yield _Branch([*common, *state], walk, _JOINED if of_letters or _asks_of_letters(side) else table)


def _sides(wanted: DeliveryFilter) -> list[DeliveryFilter]:
    """Letters of the body, and those to it from others: no index has both. One side where the filter names it."""
    if wanted.body is None or wanted.body in {wanted.sender, wanted.recipient}:
        return [wanted]
    sent = [] if wanted.sender is not None else [replace(wanted, sender=wanted.body)]
    return sent + ([] if wanted.recipient is not None else [replace(wanted, recipient=wanted.body)])


def _from_others(wanted: DeliveryFilter, side: DeliveryFilter) -> list[Condition]:
    """On the recipient's side of a body, that the letter is not on the sender's as well."""
    is_second = wanted.body is not None and side.recipient != wanted.recipient and wanted.sender is None
    return [table.c.sender != wanted.body] if is_second else []


def _indexed(wanted: DeliveryFilter, *, of_letters: bool) -> Iterator[Condition]:
    """What is asked that an index knows."""
    if wanted.sender is not None and of_letters:
        yield letters.c.sender == wanted.sender
        yield _URGENT  # of these letters a sender has an index
    elif wanted.sender is not None:
        yield table.c.sender == wanted.sender
    if wanted.recipient is not None:
        yield table.c.recipient == wanted.recipient
    yield from _indexed_of_course(wanted, of_letters=of_letters)


def _indexed_of_course(wanted: DeliveryFilter, *, of_letters: bool) -> Iterator[Condition]:
    """The same of times and of what became of the delivery."""
    if wanted.reason is not None:
        yield table.c.reason == wanted.reason
        yield _REASONED
    age = letters.c.journalled if of_letters else table.c.journalled
    if wanted.since is not None:
        yield age >= micros(wanted.since)
    if wanted.until is not None:
        yield age < micros(wanted.until)
    if wanted.late and not _names_body(wanted):
        yield _LATE
    if wanted.overdue:
        yield _OVERDUE
    if wanted.stage is not None or wanted.order is Order.LONGEST_WAITING:
        yield SOMETHING
    if wanted.moved is not None and _is_failing(wanted):
        yield FAILING  # of these an index knows since when
        yield table.c.since >= micros(wanted.moved)


def _filters(wanted: DeliveryFilter) -> Iterator[Condition]:
    """What is asked that no index knows."""
    columns = {letters.c.kind: wanted.kind, letters.c.urgency: wanted.urgency}
    for column, value in columns.items():
        if value is not None:
            yield column == value
    if wanted.late and _names_body(wanted):
        yield _LATE  # a body's own index is the shorter way
    if wanted.late is False:
        yield _IN_TIME
    if wanted.overdue is False:
        yield _NOT_OVERDUE
    if wanted.moved is not None and not _is_failing(wanted):
        yield table.c.since >= micros(wanted.moved)


def _is_failing(wanted: DeliveryFilter) -> bool:
    states = states_of(wanted)
    return states is not None and states <= _FAILING


def _names_body(wanted: DeliveryFilter) -> bool:
    return any(body is not None for body in (wanted.sender, wanted.recipient, wanted.body))


def _texts(wanted: DeliveryFilter) -> list[str]:
    said = (wanted.sender, wanted.recipient, wanted.body, wanted.reason, wanted.kind, wanted.urgency, wanted.text)
    return [text for text in said if text]


def _is_of_letters(wanted: DeliveryFilter) -> bool:
    """Whether the letters' indexes find the rows: nothing is asked that only their deliveries know."""
    asked = (wanted.recipient, wanted.reason, wanted.moved, states_of(wanted), wanted.text or None)
    is_few = bool(wanted.late or wanted.overdue)
    is_known = wanted.sender is None or wanted.urgency not in {None, Urgency.ROUTINE}
    return all(one is None for one in asked) and not is_few and wanted.order is Order.YOUNGEST and is_known


def _asks_of_letters(wanted: DeliveryFilter) -> bool:
    return wanted.kind is not None or wanted.urgency is not None


def _walk(wanted: DeliveryFilter, *, of_letters: bool) -> _Walk:
    if wanted.order is Order.LONGEST_WAITING:
        return _Walk(table.c.since, table.c.letter, down=False)
    # By the time in the table whose index finds the rows, nothing is sorted.
    if of_letters:
        return _Walk(letters.c.journalled, letters.c.place, down=True)
    return _Walk(table.c.journalled, table.c.letter, down=True)


def _merged(heads: list[sa.Select[Any]]) -> sa.CompoundSelect[Any]:
    return sa.union_all(*(sa.select(head.subquery()) for head in heads))


def _next(order: Order, rows: list[Any] | Any, limit: int) -> Cursor | None:
    if len(rows) <= limit:
        return None
    key, letter, recipient = rows[limit - 1][:3]
    return Cursor(order, key, letter, recipient)


def _listed(row: Any) -> Listed:
    width = 1 + len(DeliveryRow._fields)
    delivery = DeliveryRow(*row[1:width])
    return Listed(letter_of(LetterRow(*row[width:])), delivery.recipient, delivery.delivery())
