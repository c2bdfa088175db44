"""The service report of a month, by body and kind; and how many letters each day brought: from the tallies."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from exchange.domain.deadline import Stage
from exchange.domain.paper import day_of
from exchange.store.measures import both
from exchange.store.months import date_of, number_of
from exchange.store.overviews import DayOf, Month, Service, Total, Window
from exchange.store.queries.letters import is_sayable
from exchange.store.schema import tally_days, tally_services


def report(
    connection: sa.Connection,
    month: Month,
    body: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
    start: int = 0,
) -> list[Service]:
    """How letters that began in a month went, by recipient and kind; those with the most breaches first.

    Args:
        connection: of `Store.reading`.
        month: when they began.
        body: only letters to this one.
        kind: only this kind.
        limit: at most so many lines; None: all.
        start: so many lines are left out before.
    """
    query = sa.select(tally_services).where(*_lines(month, body, kind))
    ordered = query.order_by(tally_services.c.late.desc(), tally_services.c.body, tally_services.c.kind)
    return [_service(month, row) for row in connection.execute(ordered.limit(limit).offset(start))]


def report_total(connection: sa.Connection, month: Month, body: str | None = None, kind: str | None = None) -> Total:
    """What all lines of a month's report come to."""
    sums = (sa.func.coalesce(sa.func.sum(tally_services.c[name]), 0) for name in ("volume", "late", "failed"))
    row = connection.execute(sa.select(sa.func.count(), *sums).where(*_lines(month, body, kind))).one()
    return Total(*map(int, row))


def breaches(
    connection: sa.Connection,
    month: Month,
    allowed: float,
    limit: int,
    body: str | None = None,
    kind: str | None = None,
) -> list[Service]:
    """The lines of a month's report of which more than a share of the deliveries was late; the largest share first.

    Args:
        connection: of `Store.reading`.
        month: when they began.
        allowed: share that may be late, 0 to 1.
        limit: at most so many lines.
        body: only letters to this one.
        kind: only this kind.
    """
    late, volume = tally_services.c.late, tally_services.c.volume
    query = sa.select(tally_services).where(*_lines(month, body, kind), late > volume * sa.literal(allowed, sa.Float))
    worst = query.order_by((sa.cast(late, sa.Float) / volume).desc(), tally_services.c.body, tally_services.c.kind)
    return [_service(month, row) for row in connection.execute(worst.limit(limit))]


def days(connection: sa.Connection, window: Window) -> list[DayOf]:
    """How many deliveries began on each day that a window touches, the first day first, without empty days."""
    first, last = number_of(day_of(window.since)), number_of(day_of(window.until))
    query = sa.select(tally_days).where(tally_days.c.day >= first, tally_days.c.day <= last).order_by(tally_days.c.day)
    return [DayOf(date_of(row.day), row.volume, row.late, row.failed) for row in connection.execute(query)]


def _lines(month: Month, body: str | None, kind: str | None) -> list[sa.ColumnElement[bool]]:
    wanted = {tally_services.c.month: str(month), tally_services.c.body: body, tally_services.c.kind: kind}
    if not is_sayable(f"{body}{kind}"):
        return [sa.false()]
    return [column == value for column, value in wanted.items() if value is not None]


def _service(month: Month, row: Sequence[Any]) -> Service:
    _, body, kind, volume, breached, failed, on_time, *more = row
    stages, times = more[: len(Stage)], more[len(Stage) :]
    delivery, registration = both(times)
    return Service(
        month=month,
        body=body,
        kind=kind,
        volume=volume,
        on_time=on_time,
        late={stage: number for stage, number in zip(Stage, stages, strict=True) if number},
        breached=breached,
        failed=failed,
        delivery=delivery,
        registration=registration,
    )
