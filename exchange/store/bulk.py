"""Many rows at once, in the way each database does it best.

SQLite takes them through one prepared statement; PostgreSQL by COPY, changes through a temporary table.
Both see the same tuples, in the order of the table's columns.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

if TYPE_CHECKING:
    from psycopg import Cursor  # an extra: SQLite needs none

Rows = Sequence[tuple[Any, ...]]

_PAIRS_AT_ONCE = 500


def is_postgresql(connection: sa.Connection) -> bool:
    """Whether it is PostgreSQL; else it is SQLite."""
    return connection.dialect.name == "postgresql"


def insert(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Add rows that are not there yet.

    Raises:
        sqlalchemy.exc.IntegrityError: one of them is; the transaction must be rolled back.
    """
    if not rows:
        return
    if is_postgresql(connection):
        _copy(connection, table.name, table, rows)
    else:
        statement = table.insert().compile(dialect=connection.dialect)
        connection.exec_driver_sql(str(statement), list(rows))


def update(connection: sa.Connection, table: sa.Table, rows: Rows, fixed: Collection[str] = ()) -> None:
    """Change rows that are there; each at most once.

    Args:
        connection: in the caller's transaction.
        table: where to.
        rows: in the order of its columns, of which the last changes.
        fixed: columns that never change once a row is there; their indexes are then left alone.
    """
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    places = {column.name: f"?{index}" for index, column in enumerate(table.columns, 1)}
    keys = [column.name for column in table.primary_key]
    changing = [name for name in places if name not in keys and name not in fixed]
    if not is_postgresql(connection):
        values = ", ".join(f"{quote(name)} = {places[name]}" for name in changing)
        found = " AND ".join(f"{quote(name)} = {places[name]}" for name in keys)
        connection.exec_driver_sql(f"UPDATE {table.name} SET {values} WHERE {found}", list(rows))  # noqa: S608
        return
    staged, columns = f"staged_{table.name}", ", ".join(map(quote, places))  # a newer release may have added some
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ON COMMIT DELETE ROWS "  # noqa: S608
        f"AS SELECT {columns} FROM {table.name} WITH NO DATA"
    )
    _copy(connection, staged, table, rows)
    values = ", ".join(f"{quote(name)} = {staged}.{quote(name)}" for name in changing)
    found = " AND ".join(f"{table.name}.{quote(name)} = {staged}.{quote(name)}" for name in keys)
    connection.exec_driver_sql(f"UPDATE {table.name} SET {values} FROM {staged} WHERE {found}")  # noqa: S608


def raise_to(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Add rows, or raise the last column of those that are there; what is as high stays as it is.

    Args:
        connection: in the caller's transaction.
        table: where to.
        rows: in the order of its columns, each key once; in the order of their keys where others write as well.
    """
    if not rows:
        return
    names = [column.name for column in table.columns]
    keys = ", ".join(column.name for column in table.primary_key)
    last = names[-1]
    merging = f"ON CONFLICT ({keys}) DO UPDATE SET {last} = excluded.{last} WHERE excluded.{last} > {table.name}.{last}"
    if is_postgresql(connection):
        types = [column.type.compile(dialect=connection.dialect).split(" ")[0] for column in table.columns]
        source = ", ".join(f"%s::{kind}[]" for kind in types)
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} SELECT * FROM unnest({source}) {merging}",  # noqa: S608
            tuple([row[index] for row in rows] for index in range(len(names))),
        )
        return
    places = ", ".join("?" * len(names))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({places}) {merging}", list(rows))  # noqa: S608


def select_by_pairs(connection: sa.Connection, query: str, pairs: Collection[tuple[bytes, str]]) -> Iterator[Any]:
    """The rows that a query gives for many pairs of bytes and text.

    Args:
        connection: in the caller's transaction.
        query: with `{pairs}` in its FROM, a table of the columns `column1` and `column2`.
        pairs: each once.
    """
    if is_postgresql(connection):
        source = "unnest(%b::bytea[], %b::text[]) AS pairs (column1, column2)"  # in binary: nothing is escaped
        parameters = ([first for first, _ in pairs], [second for _, second in pairs])
        yield from connection.exec_driver_sql(query.format(pairs=source), parameters)
        return
    left = iter(pairs)
    while some := list(islice(left, _PAIRS_AT_ONCE)):
        # The same text each time but the last: it is prepared once.
        source = f"(VALUES {', '.join(['(?, ?)'] * len(some))}) AS pairs"
        flat = tuple(value for pair in some for value in pair)
        yield from connection.exec_driver_sql(query.format(pairs=source), flat)


def _copy(connection: sa.Connection, name: str, table: sa.Table, rows: Rows) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    cursor = cast("Cursor[Any]", connection.connection.cursor())  # SQLAlchemy has no word for COPY
    with cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
