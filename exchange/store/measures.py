"""What is counted of many deliveries at once: how many, how many late, and how long they took, as histograms.

The same columns are asked of the deliveries themselves and summed up from tallies. They are whole numbers and
comparisons only, so SQLite and PostgreSQL count the same.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from exchange.domain.deadline import Stage
from exchange.store.overviews import Percentiles
from exchange.store.schema import FAILING, SETTLED, SOUND, deliveries

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
DELIVERY_SECONDS = (1, 5, 30, 2 * _MINUTE, 10 * _MINUTE, _HOUR, 4 * _HOUR, _DAY, 3 * _DAY)
REGISTRATION_SECONDS = (10 * _MINUTE, _HOUR, 4 * _HOUR, 8 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY, 10 * _DAY)
"""Where each bucket of a histogram ends; the last one has no end."""

_MICROSECONDS = 1_000_000

Column = sa.ColumnElement[int]


def counted() -> list[Column]:
    """How many deliveries, how many of them late at any stage, how many in a failing state."""
    return [
        sa.func.count().label("volume"),
        _where(deliveries.c.late != sa.literal_column("''")).label("late"),
        _where(FAILING).label("failed"),
    ]


def kept() -> list[Column]:
    """How many are done with and never were late or failed; how many were late at each stage."""
    on_time = _where(sa.and_(SETTLED, deliveries.c.late == sa.literal_column("''"), SOUND))
    stages = [
        _where(deliveries.c.late.contains(stage.value)).label(f"late_{stage.value.replace('-', '_')}")
        for stage in Stage
    ]
    return [on_time.label("on_time"), *stages]


def durations() -> list[Column]:
    """Histograms of the time to the recipient's agent, and to the registration."""
    ends: list[tuple[str, sa.Column[int], Sequence[int]]] = [
        ("delivery", deliveries.c.delivered, DELIVERY_SECONDS),
        ("registration", deliveries.c.registered, REGISTRATION_SECONDS),
    ]
    return [column for name, end, bounds in ends for column in _histogram(name, end, bounds)]


def percentiles(counts: Sequence[int], bounds: Sequence[int]) -> Percentiles | None:
    """Of a histogram, by straight lines within its buckets; what lies in the last one is its beginning."""
    if not any(counts):
        return None
    p50, p95, p99 = (_reached(counts, bounds, share) for share in (0.5, 0.95, 0.99))
    return Percentiles(p50, p95, p99)


def both(row: Sequence[Any]) -> tuple[Percentiles | None, Percentiles | None]:
    """Percentiles of the time to the agent and to the registration, of what `durations` gives."""
    half = len(DELIVERY_SECONDS) + 1
    return percentiles(row[:half], DELIVERY_SECONDS), percentiles(row[half:], REGISTRATION_SECONDS)


def _histogram(name: str, end: sa.Column[int], bounds: Sequence[int]) -> list[Column]:
    took = end - deliveries.c.journalled
    edges = [None, *(seconds * _MICROSECONDS for seconds in bounds), None]
    columns: list[Column] = []
    for bucket, (least, most) in enumerate(pairwise(edges)):
        within = [end != sa.literal_column("0")]
        if least is not None:
            within.append(took >= sa.literal_column(str(least)))
        if most is not None:
            within.append(took < sa.literal_column(str(most)))
        columns.append(_where(sa.and_(*within)).label(f"{name}{bucket}"))
    return columns


def _where(condition: sa.ColumnElement[bool]) -> sa.FunctionFilter[int]:
    return sa.func.count().filter(condition)


def _reached(counts: Sequence[int], bounds: Sequence[int], share: float) -> timedelta:
    wanted, before = share * sum(counts), 0
    for index, number in enumerate(counts):
        if number and before + number >= wanted:
            begin = bounds[index - 1] if index else 0
            end = bounds[index] if index < len(bounds) else begin
            return timedelta(seconds=begin + (end - begin) * (wanted - before) / number)
        before += number
    return timedelta(seconds=bounds[-1])
