"""Opening, migrating and dropping the tracker's database."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from exchange.store import queries, rows, schema
from exchange.store.database import Store
from exchange.store.errors import StoreError


def test_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    """Migrations state the tables again, fixed for ever: nothing may differ."""
    with store.reading() as connection:
        options = {"include_name": lambda name, kind, _parents: kind != "table" or name in schema.metadata.tables}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_down_and_up_again(store: Store) -> None:
    """Dropping leaves no table of ours; both ways may be repeated."""
    store.migrate()
    store.drop()
    store.drop()
    with store.reading() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {"tracker_version", "desk_version"}
    store.migrate()
    assert list(store.dump()) == []


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (rows.LetterRow, schema.letters),
        (rows.FactRow, schema.facts),
        (rows.DeliveryRow, schema.deliveries),
        (rows.FlagRow, schema.flags),
        (rows.PositionRow, schema.positions),
        (rows.LaneRow, schema.lanes),
    ],
)
def test_rows_are_in_the_columns_order(row: type[tuple[object, ...]], table: sa.Table) -> None:
    """Bulk writing relies on it."""
    assert list(row._fields) == table.columns.keys()  # type: ignore[attr-defined]  # a NamedTuple


@pytest.mark.parametrize("url", ["nonsense", "oracle://user:secret@host/db", "sqlite+none:///x"])
def test_urls_that_are_none(url: str) -> None:
    """Named without the password, with the next step."""
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert caught.value.code == "store-url-invalid"
    assert "secret" not in str(caught.value)
    assert "sqlite:///" in str(caught.value)


def test_database_that_is_not_there(tmp_path: Path) -> None:
    """Retriable: it may come back."""
    with Store(f"sqlite:///{tmp_path}/no/such/folder/tracker.db") as store, pytest.raises(StoreError) as caught:
        store.migrate()
    assert (caught.value.code, caught.value.retriable) == ("store-unavailable", True)


def test_tables_that_are_not_there(tmp_path: Path) -> None:
    """A store that was never migrated says what to do."""
    with Store(f"sqlite:///{tmp_path}/empty.db") as store, pytest.raises(StoreError, match="migrat"):
        store.positions("exchange.journal")


def test_readers_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    """SQLite's write-ahead log: `exchange track` works while the tracker writes."""
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store:
        store.migrate()
        with store._writing() as writing:
            writing.execute(schema.positions.insert().values(topic="t", partition=0, position=1, digest=b"d"))
            with store.reading() as reading:
                assert queries.positions_of(reading, "t") == []
        assert store.positions("t")[0].position == 1
