"""Whatever happens to the database: an error with a name, within a time, and the state goes on as if nothing had."""

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from exchange.embedded import EmbeddedPostgres
from exchange.journal.facts import JournalRecord
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.rows import place_of
from exchange.store.schema import facts
from exchange.store.shards import be_the_writer
from tests.journal.synthetic import SyntheticJournal
from tests.patience import PATIENCE
from tests.store.support import fill, frozen, take

ANSWER_SECONDS = 2

READ_ONLY = (
    ("ALTER DATABASE postgres SET default_transaction_read_only = on",),
    ("SET default_transaction_read_only = off", "ALTER DATABASE postgres RESET default_transaction_read_only"),
)
FULL = (
    (
        """
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END$$
        """,
        "CREATE TRIGGER full_disk BEFORE INSERT ON facts EXECUTE FUNCTION full_disk()",
    ),
    ("DROP FUNCTION full_disk CASCADE",),
)
"""What an operator says to PostgreSQL so that it does not write, and does so again."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL to be broken."""
    with TemporaryDirectory(prefix="exchange-broken-") as folder, EmbeddedPostgres(Path(folder)) as started:
        yield started


@pytest.fixture
def half(server: EmbeddedPostgres, journal: SyntheticJournal) -> Iterator[Store]:
    """A store in it that has taken the first half of the story."""
    with Store(server.url) as store:
        store.drop()
        store.migrate()
        fill(store, journal.records[:11])
    with Store(server.url, ANSWER_SECONDS) as store:
        go_on(store, journal.records[:11])  # connects, as often as it takes
        yield store


@pytest.fixture(scope="module")
def expected(journal: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the whole story."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('expected')}/whole.db") as store:
        store.migrate()
        fill(store, journal.records)
        return store.digest()


def refused(store: Store, journal: SyntheticJournal) -> StoreError:
    """What taking the second half comes to."""
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        take(store, journal.records[11:])
    assert time.monotonic() - began < PATIENCE
    return caught.value


def go_on(store: Store, records: Sequence[JournalRecord]) -> None:
    """Take what is left of the records, by the stored positions, as often as it takes."""
    deadline = time.monotonic() + PATIENCE
    partitions = {record.position.partition for record in records}
    while time.monotonic() < deadline:
        try:
            stored = store.positions("exchange.journal", partitions)
            left = [
                record
                for record in records
                if record.position.offset > getattr(stored.get(record.position.partition), "position", -1)
            ]
            if left:
                take(store, left)
        except StoreError as error:
            assert error.retriable  # the next time it may be another one
            time.sleep(0.2)
        else:
            return
    pytest.fail("the database did not come back")


@pytest.mark.server
def test_a_frozen_server_is_cut_off(
    server: EmbeddedPostgres, half: Store, journal: SyntheticJournal, expected: str
) -> None:
    """Its connections stay alive and say nothing for ever; what was under way may still be committed."""
    with frozen(server):
        error = refused(half, journal)
        assert (error.code, error.retriable) == ("store-unavailable", True)
        assert f"did not answer for {ANSWER_SECONDS} s" in str(error)
        assert refused(half, journal).retriable  # now it does not even connect
    go_on(half, journal.records)
    assert half.digest() == expected


@pytest.mark.server
@pytest.mark.parametrize("end", [EmbeddedPostgres.stop, EmbeddedPostgres.kill], ids=["stopped", "killed"])
def test_a_server_that_ends_and_comes_back(
    server: EmbeddedPostgres,
    half: Store,
    journal: SyntheticJournal,
    expected: str,
    end: Callable[[EmbeddedPostgres], None],
) -> None:
    """With a connection open and with none; then the state goes on."""
    end(server)
    try:
        assert all(refused(half, journal).code == "store-unavailable" for _ in range(2))
    finally:
        server.start()
    go_on(half, journal.records)
    assert half.digest() == expected


@pytest.mark.server
@pytest.mark.parametrize(("begin", "end"), [READ_ONLY, FULL], ids=["read-only", "disk full during COPY"])
def test_a_server_that_does_not_write(
    server: EmbeddedPostgres,
    half: Store,
    journal: SyntheticJournal,
    expected: str,
    begin: Sequence[str],
    end: Sequence[str],
) -> None:
    """It is waited for."""
    said(server, begin)
    half.__exit__()  # settings of a database are those of new connections
    try:
        assert refused(half, journal).retriable
    finally:
        said(server, end)
    half.__exit__()
    go_on(half, journal.records)
    assert half.digest() == expected


@pytest.mark.server
def test_a_lost_writer_does_not_hold_up_the_next(
    server: EmbeddedPostgres, half: Store, journal: SyntheticJournal, expected: str
) -> None:
    """A connection that was lost in a transaction keeps its lock until the server ends it."""
    with Store(server.url, ANSWER_SECONDS) as lost, lost._engine.connect() as connection:
        be_the_writer(connection, range(journal.world.journal_partitions))
        go_on(half, journal.records)
        connection.invalidate()
    assert half.digest() == expected


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)], indirect=True)
def test_no_file_handles_left(store: Store, journal: SyntheticJournal, expected: str) -> None:
    """No connection can be opened; afterwards it goes on."""
    fill(store, journal.records[:11])
    store.__exit__()
    with no_file_handles():
        assert refused(store, journal).retriable
    go_on(store, journal.records)
    assert store.digest() == expected


@pytest.mark.server
def test_no_file_handle_to_watch_a_connection(half: Store, journal: SyntheticJournal, expected: str) -> None:
    """An open connection is not used without its time limit."""
    with no_file_handles():
        assert "cannot be reached" in str(refused(half, journal))
    go_on(half, journal.records)
    assert half.digest() == expected


def test_a_full_disk(tmp_path: Path, journal: SyntheticJournal, expected: str) -> None:
    """SQLite's own word for it; nothing of the batch stays."""
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store:
        store.migrate()
        fill(store, journal.records[:11])

        def full(connection: sa.Connection) -> None:
            (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        fill_up = ["x" * 3000] * 200
        with store._writing() as connection:
            connection.exec_driver_sql("CREATE TABLE filler (text)")
        sa.event.listen(store._engine, "begin", full)
        with pytest.raises(StoreError, match="full") as caught, store._writing() as connection:
            connection.exec_driver_sql("INSERT INTO filler VALUES (?)", [(text,) for text in fill_up])
        assert (caught.value.code, caught.value.retriable) == ("store-unavailable", True)
        sa.event.remove(store._engine, "begin", full)
        with store._writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        go_on(store, journal.records)
        assert store.digest() == expected


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Waiting does not help: a person must look."""
    (tmp_path / "tracker.db").write_bytes(b"somebody else's file" * 1000)
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store, pytest.raises(StoreError, match="drop it") as caught:
        store.migrate()
    assert (caught.value.code, caught.value.retriable) == ("store-damaged", False)


def test_rows_that_cannot_be_there(store: Store, journal: SyntheticJournal) -> None:
    """Somebody else wrote into the tables: the tracker does not write over it, nor try for ever."""
    with store._writing() as connection:
        for record in journal.records:
            text = dict.fromkeys(("recipient", "event", "reason", "reg_number", "reg_date", "text"), "")
            row = {"place": place_of(record.position), "letter": 0, "at": 0, "journalled": 0} | text
            connection.execute(facts.insert().values(row))
    with pytest.raises(StoreError) as caught:
        take(store, journal.records)
    assert (caught.value.code, caught.value.retriable) == ("store-damaged", False)


@contextmanager
def no_file_handles() -> Iterator[None]:
    """This process may open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(handle.name) for handle in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    filler: list[int] = []
    try:
        with suppress(OSError):
            while True:
                filler.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for handle in filler:
            os.close(handle)


def said(server: EmbeddedPostgres, statements: Sequence[str]) -> None:
    """Say something to the server as its operator."""
    engine = sa.create_engine(server.url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
