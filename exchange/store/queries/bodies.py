"""Each body: its last word, whether it fell silent, what waits."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from exchange.domain.delivery import State
from exchange.store.months import months_within
from exchange.store.overviews import BodySummary, Oldest, Silence, Window
from exchange.store.rows import micros, moment
from exchange.store.schema import AWAITED, FAILING, deliveries, letters, spoken, tally_routes

SILENCE = timedelta(days=1)
"""Who says nothing for so long, but did in as long a time a week before, fell silent."""
UNFETCHED = timedelta(minutes=1)
"""An agent fetches within seconds: whose letters wait for longer, and who says nothing for longer, is not there."""

_WEEK = timedelta(days=7)


def bodies_last_seen(connection: sa.Connection) -> dict[str, datetime]:
    """When the journal took the last word of each body that ever spoke, to the minute, by body code."""
    query = sa.select(spoken.c.body, sa.func.max(spoken.c.at)).group_by(spoken.c.body)
    return {body: moment(last) for body, last in connection.execute(query)}


def last_word(connection: sa.Connection, code: str) -> datetime | None:
    """When the journal took a body's last word, to the minute; None: it never spoke."""
    last = connection.execute(sa.select(sa.func.max(spoken.c.at)).where(spoken.c.body == code)).scalar_one()
    return None if last is None else moment(last)


def silent(connection: sa.Connection, now: datetime, span: timedelta = SILENCE) -> list[Silence]:
    """Bodies of which nothing is heard; the longest first, those that never spoke before all.

    Either letters wait for them behind `UNFETCHED`, and they say nothing for as long; or they say nothing for `span`,
    though they did in as long a time a week before.
    """
    last, waiting = bodies_last_seen(connection), {one.body: one for one in oldest(connection)}
    found = {body: Silence(body, last[body], waiting.get(body)) for body in _fell_silent(connection, now, span)}
    for body, one in waiting.items():
        if max(one.since, last.get(body, one.since)) < now - UNFETCHED:
            found[body] = Silence(body, last.get(body), one)
    return sorted(found.values(), key=lambda one: (one.last or moment(0), one.body))


def _fell_silent(connection: sa.Connection, now: datetime, span: timedelta) -> list[str]:
    """What they did a week before is told by the letters of that time: that they sent one, or fetched one."""
    begin, end = micros(now - _WEEK - span), micros(now - _WEEK)
    last = sa.func.max(spoken.c.at)
    quiet = (
        sa.select(spoken.c.body, last.label("last"))
        .group_by(spoken.c.body)
        .having(last < micros(now - span), last >= begin)
        .subquery()
    )
    wrote = sa.exists().where(letters.c.sender == quiet.c.body, letters.c.journalled.between(begin, end))
    fetched = sa.exists().where(
        deliveries.c.recipient == quiet.c.body,
        deliveries.c.journalled.between(begin, end),
        deliveries.c.delivered != sa.literal_column("0"),
    )
    query = sa.select(quiet.c.body).where(sa.or_(wrote, fetched))
    return list(connection.execute(query).scalars())


def oldest(connection: sa.Connection, limit: int | None = None, body: str | None = None) -> list[Oldest]:
    """Bodies with the oldest letters that they have not fetched, the oldest first."""
    since = sa.func.min(deliveries.c.journalled)
    query = (
        sa.select(deliveries.c.recipient, since, sa.func.count())
        .where(deliveries.c.state == State.ACCEPTED.value)
        .group_by(deliveries.c.recipient)
        .order_by(since, deliveries.c.recipient)
        .limit(limit)
    )
    if body is not None:
        query = query.where(deliveries.c.recipient == body)
    return [Oldest(code, moment(at), number) for code, at, number in connection.execute(query)]


def body_summary(connection: sa.Connection, code: str, window: Window) -> BodySummary:
    """One body as the exchange sees it.

    Args:
        connection: of `Store.reading`.
        code: its code; one that never spoke has an empty summary.
        window: of whose calendar months its volumes are.
    """
    sent, _ = _volume(connection, tally_routes.c.sender == code, window)
    received, late = _volume(connection, tally_routes.c.recipient == code, window)
    return BodySummary(
        body=code,
        last=last_word(connection, code),
        oldest=next(iter(oldest(connection, 1, code)), None),
        inbound=waiting(connection, deliveries.c.recipient == code),
        outbound=waiting(connection, deliveries.c.sender == code),
        received=received,
        sent=sent,
        late=late,
    )


def waiting(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Mapping[State, int]:
    """How many deliveries of which something is awaited are in each state; failed ones are awaited to be set right."""
    found: dict[State, int] = {}
    for condition in (AWAITED, FAILING):
        query = sa.select(deliveries.c.state, sa.func.count()).where(condition, *conditions)
        for state, number in connection.execute(query.group_by(deliveries.c.state)):
            found[State(state)] = number  # the same one in both: each counts every delivery in its state
    return found


def _volume(connection: sa.Connection, condition: sa.ColumnElement[bool], window: Window) -> tuple[int, int]:
    months = [str(month) for month in months_within(window)]
    columns = (sa.func.coalesce(sa.func.sum(tally_routes.c[name]), 0) for name in ("volume", "late"))
    volume, late = connection.execute(sa.select(*columns).where(tally_routes.c.month.in_(months), condition)).one()
    return int(volume), int(late)
