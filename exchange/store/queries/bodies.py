"""Each body: its last word, whether it fell silent, what waits."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from exchange.domain.delivery import State
from exchange.store.months import months_within
from exchange.store.overviews import BodySummary, Oldest, Silence, Window
from exchange.store.rows import micros, moment
from exchange.store.schema import AWAITED, FAILING, deliveries, letters, spoken, tally_routes

_SILENCE = timedelta(days=1)
"""Who says nothing for so long, but did in as long a time a week before, fell silent."""
UNFETCHED = timedelta(minutes=1)
"""An agent fetches within seconds: whose letters wait for longer, and who says nothing for longer, is not there."""

_WEEK = timedelta(days=7)


def bodies_last_seen(connection: sa.Connection, bodies: Collection[str] | None = None) -> dict[str, datetime]:
    """When the journal took the last word of each of these bodies that ever spoke, to the minute; None: of all."""
    query = sa.select(spoken.c.body, sa.func.max(spoken.c.at)).group_by(spoken.c.body)
    if bodies is not None:
        query = query.where(spoken.c.body.in_(bodies))
    return {body: moment(last) for body, last in connection.execute(query)}


def last_word(connection: sa.Connection, code: str) -> datetime | None:
    """When the journal took a body's last word, to the minute; None: it never spoke."""
    last = connection.execute(sa.select(sa.func.max(spoken.c.at)).where(spoken.c.body == code)).scalar_one()
    return None if last is None else moment(last)


def silent(connection: sa.Connection, now: datetime) -> list[Silence]:
    """Bodies of which nothing is heard; the longest first, those that never spoke before all.

    Either letters wait for them behind `UNFETCHED`, and they say nothing for as long; or they say nothing for
    `_SILENCE`, though they did in as long a time a week before.
    """
    last, waiting = bodies_last_seen(connection), {one.body: one for one in oldest(connection)}
    begin, end = now - _WEEK - _SILENCE, now - _SILENCE
    quiet = [body for body, at in last.items() if begin <= at < end]
    spoke = _spoke_within(connection, quiet, begin, now - _WEEK)
    found = {body: Silence(body, last[body], waiting.get(body)) for body in spoke}
    for body, one in waiting.items():
        if max(one.since, last.get(body, one.since)) < now - UNFETCHED:
            found[body] = Silence(body, last.get(body), one)
    return sorted(found.values(), key=lambda one: (one.last or moment(0), one.body))


def _spoke_within(connection: sa.Connection, bodies: Collection[str], since: datetime, until: datetime) -> list[str]:
    """Which of these bodies spoke then, as letters of that time tell: that they sent one, or fetched one."""
    if not bodies:
        return []
    times = micros(since), micros(until)
    each = sa.select(spoken.c.body).where(spoken.c.body.in_(bodies)).distinct().subquery()
    wrote = sa.exists().where(letters.c.sender == each.c.body, letters.c.journalled.between(*times))
    fetched = sa.exists().where(
        deliveries.c.recipient == each.c.body,
        deliveries.c.journalled.between(*times),
        deliveries.c.delivered != sa.literal_column("0"),
    )
    return list(connection.execute(sa.select(each.c.body).where(sa.or_(wrote, fetched))).scalars())


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
