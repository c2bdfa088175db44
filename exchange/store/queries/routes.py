"""Sender × recipient: volume, lateness, percentiles."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from exchange.store.measures import both, counted, durations
from exchange.store.months import months_within
from exchange.store.overviews import Route, Window
from exchange.store.rows import micros
from exchange.store.schema import deliveries, tally_routes

_LARGE = 4
COUNTED_AT_ONCE = timedelta(days=2)
"""A window that is no longer is counted from its deliveries, any other from the tallies of its months."""


def routes(connection: sa.Connection, window: Window, limit: int, body: str | None = None) -> list[Route]:
    """The routes with the most deliveries that began in the window, the largest first.

    Args:
        connection: of `Store.reading`.
        window: of when the journal took the letters; one of more than two days is widened to whole calendar months,
            of which a route that is in none among the four times `limit` largest is left out.
        limit: at most so many routes.
        body: only from or to this one.
    """
    is_short = window.until - window.since <= COUNTED_AT_ONCE
    query = _counted(window, body) if is_short else _summed(window, limit, body)
    return [_route(row) for row in connection.execute(query.limit(limit))]


def _counted(window: Window, body: str | None) -> sa.Select[Any]:
    volume, *others = counted()
    key = (deliveries.c.sender, deliveries.c.recipient)
    query = (
        sa.select(*key, volume, *others, *durations())
        .where(deliveries.c.journalled >= micros(window.since), deliveries.c.journalled < micros(window.until))
        .group_by(*key)
        .order_by(volume.desc(), *key)
    )
    return query if body is None else query.where(sa.or_(*(column == body for column in key)))


def _summed(window: Window, limit: int, body: str | None) -> sa.Select[Any]:
    months = [str(month) for month in months_within(window)]
    key = (tally_routes.c.sender, tally_routes.c.recipient)
    named = [column for column in tally_routes.columns if not column.primary_key]
    if len(months) == 1:
        # Without a sum the index by volume gives the largest first.
        query = sa.select(*key, *named).where(tally_routes.c.month == months[0])
        volume: sa.ColumnElement[int] = tally_routes.c.volume
    else:
        volume, *others = (sa.func.sum(column) for column in named)
        query = sa.select(*key, volume, *others).where(tally_routes.c.month.in_(months)).group_by(*key)
        if body is None:
            query = query.where(sa.tuple_(*key).in_(_large(months, _LARGE * limit)))
    query = query.order_by(volume.desc(), *key)
    return query if body is None else query.where(sa.or_(*(column == body for column in key)))


def _large(months: list[str], number: int) -> sa.CompoundSelect[Any]:
    """The routes among which the largest of all months are looked for: the largest of each."""
    key = (tally_routes.c.sender, tally_routes.c.recipient)
    each = (
        sa.select(*key).where(tally_routes.c.month == month).order_by(tally_routes.c.volume.desc()).limit(number)
        for month in months
    )
    return sa.union_all(*(sa.select(one.subquery()) for one in each))


def _route(row: Sequence[Any]) -> Route:
    sender, recipient, volume, late, failed, *times = row
    delivery, registration = both([int(number) for number in times])
    return Route(sender, recipient, int(volume), int(late), int(failed), delivery, registration)
