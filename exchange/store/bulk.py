"""Many rows at once, in the way each database does it best.

SQLite takes them through one prepared statement; PostgreSQL by COPY, updates through a temporary table.
Both see the same tuples, in the order of the table's columns.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from psycopg import Cursor  # an extra: SQLite needs none

Rows = Sequence[tuple[Any, ...]]


def insert(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Add rows that are not there yet.

    Raises:
        sqlalchemy.exc.IntegrityError: one of them is; the transaction must be rolled back.
    """
    if not rows:
        return
    if _is_postgresql(connection):
        _copy(connection, table.name, table, rows)
    else:
        statement = table.insert().compile(dialect=connection.dialect)
        connection.exec_driver_sql(str(statement), list(rows))


def upsert(connection: sa.Connection, table: sa.Table, rows: Rows, fixed: Collection[str] = ()) -> None:
    """Add rows, or update those with the same key; each key at most once.

    Args:
        connection: in the caller's transaction.
        table: where to.
        rows: in the order of its columns.
        fixed: columns that never change once a row is there; their indexes are then left alone.
    """
    if not rows:
        return
    changing = [column.name for column in table.columns if not column.primary_key and column.name not in fixed]
    if not _is_postgresql(connection):
        adding = sqlite.insert(table)
        values = {name: adding.excluded[name] for name in changing}
        statement = adding.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)
        connection.exec_driver_sql(str(statement.compile(dialect=connection.dialect)), list(rows))
        return
    staged = f"staged_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    _copy(connection, staged, table, rows)
    source = sa.table(staged, *[sa.column(column.name) for column in table.columns])
    moving = postgresql.insert(table).from_select(table.columns.keys(), sa.select(source))
    values = {name: moving.excluded[name] for name in changing}
    connection.execute(moving.on_conflict_do_update(index_elements=list(table.primary_key), set_=values))


def _is_postgresql(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _copy(connection: sa.Connection, name: str, table: sa.Table, rows: Rows) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    cursor = cast("Cursor[Any]", connection.connection.cursor())  # SQLAlchemy has no word for COPY
    with cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
