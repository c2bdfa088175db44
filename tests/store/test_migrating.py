"""Tables brought to a newer form while trackers and consoles of the release before go on."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from exchange.store import migrating, queries, schema
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.failures import Named
from exchange.store.lists import DeliveryFilter
from exchange.store.migrating import Tables
from exchange.store.opening import Database, Nature
from tests.journal.synthetic import SyntheticJournal
from tests.patience import PATIENCE
from tests.store.support import fill, take

_OWN = Path(migrating.__file__).parent / "migrations"
_NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = "{before}"

def upgrade():
    op.add_column("deliveries", sa.Column("colour", sa.Text, nullable=False, server_default="grey"))
"""


@pytest.fixture
def next_release(url: str, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """The release after this one: a column and an index more, under the number that it is given."""
    opened: list[Database] = []

    def release(number: str) -> Database:
        folder = tmp_path / f"migrations-{number}"
        shutil.copytree(_OWN, folder)
        (folder / "versions" / "v9999_next.py").write_text(_NEXT.format(number=number, before=head()))
        wanted = sa.MetaData()
        for one in (schema.metadata, schema.derived):
            for table in one.sorted_tables:
                table.to_metadata(wanted)
        wanted.tables["deliveries"].append_column(sa.Column("colour", sa.Text, server_default="grey"))
        sa.Index("deliveries_by_colour", wanted.tables["deliveries"].c.colour)
        nature = Nature(Named("tracker", "drop it"), Tables(folder, "tracker_version", (wanted,)), is_kept=False)
        opened.append(Database(url, nature))
        return opened[-1]

    yield release
    for one in opened:
        one.__exit__()


def head() -> str:
    """The last revision of this release."""
    return str(ScriptDirectory(str(_OWN)).get_current_head())


def oldest() -> str:
    """A number of a next release on whose tables this one still works."""
    return f"9999.{head().partition('.')[0]}"


def indexes(database: Database) -> set[str | None]:
    """Those of deliveries."""
    with database.reading() as connection:
        return {index["name"] for index in sa.inspect(connection).get_indexes("deliveries")}


@contextmanager
def going_on(*works: Callable[[], None]) -> Iterator[list[int]]:
    """Work that others do again and again meanwhile; how often each was done."""
    done, over, failed = [0] * len(works), threading.Event(), list[Exception]()

    def keep_on(number: int) -> None:
        while not over.is_set():
            try:
                works[number]()
            except Exception as error:  # noqa: BLE001  # told below
                failed.append(error)
                return
            done[number] += 1

    threads = [threading.Thread(target=keep_on, args=[number]) for number in range(len(works))]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_this_release_works_beside_the_next(
    store: Store, journal: SyntheticJournal, next_release: Callable[[str], Database]
) -> None:
    """It starts on the newer tables, writes and reads there, and leaves their new indexes alone."""
    fill(store, journal.records[:5])
    newer = next_release(oldest())
    newer.migrate()
    newer.migrate()
    store.migrate()
    fill(store, journal.records[5:], 4)
    assert "deliveries_by_colour" in indexes(store)
    with newer.reading() as connection:
        assert set(connection.scalars(sa.text("SELECT colour FROM deliveries"))) == {"grey"}


def test_a_release_that_is_too_new(store: Store, next_release: Callable[[str], Database]) -> None:
    """A revision that says nothing of those before, or of later ones only, is not worked on."""
    for number in ("9998", "9999.9998"):
        store.drop()
        next_release(number).migrate()
        with pytest.raises(StoreError, match="newer release") as caught:
            store.migrate()
        assert caught.value.code == "store-version"


def test_an_index_that_is_declared_no_more(store: Store) -> None:
    """It is dropped; one that is missing is built."""
    with store._writing() as connection:
        connection.exec_driver_sql("CREATE INDEX deliveries_by_nothing ON deliveries (since)")
        connection.exec_driver_sql("DROP INDEX deliveries_late")
    store.migrate()
    assert indexes(store) == {index.name for index in schema.deliveries.indexes}


@pytest.mark.server
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_everybody_goes_on_meanwhile(
    postgres: str, store: Store, journal: SyntheticJournal, next_release: Callable[[str], Database]
) -> None:
    """A reader and a writer of this release work through an upgrade that must wait for a long transaction."""
    records = iter(journal.records)
    take(store, [next(records) for _ in range(5)])
    newer = next_release(oldest())
    upgrade = threading.Thread(target=newer.migrate)
    reading, waiting = Store(postgres, int(PATIENCE)), sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def look() -> None:
        with reading.reading() as connection:
            assert queries.deliveries(connection, DeliveryFilter(), None, 10).items

    def write() -> None:
        if (record := next(records, None)) is not None:
            take(store, [record])

    with reading, going_on(look, write) as done:
        with reading.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM deliveries")  # a lock until it ends
            upgrade.start()
            with newer.reading(PATIENCE) as watching:
                while not watching.execute(waiting).scalar_one():
                    watching.rollback()
            before = list(done)
            while done[0] < before[0] + 5 or done[1] < before[1] + 1:
                time.sleep(0.01)
            assert upgrade.is_alive()
        upgrade.join()
    assert "deliveries_by_colour" in indexes(newer)
    for record in records:
        take(store, [record])
    expected = store.digest()
    store.drop()
    store.migrate()
    fill(store, journal.records)
    assert store.digest() == expected


@pytest.mark.server
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_an_interrupted_build_is_repaired(postgres: str, store: Store, journal: SyntheticJournal) -> None:
    """Whoever is killed while it builds leaves an invalid index, which nobody uses: the next start builds it again."""
    fill(store, journal.records)
    with store._writing() as connection:
        connection.exec_driver_sql("DROP INDEX deliveries_late")
    failed = list[StoreError]()

    def build() -> None:
        with pytest.raises(StoreError) as caught, Store(postgres) as other:
            other.migrate()
        failed.append(caught.value)

    building = sa.text("SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%'")
    with Store(postgres, int(PATIENCE)) as slow, slow.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM deliveries")  # a state that the build must wait for
        thread = threading.Thread(target=build)
        thread.start()
        with Store(postgres) as other, other.reading(PATIENCE) as watching:
            while (pid := watching.execute(building).scalar()) is None:
                watching.rollback()
            watching.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
        thread.join()
    assert [error.code for error in failed] == ["store-unavailable"]
    assert invalid(store) == ["deliveries_late"]
    store.migrate()
    assert invalid(store) == []
    assert "deliveries_late" in indexes(store)


def invalid(store: Store) -> list[str]:
    """Indexes whose build did not end."""
    query = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE NOT indisvalid"
    with store.reading() as connection:
        return list(connection.exec_driver_sql(query).scalars())
