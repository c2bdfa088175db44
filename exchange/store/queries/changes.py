"""The stream of changes: what the journal told between two vectors of its positions.

A partition's facts and its position are written in one transaction, so what lies up to a position is
complete: a reader that goes on from its vector misses nothing and sees nothing twice, whatever process
answers, and also after the tables were rebuilt.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from exchange.domain.delivery import Actor, State
from exchange.store.lists import Vector
from exchange.store.overviews import Change
from exchange.store.rows import first_place, moment, position_at
from exchange.store.schema import deliveries, facts, letters, positions


def reached(connection: sa.Connection, topic: str) -> Vector:
    """How far each partition was taken."""
    query = sa.select(positions.c.partition, positions.c.position).where(positions.c.topic == topic)
    return Vector({row.partition: row.position for row in connection.execute(query)})


def changes(connection: sa.Connection, topic: str, after: Vector, limit: int) -> tuple[list[Change], Vector]:
    """What happened behind a vector, and the vector to go on from.

    Args:
        connection: of `Store.reading`.
        topic: the journal's.
        after: where to begin; a partition that it does not name begins at its first record.
        limit: about so many changes; a letter to many is never cut in two. When there may be more, the
            vector that comes back is not yet `reached`.
    """
    end = reached(connection, topic)
    taken = {partition: after.offsets.get(partition, -1) for partition in end.offsets}
    found: list[Change] = []
    for partition, last in end.offsets.items():
        if taken[partition] >= last:
            continue
        if len(found) >= limit:
            break
        some = list(_of(connection, partition, taken[partition], last, limit - len(found)))
        found += some
        taken[partition] = some[-1].offset if len(found) >= limit else last
    found.sort(key=lambda change: (change.journalled, change.partition, change.offset, change.recipient))
    return found, Vector({partition: offset for partition, offset in taken.items() if offset >= 0})


def _of(connection: sa.Connection, partition: int, after: int, last: int, limit: int) -> Iterator[Change]:
    """Changes of one partition in its order."""
    same = sa.or_(facts.c.recipient == "", facts.c.recipient == deliveries.c.recipient)
    query = (
        sa.select(
            facts.c.place,
            letters.c.digest,
            letters.c.sender,
            facts.c.event,
            facts.c.journalled,
            deliveries.c.recipient,
            deliveries.c.state,
            deliveries.c.since,
            deliveries.c.next,
            deliveries.c.reason,
            deliveries.c.late,
            deliveries.c.overdue,
            letters.c.kind,
            letters.c.urgency,
            letters.c.journalled.label("began"),
        )
        .join(letters, letters.c.place == facts.c.letter)
        .join(deliveries, sa.and_(deliveries.c.letter == facts.c.letter, same))
        .where(
            facts.c.place >= first_place(partition, after + 1),
            facts.c.place <= first_place(partition, last),
        )
        .order_by(facts.c.place, deliveries.c.recipient)
    )
    told, begun = 0, -1
    # Closed where the reading stops: PostgreSQL keeps the rest of the rows for whoever leaves it open.
    with connection.execution_options(yield_per=limit).execute(query) as rows:
        for row in rows:
            if told >= limit and row.place != begun:
                return
            told, begun = told + 1, row.place
            yield _change(row)


def _change(row: Any) -> Change:
    at = position_at(row.place)
    return Change(
        partition=at.partition,
        offset=at.offset,
        letter=row.digest,
        sender=row.sender,
        recipient=row.recipient,
        event=row.event,
        journalled=moment(row.journalled),
        state=State(row.state),
        since=moment(row.since),
        next=Actor(row.next),
        reason=row.reason,
        late=bool(row.late),
        overdue=bool(row.overdue),
        kind=row.kind,
        urgency=row.urgency,
        began=moment(row.began),
    )
