"""How the exchange is now."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from exchange.domain.deadline import Stage
from exchange.domain.delivery import TABLE, Actor, State
from exchange.domain.paper import day_of
from exchange.store.months import number_of
from exchange.store.overviews import Budget, Now, Window
from exchange.store.queries.bodies import oldest, silent
from exchange.store.rows import micros
from exchange.store.schema import AWAITED, FAILING, SETTLED, deliveries, flags, tally_days

OLDEST = 10
LATELY = timedelta(days=7)
"""A letter that was turned away for good is shown for so long: its sender must act, and nobody sees if it does."""

_HOUR = timedelta(hours=1)
_ACTORS = {rule.state: rule.next for rule in TABLE.values()}
_FAILING = frozenset(rule.state for rule in TABLE.values() if rule.negative)


def now(connection: sa.Connection, at: datetime, today: Window, body: str | None = None) -> Now:
    """How the exchange is.

    Args:
        connection: of `Store.reading`.
        at: the present.
        today: the day it belongs to, in the exchange's time zone.
        body: only what concerns this one.
    """
    states: Counter[State] = Counter()
    stages: Counter[Stage] = Counter()
    overdue: Counter[Stage] = Counter()
    failing: Counter[Actor] = Counter()
    for state, stage, late, number in _awaited(connection, body):
        states[state] += number
        stages[stage] += number
        if late:
            overdue[stage] += number
        if state in _FAILING:
            failing[_ACTORS[state]] += number
    for state, number in _turned_away(connection, at, body):
        states[state] += number
        failing[_ACTORS[state]] += number
    return Now(
        states=states,
        stages=stages,
        overdue=overdue,
        failing=failing,
        oldest=tuple(oldest(connection, OLDEST, body)),
        flags=_flags(connection, at, body),
        budget=_budget(connection, today, body),
        silent=tuple(one for one in silent(connection, at) if body in {None, one.body}),
    )


def _awaited(connection: sa.Connection, body: str | None) -> list[tuple[State, Stage, bool, int]]:
    key = (deliveries.c.state, deliveries.c.stage, deliveries.c.overdue)
    query = sa.select(*key, sa.func.count()).where(AWAITED, *_of(body)).group_by(*key)
    rows = connection.execute(query)
    return [(State(state), Stage(stage), bool(late), number) for state, stage, late, number in rows]


def _turned_away(connection: sa.Connection, at: datetime, body: str | None) -> list[tuple[State, int]]:
    recent = deliveries.c.since >= micros(at - LATELY)
    query = sa.select(deliveries.c.state, sa.func.count()).where(FAILING, SETTLED, recent, *_of(body))
    return [(State(state), number) for state, number in connection.execute(query.group_by(deliveries.c.state))]


def _flags(connection: sa.Connection, at: datetime, body: str | None) -> Mapping[str, int]:
    query = sa.select(flags.c.code, sa.func.count()).where(flags.c.journalled >= micros(at - _HOUR))
    if body is not None:
        query = query.where(flags.c.body == body)
    return {row[0]: row[1] for row in connection.execute(query.group_by(flags.c.code))}


def _budget(connection: sa.Connection, today: Window, body: str | None) -> Budget:
    day = day_of(today.since)
    if body is None:
        tally = connection.execute(sa.select(tally_days).where(tally_days.c.day == number_of(day))).first()
        return Budget(day, 0, 0) if tally is None else Budget(day, tally.volume, tally.late)
    late = sa.func.count().filter(deliveries.c.late != sa.literal_column("''"))
    first, last = micros(today.since), micros(today.until)
    volumes = lates = 0
    began = sa.and_(deliveries.c.journalled >= first, deliveries.c.journalled < last)
    sent = sa.and_(deliveries.c.sender == body, began)
    got = sa.and_(deliveries.c.recipient == body, deliveries.c.sender != body, began)
    for side in (sent, got):
        volume, number = connection.execute(sa.select(sa.func.count(), late).where(side)).one()
        volumes, lates = volumes + volume, lates + number
    return Budget(day, volumes, lates)


def _of(body: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if body is None else [sa.or_(deliveries.c.sender == body, deliveries.c.recipient == body)]
