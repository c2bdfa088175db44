"""Tallies of each day, route and service: what would need millions of rows for one picture.

A month's tallies are a function of the deliveries that began in it, counted anew whenever one of them changed:
never added to, so nothing can be counted twice or be forgotten, and SQLite, PostgreSQL and a rebuild come to the
same. Which months changed is told by the facts behind `tallied`, the positions up to which they were counted.
The month that letters begin in now is counted more often than all that changed: replies and lateness change those
before by little, and each costs as much.
The fold pays nothing for it, and trackers that share a database never wait for each other over a row of them.

Of deliveries that were put away, what they came to is kept in tables of the same form (`move`), and is added.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from exchange.store import bulk
from exchange.store.measures import counted, durations, kept
from exchange.store.months import DAY_MICROS, ZONE_MICROS, month_of_day, window_of
from exchange.store.overviews import Month
from exchange.store.rows import first_place, micros
from exchange.store.schema import (
    archived_days,
    archived_routes,
    archived_services,
    deliveries,
    facts,
    letters,
    positions,
    tallied,
    tally_days,
    tally_routes,
    tally_services,
)

_COUNTS = 0x65786604
_FEW_FACTS = 500_000
_WORK_MB = 64
_JOINED = sa.join(letters, deliveries, deliveries.c.letter == letters.c.place)
_AWAY = {tally_days: archived_days, tally_routes: archived_routes, tally_services: archived_services}

Reached = Mapping[int, int]


def may_count(connection: sa.Connection) -> bool:
    """Whether no other process counts; in the caller's transaction, to whose end this one then does."""
    if not bulk.is_postgresql(connection):
        return True
    return bool(connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s, 0)", (_COUNTS,)).scalar_one())


def reached(connection: sa.Connection, topic: str) -> Reached:
    """How far each partition was taken."""
    query = sa.select(positions.c.partition, positions.c.position).where(positions.c.topic == topic)
    return {row.partition: row.position for row in connection.execute(query)}


def changed(connection: sa.Connection, end: Reached, since: Reached | None = None) -> list[Month]:
    """Months that have deliveries which changed behind `since`, up to `end`; else since all were counted."""
    stored = {row.partition: row.position for row in connection.execute(sa.select(tallied))}
    done = stored if since is None else since
    behind = {partition: done.get(partition, -1) for partition, last in end.items() if done.get(partition, -1) < last}
    if sum(end[partition] - after for partition, after in behind.items()) > _FEW_FACTS:
        days = _all_days(connection)
    else:
        days = {
            day for partition, after in behind.items() for day in _days(connection, partition, after, end[partition])
        }
    return sorted({month_of_day(day) for day in days}, key=str)


def count(connection: sa.Connection, month: Month) -> None:
    """Count a month anew; in the caller's transaction."""
    if bulk.is_postgresql(connection):
        connection.exec_driver_sql(f"SET LOCAL work_mem = '{_WORK_MB}MB'")  # a month's routes, without a file
    for tally, away in _AWAY.items():
        connection.execute(sa.delete(tally).where(*_of(tally, month)))
        _add(connection, tally, _counted(tally, month).where(*_began(tally, month)))
        _add(connection, tally, sa.select(away).where(*_of(away, month)))


def move(connection: sa.Connection, month: Month, places: Collection[int], sign: int) -> None:
    """Keep what deliveries of a month come to, that are about to be deleted, or forget it as they come back.

    Args:
        connection: in the caller's transaction; they are in the tables.
        month: in which the letters began.
        places: of their letters.
        sign: 1 as they are put away, -1 as they come back.
    """
    for tally, away in _AWAY.items():
        rows = _counted(tally, month).where(deliveries.c.letter.in_(places)).subquery()
        _add(connection, away, sa.select(*(one if one.name in _keys(tally) else one * sign for one in rows.columns)))


def note(connection: sa.Connection, end: Reached) -> None:
    """Keep that everything up to `end` was counted."""
    connection.execute(sa.delete(tallied))
    bulk.insert(connection, tallied, sorted(end.items()))


def _of(table: sa.Table, month: Month) -> list[sa.ColumnElement[bool]]:
    """The rows of a month."""
    if "day" not in table.columns:
        return [table.c.month == str(month)]
    window = window_of(month)
    first, last = ((micros(edge) + ZONE_MICROS) // DAY_MICROS for edge in (window.since, window.until))
    return [table.c.day >= first, table.c.day < last]


def _began(tally: sa.Table, month: Month) -> list[sa.ColumnElement[bool]]:
    """Deliveries of a month; where letters are looked at as well, said of both: both are found by it."""
    window = window_of(month)
    tables = (deliveries, letters) if tally is tally_services else (deliveries,)
    columns = [table.c.journalled for table in tables]
    return [
        *(column >= micros(window.since) for column in columns),
        *(column < micros(window.until) for column in columns),
    ]


def _keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _counted(tally: sa.Table, month: Month) -> sa.Select[Any]:
    """What deliveries of a month come to, in the columns of a tally."""
    columns: dict[sa.Table, tuple[Sequence[sa.ColumnElement[Any]], Sequence[sa.ColumnElement[Any]]]] = {
        tally_days: ([_day(deliveries).label("day")], counted()),
        tally_routes: ([deliveries.c.sender, deliveries.c.recipient], [*counted(), *durations()]),
        tally_services: ([deliveries.c.recipient, letters.c.kind], [*counted(), *kept(), *durations()]),
    }
    keys, counts = columns[tally]
    named = [] if tally is tally_days else [sa.literal(str(month)).label("month")]
    selected = zip(tally.columns, [*named, *keys, *counts], strict=True)
    source = _JOINED if tally is tally_services else deliveries
    return sa.select(*(one.label(column.name) for column, one in selected)).select_from(source).group_by(*keys)


def _add(connection: sa.Connection, tally: sa.Table, rows: sa.Select[Any]) -> None:
    """Add rows to those of the same keys."""
    inserting = (postgresql if bulk.is_postgresql(connection) else sqlite).insert(tally)
    names, keys = list(tally.columns.keys()), _keys(tally)
    # Without a condition SQLite takes ON CONFLICT for a join's.
    adding = inserting.from_select(names, rows.where(sa.true()))
    sums = {name: tally.c[name] + adding.excluded[name] for name in names if name not in keys}
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=sums))


def _days(connection: sa.Connection, partition: int, after: int, last: int) -> list[int]:
    query = (
        sa.select(_day(letters))
        .select_from(sa.join(facts, letters, letters.c.place == facts.c.letter))
        .where(facts.c.place >= first_place(partition, after + 1), facts.c.place < first_place(partition, last + 1))
        .distinct()
    )
    return list(connection.execute(query).scalars())


def _all_days(connection: sa.Connection) -> set[int]:
    edges = sa.select(sa.func.min(letters.c.journalled), sa.func.max(letters.c.journalled))
    first, last = connection.execute(edges).one()
    if first is None:
        return set()
    return set(range((first + ZONE_MICROS) // DAY_MICROS, (last + ZONE_MICROS) // DAY_MICROS + 1))


def _day(table: sa.Table) -> sa.ColumnElement[int]:
    """The number of the day on which a row's letter began."""
    zone, day = (sa.literal_column(str(one), sa.BigInteger) for one in (ZONE_MICROS, DAY_MICROS))
    return (table.c.journalled + zone) // day
