"""Deadlines in the tracker's tables: how far lanes have come, what is due, and what has passed.

`tick`, `overrun` and `reckon` write, in the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from exchange.domain.deadline import Matter, Stage, Terms
from exchange.domain.fact import JournalFact, TickFact
from exchange.domain.through import LaneReach, complete, ticked
from exchange.store import bulk
from exchange.store.rows import LaneRow, micros, moment, partition_of
from exchange.store.schema import deliveries, lanes, letters, overran, terms

RECKONED_AT_ONCE = 2_000
SAID_WITHIN = timedelta(days=30)
"""So long what ended after its time is still said: who reads years again by another policy tells nobody of them."""

_ZERO: sa.ColumnElement[int] = sa.literal_column("0")  # as the partial index has it
_PARTITION = partition_of(deliveries.c.letter)
_MATTER = (letters.c.sender, letters.c.kind, letters.c.urgency, letters.c.reply_due)

Place = tuple[int, str]
"""Key of a delivery: the letter's place and the recipient."""

Told = tuple[int, str, str]
"""Key of a row of `overran`: the letter's place, the recipient and the stage."""


class OverranRow(NamedTuple):
    """A row of `overran`."""

    letter: int
    recipient: str
    stage: str
    due: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A stage whose deadline has passed, and nobody has said so yet.

    Attributes:
        letter: its digest.
        through: up to when everything was known by then.
    """

    letter: bytes
    recipient: str
    stage: Stage
    due: datetime
    through: datetime
    matter: Matter


def tick(connection: sa.Connection, batch: Iterable[JournalFact]) -> None:
    """Keep how far each lane has come with the batch's ticks."""
    ticks = [fact for fact in batch if isinstance(fact, TickFact)]
    if not ticks:
        return
    stored = _reached(connection, {one.position.partition for one in ticks})
    reached = dict(stored)
    for one in ticks:
        key = (one.position.partition, one.lane)
        reached[key] = ticked(reached.get(key), one)
    bulk.insert(connection, lanes, [LaneRow.of(*key, reach) for key, reach in reached.items() if key not in stored])
    moved = [LaneRow.of(*key, reach) for key, reach in reached.items() if stored.get(key, reach) != reach]
    bulk.update(connection, lanes, moved)


def overrun(connection: sa.Connection, rows: Collection[OverranRow], said: Collection[Told]) -> None:
    """Keep what ended after its time, the first time that it did; what was said is not to be said any more."""
    if rows:
        adding = postgresql.insert(overran) if bulk.is_postgresql(connection) else sqlite.insert(overran)
        connection.execute(adding.on_conflict_do_nothing(), [row._asdict() for row in rows])
    if said:
        names = ("letter", "recipient", "stage")
        own = (overran.c[name] == sa.bindparam(f"of_{name}") for name in names)
        keys = [{f"of_{name}": value for name, value in zip(names, key, strict=True)} for key in said]
        connection.execute(sa.delete(overran).where(*own), keys)


def through(connection: sa.Connection, partitions: Collection[int], lanes_of_bodies: int) -> dict[int, datetime]:
    """Up to when each of these partitions is complete; one of which nobody knows is left out."""
    reached = _reached(connection, partitions)
    found = {}
    for partition in partitions:
        own = {lane: reach for (where, lane), reach in reached.items() if where == partition}
        if (until := complete(own, lanes_of_bodies)) is not None:
            found[partition] = until
    return found


def passed(connection: sa.Connection, until: Mapping[int, datetime], limit: int) -> list[Passed]:
    """What was due before its partition's time, the longest first: two walks along an index.

    It is still awaited, or came after its time before anybody had said so.

    Args:
        connection: of `Store.reading`.
        until: up to when each partition is complete.
        limit: at most so many.
    """
    if not until:
        return []
    awaited = _due_before(deliveries, until).where(deliveries.c.due != _ZERO, deliveries.c.overdue == _ZERO)
    since = micros(min(until.values()) - SAID_WITHIN)
    ended = _due_before(overran, until).where(overran.c.due > since)
    found = [row for query in (awaited, ended) for row in connection.execute(query.limit(limit))]
    return [
        Passed(digest, recipient, Stage(stage), moment(due), until[partition], _matter(matter))
        for digest, recipient, stage, due, partition, *matter in sorted(found, key=lambda row: row.due)[:limit]
    ]


def _due_before(table: sa.Table, until: Mapping[int, datetime]) -> sa.Select[Any]:
    """Rows of a table of deliveries' stages, the longest due first."""
    partition = partition_of(table.c.letter)
    edges = {number: micros(moment) for number, moment in until.items()}
    own = sa.case(*((sa.literal(number) == partition, edge) for number, edge in edges.items()), else_=0)
    return (
        sa.select(letters.c.digest, table.c.recipient, table.c.stage, table.c.due, partition, *_MATTER)
        .join(letters, letters.c.place == table.c.letter)
        .where(table.c.due < max(edges.values()), table.c.due < own)
        .order_by(table.c.due)
    )


def overdue(connection: sa.Connection) -> dict[Stage, int]:
    """How many deliveries are late at the stage that is awaited."""
    late = sa.select(deliveries.c.stage, sa.func.count()).where(deliveries.c.overdue != _ZERO)
    return {Stage(stage): number for stage, number in connection.execute(late.group_by(deliveries.c.stage))}


def is_reckoned(connection: sa.Connection, partitions: Collection[int], by: Terms) -> bool:
    """Whether what is due in these partitions was reckoned by these terms."""
    query = sa.select(terms.c.partition).where(terms.c.partition.in_(partitions), terms.c.digest == by.digest)
    return {row.partition for row in connection.execute(query)} >= set(partitions)


def reckon(connection: sa.Connection, partitions: Collection[int], by: Terms, after: Place | None) -> Place | None:
    """Reckon anew until when some deliveries must go on; those that went on before keep what was said of them.

    Args:
        connection: in the caller's transaction.
        partitions: of the journal.
        by: what is in force now.
        after: the last delivery that was looked at; None to begin.

    Returns:
        Where to go on; None when everything was looked at, and so noted.
    """
    query = (
        sa.select(deliveries.c.letter, deliveries.c.recipient, deliveries.c.stage, deliveries.c.began, deliveries.c.due)
        .add_columns(*_MATTER)
        .join(letters, letters.c.place == deliveries.c.letter)
        .where(deliveries.c.stage != "", _PARTITION.in_(partitions))
        .order_by(deliveries.c.letter, deliveries.c.recipient)
        .limit(RECKONED_AT_ONCE)
    )
    if after is not None:
        query = query.where(sa.tuple_(deliveries.c.letter, deliveries.c.recipient) > sa.tuple_(*map(sa.literal, after)))
    rows = connection.execute(query).all()
    changed = []
    for letter, recipient, stage, began, due, *matter in rows:
        until = by.due_or_none(Stage(stage), moment(began), _matter(matter), recipient)
        new = 0 if until is None else micros(until)
        if new != due:
            changed.append({"of_letter": letter, "of_recipient": recipient, "new": new})
    if changed:
        own = (deliveries.c.letter == sa.bindparam("of_letter"), deliveries.c.recipient == sa.bindparam("of_recipient"))
        connection.execute(sa.update(deliveries).where(*own).values(due=sa.bindparam("new")), changed)
    if len(rows) == RECKONED_AT_ONCE:
        return rows[-1].letter, rows[-1].recipient
    connection.execute(sa.delete(terms).where(terms.c.partition.in_(partitions)))
    connection.execute(sa.insert(terms), [{"partition": partition, "digest": by.digest} for partition in partitions])
    return None


def _reached(connection: sa.Connection, partitions: Collection[int]) -> dict[tuple[int, int], LaneReach]:
    """By partition and lane."""
    rows = connection.execute(sa.select(lanes).where(lanes.c.partition.in_(partitions)))
    return {(row.partition, row.lane): LaneRow(*row).reach() for row in rows}


def _matter(row: Any) -> Matter:
    sender, kind, urgency, reply_due = row
    return Matter(sender, kind, urgency, date.fromisoformat(reply_due) if reply_due else None)
