"""Many rows at once, in the way each database does it best.

SQLite takes them through one prepared statement; PostgreSQL by COPY, replacements through a temporary
table. Both see the same tuples, in the order of the table's columns.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

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
        connection.exec_driver_sql(_insert_sql(connection, table), list(rows))


def replace(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Add rows, or put them in the place of those with the same key; each key at most once."""
    if not rows:
        return
    if not _is_postgresql(connection):
        verb = _insert_sql(connection, table).replace("INSERT INTO", "INSERT OR REPLACE INTO", 1)
        connection.exec_driver_sql(verb, list(rows))
        return
    staged = f"staged_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} (LIKE {table.name}) ON COMMIT DELETE ROWS"
    )
    _copy(connection, staged, table, rows)
    source = sa.table(staged, *[sa.column(column.name) for column in table.columns])
    upsert = postgresql.insert(table).from_select(table.columns.keys(), sa.select(source))
    others = {column.name: upsert.excluded[column.name] for column in table.columns if not column.primary_key}
    connection.execute(upsert.on_conflict_do_update(index_elements=list(table.primary_key), set_=others))


def _is_postgresql(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _insert_sql(connection: sa.Connection, table: sa.Table) -> str:
    return str(table.insert().compile(dialect=connection.dialect))


def _copy(connection: sa.Connection, name: str, table: sa.Table, rows: Rows) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    cursor = cast("Cursor[Any]", connection.connection.cursor())  # SQLAlchemy has no word for COPY
    with cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
