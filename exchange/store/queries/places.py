"""Where letters stand in the journal, and what was said about them behind a place."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from exchange.domain.delivery import State
from exchange.store.lists import Vector
from exchange.store.rows import micros, position_at
from exchange.store.schema import FAILING, deliveries, facts, letters

_AT_ONCE = 500

Value = TypeVar("Value")


class Told(NamedTuple):
    """That something happened to a delivery; `letter` is the letter's place."""

    letter: int
    recipient: str
    event: str
    reason: str


def places_of(connection: sa.Connection, wanted: Collection[bytes]) -> dict[bytes, int]:
    """The places of letters, by digest; those that the tracker does not know are left out."""
    found: dict[bytes, int] = {}
    for some in _cut(sorted(wanted)):
        query = sa.select(letters.c.digest, letters.c.place).where(letters.c.digest.in_(some))
        found |= {row.digest: row.place for row in connection.execute(query)}
    return found


def told_since(connection: sa.Connection, wanted: Collection[int], after: Vector) -> list[Told]:
    """What bodies said about letters behind a vector, in no particular order.

    Args:
        connection: of `Store.reading`.
        wanted: places of letters.
        after: how far each partition was taken; of one that it does not name everything counts.
    """
    found: list[Told] = []
    for some in _cut(sorted(wanted)):
        columns = (facts.c.place, facts.c.letter, facts.c.recipient, facts.c.event, facts.c.reason)
        query = sa.select(*columns).where(facts.c.letter.in_(some), facts.c.recipient != "")
        for place, *row in connection.execute(query):
            position = position_at(place)
            if position.offset > after.offsets.get(position.partition, -1):
                found.append(Told(*row))
    return found


def states_at(connection: sa.Connection, wanted: Collection[int]) -> dict[tuple[int, str], State]:
    """The states of the deliveries of letters, by the letter's place and recipient."""
    found: dict[tuple[int, str], State] = {}
    for some in _cut(sorted(wanted)):
        columns = (deliveries.c.letter, deliveries.c.recipient, deliveries.c.state)
        for letter, recipient, state in connection.execute(sa.select(*columns).where(deliveries.c.letter.in_(some))):
            found[letter, recipient] = State(state)
    return found


def failed_since(connection: sa.Connection, recipients: Collection[str], since: datetime) -> int:
    """How many deliveries to these bodies came into a failing state since then, and are in it still."""
    number = sa.select(sa.func.count()).where(FAILING, deliveries.c.since >= micros(since))
    cut = (number.where(deliveries.c.recipient.in_(some)) for some in _cut(sorted(recipients)))
    return sum(connection.execute(query).scalar_one() for query in cut)


def _cut(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """No database takes lists of any length."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
