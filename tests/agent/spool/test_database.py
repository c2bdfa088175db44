"""The spool's file: whole or not at all, errors by name, room for many at once."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exchange.agent.spool import Spool, incoming, origins, witnessed
from exchange.agent.spool.database import Work
from exchange.agent.spool.schema import VERSION
from exchange.agent.spool.witnessed import Coverage
from exchange.domain.errors import SpoolError
from tests.patience import PATIENCE
from tests.world import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the spool is."""
    return tmp_path / "spool"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    """An open spool."""
    with Spool(path) as opened:
        yield opened


def note(text: str) -> Work[None]:
    """Work that writes a row."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO inboxes (body) VALUES (?)", (text,))

    return work


def notes(connection: sqlite3.Connection) -> list[str]:
    """Rows written."""
    return [body for (body,) in connection.execute("SELECT body FROM inboxes ORDER BY rowid")]


def limit_pages(spool: Spool, more: int) -> None:
    """Leave room for so many pages: SQLite then says that the disk is full."""

    def work(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    spool.call(work)


def test_it_is_durable_and_ours(spool: Spool, path: Path) -> None:
    """WAL with full sync, and the file says whose it is and of which version."""
    assert spool.call(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert spool.call(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (2,)
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert other.execute("PRAGMA application_id").fetchone() == (0x45584348,)
    other.close()


def test_what_was_done_is_there_after_opening_again(path: Path) -> None:
    """Closing finishes what was asked for."""
    with Spool(path) as spool:
        spool.call(note("kept"))
    with Spool(path) as spool:
        assert spool.call(notes) == ["kept"]


async def test_many_share_a_transaction_in_order(spool: Spool) -> None:
    """A thousand pieces of work at once are done in the order of the calls."""
    await asyncio.gather(*(spool.run(note(f"{number:04}")) for number in range(1000)))
    assert await spool.run(notes) == [f"{number:04}" for number in range(1000)]


async def test_an_error_takes_back_its_own_work_only(spool: Spool) -> None:
    """Neighbours in the same transaction stay."""

    def failing(connection: sqlite3.Connection) -> None:
        note("half")(connection)
        raise LookupError

    outcomes = await asyncio.gather(
        spool.run(note("before")), spool.run(failing), spool.run(note("after")), return_exceptions=True
    )
    assert isinstance(outcomes[1], LookupError)
    assert await spool.run(notes) == ["before", "after"]


async def test_a_broken_rule_takes_back_its_own_work_only(spool: Spool) -> None:
    """A row that is there already is the caller's error, not the disk's."""
    outcomes = await asyncio.gather(spool.run(note("one")), spool.run(note("one")), return_exceptions=True)
    assert isinstance(outcomes[1], sqlite3.IntegrityError)
    assert await spool.run(notes) == ["one"]


async def test_cancelled_before_it_began_is_not_done(spool: Spool) -> None:
    """A caller that goes away while others work leaves nothing behind."""
    begun, gate = threading.Event(), threading.Event()

    def wait(_: sqlite3.Connection) -> bool:
        begun.set()
        return gate.wait(PATIENCE)

    slow = asyncio.create_task(spool.run(wait))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    unwanted = asyncio.create_task(spool.run(note("unwanted")))
    await asyncio.sleep(0.05)
    unwanted.cancel()
    await asyncio.wait([unwanted])
    gate.set()
    await slow
    assert await spool.run(notes) == []


def test_a_full_disk_is_named_and_passes(spool: Spool) -> None:
    """SQLITE_FULL fails the whole transaction, is retriable, and the spool goes on once there is room."""
    limit_pages(spool, 0)
    with pytest.raises(SpoolError) as raised:
        spool.call(lambda connection: [note(f"{number:0500}")(connection) for number in range(100)])
    assert (raised.value.code, raised.value.retriable) == ("spool-full", True)
    limit_pages(spool, 1000)
    spool.call(note("room again"))
    assert spool.call(notes) == ["room again"]


class EndOfThread(BaseException):
    """What nobody expects inside a piece of work."""


def test_whatever_is_raised_is_told_and_nobody_waits_for_ever(spool: Spool) -> None:
    """The writer's thread goes on, and nothing of a failed piece is left behind."""

    def broken(connection: sqlite3.Connection) -> None:
        note("half")(connection)
        raise EndOfThread

    with pytest.raises(EndOfThread):
        spool.call(broken)
    spool.call(note("after"))
    assert spool.call(notes) == ["after"]


async def test_want_of_memory_hits_only_who_wants_too_much(spool: Spool) -> None:
    """It is named, may pass, and the other pieces of the same transaction are done."""

    def hungry(_: sqlite3.Connection) -> None:
        raise MemoryError

    pieces = (spool.run(note("one")), spool.run(hungry), spool.run(note("two")))
    outcomes = await asyncio.gather(*pieces, return_exceptions=True)
    assert isinstance(outcomes[1], SpoolError)
    assert (outcomes[1].code, outcomes[1].retriable) == ("out-of-memory", True)
    assert sorted(await spool.run(notes)) == ["one", "two"]


@pytest.mark.parametrize("torn", [100, 4096, 5000], ids=["in a frame", "behind a page", "in the next frame"])
def test_a_torn_last_write_is_no_write(path: Path, torn: int) -> None:
    """What was confirmed before a power cut is there; what was being written is not, and nothing is damaged."""
    copy = path.with_name("after the cut")
    with Spool(path) as spool:
        for number in range(20):
            spool.call(note(f"{number:02}"))
        whole = path.with_name(f"{path.name}-wal").stat().st_size
        spool.call(note("x" * 20_000))
        log = path.with_name(f"{path.name}-wal").read_bytes()
        copy.write_bytes(path.read_bytes())
        copy.with_name(f"{copy.name}-wal").write_bytes(log[: whole + torn] + bytes(len(log) - whole - torn))
    with Spool(copy) as spool:
        assert spool.call(notes) == [f"{number:02}" for number in range(20)]
        spool.call(note("on"))


def test_a_damaged_file_is_named(path: Path) -> None:
    """Nothing is read from a spool that is not whole; the way out stands in the message."""
    with Spool(path) as spool:
        for number in range(200):
            spool.call(note(f"{number:0200}"))
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(SpoolError, match="backup") as raised, Spool(path):
        pass
    assert raised.value.code == "spool-corrupt"


def test_another_file_is_no_spool(path: Path) -> None:
    """A text under the spool's name is not overwritten."""
    path.write_bytes(b"not a database, but long enough to look like a page" * 100)
    with pytest.raises(SpoolError) as raised, Spool(path):
        pass
    assert raised.value.code == "spool-corrupt"


def test_a_spool_of_version_1_goes_on(path: Path) -> None:
    """It did not know how far behind the last record an inbox was read."""
    with Spool(path) as spool:
        spool.call(note("kept"))
    as_version_2(path)
    with closing(sqlite3.connect(path)) as old:
        old.executescript("ALTER TABLE inboxes DROP COLUMN reached; PRAGMA user_version = 1;")
    for _ in range(2):
        with Spool(path) as spool:
            assert spool.call(notes) == ["kept"]
            spool.call(lambda connection: incoming.reach(connection, "kept", 3))


def as_version_3(path: Path) -> None:
    """Make the tables what they were before the transparency log was read."""
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP INDEX covered; ALTER TABLE origins DROP COLUMN witnessed_number;"
            "ALTER TABLE origins DROP COLUMN released_number; DROP TABLE contradictions; PRAGMA user_version = 3;"
        )


def covered(connection: sqlite3.Connection) -> list[tuple[int]]:
    """Of each origin, how far it is."""
    return connection.execute("SELECT witnessed_number FROM origins").fetchall()


def test_a_spool_of_version_3_goes_on(path: Path) -> None:
    """What it knew stays; nothing is covered yet."""
    with Spool(path) as spool:
        spool.call(note("kept"))
        spool.call(lambda connection: origins.enrol(connection, "alpha", bytes(16), NOW))
    as_version_3(path)
    for _ in range(2):
        with Spool(path) as spool:
            assert spool.call(notes) == ["kept", "alpha"]
            spool.call(lambda connection: witnessed.cover(connection, "alpha", bytes(16), 3))
            spool.call(lambda connection: witnessed.cover(connection, "alpha", bytes(16), 2))
            assert spool.call(covered) == [(3,)]
            assert spool.call(witnessed.coverage) == {"alpha": Coverage()}


def as_version_2(path: Path) -> None:
    """Make the tables what they were before there were deadlines and commands."""
    as_version_3(path)
    with closing(sqlite3.connect(path)) as old:
        old.execute("ALTER TABLE incoming DROP COLUMN command")
        old.execute("PRAGMA writable_schema = ON")
        old.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, '')", (", 'deadline', 'command'",))
        old.execute("PRAGMA user_version = 2")
        old.commit()


def test_a_spool_of_version_2_goes_on(path: Path) -> None:
    """What it knew stays; from now on it takes what it refused before."""
    with Spool(path) as spool:
        spool.call(note("kept"))
    as_version_2(path)
    deadline = "INSERT INTO outgoing (body, kind, key, created, record) VALUES ('a', 'deadline', 'k', 0, x'')"
    with closing(sqlite3.connect(path)) as old, pytest.raises(sqlite3.IntegrityError):
        old.execute(deadline)
    for _ in range(2):
        with Spool(path) as spool:
            assert spool.call(notes) == ["kept"]
            spool.call(lambda connection: connection.execute(deadline.replace("INSERT", "INSERT OR IGNORE")).close())
    with Spool(path) as spool:
        columns = spool.call(lambda connection: connection.execute("PRAGMA table_info(incoming)").fetchall())
        whole = spool.call(lambda connection: connection.execute("PRAGMA integrity_check").fetchall())
    assert ("command" in [column[1] for column in columns], whole) == (True, [("ok",)])


def test_a_later_version_is_not_touched(path: Path) -> None:
    """An older agent leaves a newer spool alone."""
    with Spool(path) as spool:
        spool.call(lambda connection: connection.execute(f"PRAGMA user_version = {VERSION + 1}").fetchall())
    with pytest.raises(SpoolError) as raised, Spool(path):
        pass
    assert raised.value.code == "spool-version"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The spool's folder must be there."""
    with pytest.raises(SpoolError) as raised, Spool(tmp_path / "nowhere" / "spool"):
        pass
    assert raised.value.code == "spool-unwritable"


def test_two_processes_may_write(spool: Spool, path: Path) -> None:
    """A client beside the agent opens the same file; each sees what the other wrote."""
    with Spool(path) as other:
        other.call(note("theirs"))
        spool.call(note("ours"))
        assert other.call(notes) == ["theirs", "ours"]


def test_closed_is_closed(path: Path) -> None:
    """Work after the end is refused instead of waiting for ever."""
    with Spool(path) as spool:
        pass
    with pytest.raises(SpoolError) as raised:
        spool.call(notes)
    assert raised.value.code == "spool-closed"
