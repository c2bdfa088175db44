"""A row that may be there already, in the way both databases do it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from exchange.store.bulk import is_postgresql


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Add a row unless its key is taken; whether it was added."""
    insert = (postgresql.insert if is_postgresql(connection) else sqlite.insert)(table).values(values)
    # Asked for, for an insertion's number of rows is not kept otherwise: on PostgreSQL it would always be -1.
    counted = {"preserve_rowcount": True}
    return connection.execute(insert.on_conflict_do_nothing(), execution_options=counted).rowcount > 0


def put(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Add a row, or give the row of its key these values."""
    insert = (postgresql.insert if is_postgresql(connection) else sqlite.insert)(table).values(values)
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest))
