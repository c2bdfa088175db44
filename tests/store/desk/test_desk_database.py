"""Opening and migrating the desk's own tables."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from exchange.store.database import Store
from exchange.store.desk import schema, task_tables
from exchange.store.desk.database import DeskStore
from exchange.store.errors import StoreError


def test_migrations_make_the_tables_of_the_schema(desk: DeskStore) -> None:
    """Migrations state the tables again, fixed for ever: nothing may differ."""
    assert task_tables.tasks.metadata is schema.metadata
    with desk.reading() as connection:
        options = {
            "include_name": lambda name, kind, _parents: kind != "table" or name in schema.metadata.tables,
            "version_table": "desk_version",
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_beside_the_tracker(url: str) -> None:
    """One database, two histories: dropping the tracker's tables leaves the desk's as they are."""
    with DeskStore(url) as desk, Store(url) as tracker:
        tracker.migrate()
        desk.migrate()
        with desk.writing() as connection:
            connection.execute(schema.notes.insert().values(failure="a", owner="b", text="c", person="d", changed=1))
        tracker.drop()
        with desk.reading() as connection:
            assert connection.scalar(sa.select(schema.notes.c.text)) == "c"
        desk.drop()


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    """What people wrote can be had from nowhere else; the tracker's rows can."""
    url = f"sqlite:///{tmp_path}/both.db"
    with DeskStore(url) as desk, Store(url) as tracker:
        with desk.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        with tracker.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_never_told_to_drop_it(tmp_path: Path) -> None:
    """A damaged desk is restored; only the tracker's tables come again from the journal."""
    (tmp_path / "desk.db").write_bytes(b"no database at all, " * 100)
    with DeskStore(f"sqlite:///{tmp_path}/desk.db") as desk, pytest.raises(StoreError, match="from a backup") as caught:
        desk.migrate()
    assert caught.value.code == "store-damaged"
