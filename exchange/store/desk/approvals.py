"""What one person asks for and a second person must say yes to before it is done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from exchange.store.desk.inserting import insert_new
from exchange.store.desk.schema import approvals
from exchange.store.rows import micros, moment


class Verdict(StrEnum):
    """What the second person said."""

    OPEN = ""
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a second person's word.

    Attributes:
        id: random; unique.
        action: what is to be done: `enrol`.
        about: to what: a body's code.
        summary: what exactly: the body's own request; empty when it came to the keepers only.
        person: who asks.
        reason: why.
        asked: when.
        second: who answered; empty while nobody has.
        verdict: the answer.
        remark: what the second person adds.
        decided: when; None while nobody has.
    """

    id: str
    action: str
    about: str
    summary: str
    person: str
    reason: str
    asked: datetime
    second: str = ""
    verdict: Verdict = Verdict.OPEN
    remark: str = ""
    decided: datetime | None = None


def ask(connection: sa.Connection, approval: Approval) -> bool:
    """Enter a request; False when its id is there already."""
    values = {
        "id": approval.id,
        "action": approval.action,
        "about": approval.about,
        "summary": approval.summary,
        "person": approval.person,
        "reason": approval.reason,
        "asked": micros(approval.asked),
        "second": "",
        "verdict": Verdict.OPEN.value,
        "remark": "",
        "decided": 0,
    }
    return insert_new(connection, approvals, values)


def find(connection: sa.Connection, approval: str) -> Approval | None:
    """The request of that id."""
    row = connection.execute(sa.select(approvals).where(approvals.c.id == approval)).mappings().first()
    return None if row is None else _approval(row)


def latest(connection: sa.Connection, action: str, about: str) -> Approval | None:
    """The last request for the same thing."""
    query = sa.select(approvals).where(approvals.c.action == action, approvals.c.about == about)
    row = connection.execute(query.order_by(approvals.c.asked.desc(), approvals.c.id).limit(1)).mappings().first()
    return None if row is None else _approval(row)


def listed(connection: sa.Connection, action: str, verdicts: Collection[Verdict], limit: int) -> tuple[Approval, ...]:
    """Requests with one of these answers, the last first; at most `limit`."""
    query = sa.select(approvals).where(
        approvals.c.action == action, approvals.c.verdict.in_([verdict.value for verdict in verdicts])
    )
    rows = connection.execute(query.order_by(approvals.c.asked.desc(), approvals.c.id).limit(limit)).mappings()
    return tuple(map(_approval, rows))


def decide(connection: sa.Connection, approval: str, second: str, verdict: Verdict, remark: str, now: datetime) -> bool:
    """Write the second person's word; False when it was answered before, or the first person answers."""
    query = sa.update(approvals).where(
        approvals.c.id == approval, approvals.c.verdict == Verdict.OPEN.value, approvals.c.person != second
    )
    values = {"second": second, "verdict": verdict.value, "remark": remark, "decided": micros(now)}
    return connection.execute(query.values(values)).rowcount > 0


def _approval(row: Any) -> Approval:
    return Approval(
        id=row["id"],
        action=row["action"],
        about=row["about"],
        summary=row["summary"],
        person=row["person"],
        reason=row["reason"],
        asked=moment(row["asked"]),
        second=row["second"],
        verdict=Verdict(row["verdict"]),
        remark=row["remark"],
        decided=moment(row["decided"]) if row["decided"] else None,
    )
