"""How long live letters waited for the exchange: what their arrival and the journal's entry are apart."""

from datetime import datetime

import sqlalchemy as sa

from exchange.store.rows import micros, moment
from exchange.store.schema import acts, letters

_AT_MOST = 5_000


def taken_up_to(connection: sa.Connection) -> datetime | None:
    """When the journal took the youngest letter or act that the tracker knows; None without any."""
    youngest = [
        connection.execute(sa.select(sa.func.max(table.c.journalled))).scalar_one() for table in (letters, acts)
    ]
    known = [value for value in youngest if value is not None]
    return moment(max(known)) if known else None


def waits_within(connection: sa.Connection, since: datetime, until: datetime) -> list[float]:
    """Seconds from arrival to entry of letters that the journal accepted then, of very many the last ones.

    Args:
        connection: of `Store.reading`.
        since: from then on, by the brokers' clocks.
        until: and before.
    """
    query = (
        sa.select(letters.c.journalled - letters.c.arrived)
        .where(letters.c.journalled >= micros(since), letters.c.journalled < micros(until), letters.c.reason == "")
        .order_by(letters.c.journalled.desc())
    )
    return [waited / 1e6 for (waited,) in connection.execute(query.limit(_AT_MOST))]
