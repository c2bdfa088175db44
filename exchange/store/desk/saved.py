"""Lists that a person saved under a name."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from exchange.store.desk.inserting import put
from exchange.store.desk.schema import views
from exchange.store.rows import micros, moment

VIEWS_AT_MOST = 50
"""Of one person."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A list as a person filtered it.

    Attributes:
        login: whose.
        name: in that person's words.
        page: the path of the list.
        query: the filter, as the list's address has it, with its `?`.
        made: when it was saved.
    """

    login: str
    name: str
    page: str
    query: str
    made: datetime


def save(connection: sa.Connection, view: SavedView) -> bool:
    """Keep a view, in the place of one of the same name; False when the person has as many as may be."""
    kept = sa.select(sa.func.count()).where(views.c.login == view.login, views.c.name != view.name)
    if connection.execute(kept).scalar_one() >= VIEWS_AT_MOST:
        return False
    values = {
        "login": view.login,
        "name": view.name,
        "page": view.page,
        "query": view.query,
        "made": micros(view.made),
    }
    put(connection, views, values)
    return True


def listed(connection: sa.Connection, login: str, page: str) -> tuple[SavedView, ...]:
    """A person's views of a page, by name."""
    query = sa.select(views).where(views.c.login == login, views.c.page == page).order_by(views.c.name)
    return tuple(
        SavedView(row.login, row.name, row.page, row.query, moment(row.made)) for row in connection.execute(query)
    )


def delete(connection: sa.Connection, login: str, name: str) -> bool:
    """Drop a person's view; False when there is none of that name."""
    query = sa.delete(views).where(views.c.login == login, views.c.name == name)
    return connection.execute(query).rowcount > 0
