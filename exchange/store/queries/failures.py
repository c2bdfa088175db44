"""What failed, by reason and route."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from exchange.domain.delivery import State
from exchange.store.overviews import FailureGroup, Window
from exchange.store.queries.letters import is_sayable
from exchange.store.rows import micros, moment
from exchange.store.schema import FAILING, deliveries, letters

SAMPLES = 2
_KEY = (deliveries.c.state, deliveries.c.reason, deliveries.c.sender, deliveries.c.recipient)


def failure_groups(
    connection: sa.Connection, window: Window, limit: int, body: str | None = None, reason: str = ""
) -> list[FailureGroup]:
    """Deliveries that came into a failing state in the window and are in it still; the largest groups first.

    Args:
        connection: of `Store.reading`.
        window: of when they failed, in the journal's time.
        limit: at most so many groups.
        body: only letters from or to this one.
        reason: only with this code; empty: with any.
    """
    if not is_sayable(reason):
        return []
    since, number = deliveries.c.since, sa.func.count()
    conditions = [FAILING, since >= micros(window.since), since < micros(window.until)]
    if body is not None:
        conditions.append(sa.or_(deliveries.c.sender == body, deliveries.c.recipient == body))
    if reason:
        conditions.append(deliveries.c.reason == reason)
    largest = (
        sa.select(*_KEY, number.label("number"), sa.func.min(since).label("first"), sa.func.max(since).label("last"))
        .where(*conditions)
        .group_by(*_KEY)
        .order_by(number.desc(), *_KEY)
        .limit(limit)
    )
    groups = connection.execute(largest).all()
    samples = _samples(connection, conditions, largest)
    return [
        FailureGroup(
            state=State(state),
            reason=reason,
            sender=sender,
            recipient=recipient,
            number=count,
            first=moment(first),
            last=moment(last),
            samples=tuple(digest for digest, _ in samples[state, reason, sender, recipient]),
            text=next((text for _, text in samples[state, reason, sender, recipient] if text), ""),
        )
        for state, reason, sender, recipient, count, first, last in groups
    ]


def _samples(
    connection: sa.Connection, conditions: list[sa.ColumnElement[bool]], largest: sa.Select[Any]
) -> dict[tuple[str, ...], list[tuple[bytes, str]]]:
    """Letters of each group, that which failed last and that which failed first: digests, and what was said of each.

    One walk along an index finds them; only then are the rows themselves looked at.
    """
    groups = largest.subquery()
    key, since = [groups.c[column.name] for column in _KEY], deliveries.c.since
    same = (one == column for one, column in zip(key, _KEY, strict=True))
    ends = (
        sa.select(*_KEY, since, deliveries.c.letter)
        .select_from(groups)
        .join(deliveries, sa.and_(*same, sa.or_(since == groups.c.last, since == groups.c.first)))
        .where(*conditions)
        .subquery()
    )
    own = sa.and_(deliveries.c.letter == ends.c.letter, deliveries.c.recipient == ends.c.recipient)
    query = (
        sa.select(*(ends.c[column.name] for column in _KEY), letters.c.digest, deliveries.c.text)
        .select_from(ends)
        .join(deliveries, own)
        .join(letters, letters.c.place == ends.c.letter)
        .order_by(ends.c.since.desc(), ends.c.letter)
    )
    samples: defaultdict[tuple[str, ...], list[tuple[bytes, str]]] = defaultdict(list)
    for *which, digest, text in connection.execute(query):
        found = samples[tuple(which)]
        if len(found) < SAMPLES:
            found.append((digest, text))
    return samples
