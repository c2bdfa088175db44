"""Sign-ins that failed, counted by what tried: an account, an address, a known browser.

An attempt counts before its password is looked at, and is given back when the password was right: a
thousand attempts at the same moment are a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from exchange.store.desk.inserting import insert_new, put
from exchange.store.desk.schema import attempts
from exchange.store.rows import micros


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one subject may fail.

    Attributes:
        subject: digest of what is counted.
        free: failures without any wait.
        longest: no wait is longer, so nobody is locked out for ever.
        forgotten: after so long without a failure, all are forgotten.
    """

    subject: bytes
    free: int
    longest: timedelta
    forgotten: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures: a second, then twice as long each time."""
        if failures <= self.free:
            return timedelta()
        doublings = min(failures - self.free - 1, 30)
        return min(timedelta(seconds=2**doublings), self.longest)


def count(connection: sa.Connection, limits: Sequence[Limit], now: datetime) -> timedelta:
    """Count an attempt as failed; returns how long it must wait first, and then nothing was counted.

    Args:
        connection: in a transaction that writes.
        limits: of everything that the attempt is counted for.
        now: the present time.
    """
    limits = sorted(limits, key=lambda limit: limit.subject)  # in one order: nobody waits for who waits for him
    rows = [_row(connection, limit, now) for limit in limits]
    wait = max((timedelta(microseconds=until - micros(now)) for _, until in rows), default=timedelta())
    if wait > timedelta():
        return wait
    for limit, (failures, _) in zip(limits, rows, strict=True):
        until = now + limit.wait(failures + 1)
        put(connection, attempts, _values(limit.subject, failures + 1, now, until))
    oldest = micros(now - max((limit.forgotten for limit in limits), default=timedelta()))
    connection.execute(sa.delete(attempts).where(attempts.c.last < oldest))
    return timedelta()


def forget(connection: sa.Connection, limit: Limit) -> None:
    """The attempt was right after all: begin anew."""
    connection.execute(sa.delete(attempts).where(attempts.c.subject == limit.subject))


def uncount(connection: sa.Connection, limit: Limit) -> None:
    """One attempt less; whoever has one account must not be able to clear its address of all others."""
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.subject == limit.subject, attempts.c.failures > 0)
        .values(failures=attempts.c.failures - 1, until=0)
    )


def _row(connection: sa.Connection, limit: Limit, now: datetime) -> tuple[int, int]:
    insert_new(connection, attempts, _values(limit.subject, 0, now, now))  # what is not there cannot be locked
    query = sa.select(attempts).where(attempts.c.subject == limit.subject).with_for_update()
    row = connection.execute(query).first()
    if row is None or row.last < micros(now - limit.forgotten):
        return 0, 0
    return row.failures, row.until


def _values(subject: bytes, failures: int, now: datetime, until: datetime) -> dict[str, object]:
    return {"subject": subject, "failures": failures, "last": micros(now), "until": micros(until)}
