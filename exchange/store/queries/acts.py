"""What operators did and looked at: the audit trail, as the journal has it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from exchange.domain.fact import CommandFact
from exchange.store.lists import MOST_COUNTED, ActFilter, Counted, Cursor, Page
from exchange.store.queries.letters import is_sayable
from exchange.store.rows import ActRow, micros, moment
from exchange.store.schema import acts as table

ORDER = "acts"


def acts(connection: sa.Connection, wanted: ActFilter, after: Cursor | None, limit: int) -> Page[CommandFact]:
    """A page of what was done, youngest first.

    Args:
        connection: of `Store.reading`.
        wanted: which.
        after: where the page before ended; None for the first.
        limit: at most so many.
    """
    conditions = _conditions(wanted)
    if conditions is None:
        return Page((), None)
    query = sa.select(table).where(*conditions)
    if after is not None:
        last = sa.tuple_(sa.literal(after.key), sa.literal(after.place))
        query = query.where(sa.tuple_(table.c.journalled, table.c.place) < last)
    ordered = query.order_by(table.c.journalled.desc(), table.c.place.desc()).limit(limit + 1)
    rows = [ActRow(*row) for row in connection.execute(ordered)]
    more = len(rows) > limit
    following = Cursor(ORDER, rows[limit - 1].journalled, rows[limit - 1].place) if more else None
    return Page(tuple(row.fact() for row in rows[:limit]), following)


def count_acts(connection: sa.Connection, wanted: ActFilter) -> Counted:
    """How many acts a filter leaves, up to `MOST_COUNTED`."""
    conditions = _conditions(wanted)
    if conditions is None:
        return Counted(0)
    some = sa.select(table.c.place).where(*conditions).limit(MOST_COUNTED + 1).subquery()
    number = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return Counted(min(number, MOST_COUNTED), more=number > MOST_COUNTED)


def last_said(connection: sa.Connection, actions: Collection[str], words: str) -> datetime | None:
    """When the journal took the last act of one of these names whose detail has these words; None: there is none."""
    said = sa.select(sa.func.max(table.c.journalled)).where(
        table.c.action.in_(actions), table.c.detail.contains(words, autoescape=True)
    )
    last = connection.execute(said).scalar_one()
    return None if last is None else moment(last)


def _conditions(wanted: ActFilter) -> list[sa.ColumnElement[bool]] | None:
    """What a filter asks of a row; None when it is a text that no row can have."""
    columns: dict[sa.ColumnElement[Any], str | None] = {
        table.c.person: wanted.person,
        table.c.action: wanted.action,
        table.c.task: wanted.task,
        table.c.recipient: wanted.recipient,
    }
    texts = {column: text for column, text in columns.items() if text is not None}
    if not all(map(is_sayable, texts.values())):
        return None
    conditions = [column == text for column, text in texts.items()]
    if wanted.letter is not None:
        conditions.append(table.c.letter == wanted.letter)
    if wanted.since is not None:
        conditions.append(table.c.journalled >= micros(wanted.since))
    if wanted.until is not None:
        conditions.append(table.c.journalled < micros(wanted.until))
    return conditions
