"""What single faults do to a file or a process, without an exchange."""

import asyncio
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tests.chaos.broker_clocks import library
from tests.chaos.clocked import SteppedClock, step
from tests.chaos.faults_spools import committed, tear
from tests.chaos.keeper import Keeper
from tests.chaos.servers import ProgramServer, Role, last_trouble
from tests.patience import PATIENCE
from tests.requirements import requires_tool

ROWS = 50
_WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE t (n, data)")
for number in range(int(sys.argv[2])):
    connection.execute("INSERT INTO t VALUES (?, ?)", (number, os.urandom(3000)))
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("seed", range(12))
def test_a_torn_write_harms_nothing_committed(tmp_path: Path, seed: int) -> None:
    """Garbage, nothing, or frames of long ago behind the last commit: every committed row is there."""
    path = tmp_path / "t.sqlite"
    subprocess.run([sys.executable, "-c", _WRITER, path, str(ROWS)], check=False)
    log = path.with_name("t.sqlite-wal")
    before = log.read_bytes()
    tear(log, Random(seed))
    assert log.read_bytes()[: committed(before)] == before[: committed(before)]
    path.with_name("t.sqlite-shm").unlink()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (ROWS,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_half_a_transaction_is_behind_the_last_commit() -> None:
    """A frame that ends no transaction, and one of an older log, do not count."""
    header = struct.pack(">8I", 0x377F0682, 3007000, 512, 0, 7, 8, 0, 0)

    def frame(pages: int, salt: int) -> bytes:
        return struct.pack(">6I", 1, pages, salt, 8, 0, 0) + bytes(512)

    one = header + frame(0, 7) + frame(2, 7)
    assert committed(one + frame(0, 7)) == len(one)
    assert committed(one + frame(3, 6)) == len(one)
    assert committed(one + frame(3, 7)[:-1]) == len(one)


def test_a_clock_is_stepped_and_put_right(tmp_path: Path) -> None:
    """Whoever mapped the file sees it at once."""
    file = tmp_path / "clock"
    step(file, 0.0)
    clock = SteppedClock(file)
    for seconds in (3600.0, -3600.0, 0.0):
        step(file, seconds)
        assert abs((clock.now() - datetime.now(UTC)).total_seconds() - seconds) < 60


@requires_tool("cc", debian="gcc")
def test_a_program_s_clock_is_stepped_under_it(tmp_path: Path) -> None:
    """Calendar time is off while it runs, time that only passes is not."""
    file = tmp_path / "clock"
    step(file, 3600.0)
    code = "import time; print(time.time(), time.monotonic())"
    environ = {"LD_PRELOAD": str(library(tmp_path)), "STEPPED_CLOCK": str(file)}
    said = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout
    calendar, passing = map(float, said.split())
    assert abs(calendar - time.time() - 3600) < 60
    assert abs(passing - time.monotonic()) < 60


def program(tmp_path: Path, code: str) -> ProgramServer:
    """A process of Python code."""
    return ProgramServer("one", Role.ROUTER, [sys.executable, "-c", code], tmp_path / "log")


def test_the_last_trouble_in_a_log_is_told(tmp_path: Path) -> None:
    """JSON lines by their message, others as they are, and nothing where all is well."""
    log = tmp_path / "log"
    assert last_trouble(log) == ""
    log.write_text('all is well\n{"level": "error", "message": "it broke"}\n{"level": "info", "message": "fine"}\n')
    assert last_trouble(log) == "it broke"
    log.write_text("Traceback\nValueError: no such thing\n")
    assert last_trouble(log) == "ValueError: no such thing"


def test_a_process_that_ends_is_seen(tmp_path: Path) -> None:
    """Its number while it runs, then none, and what it said."""
    server = program(tmp_path, "raise ValueError('enough')")
    assert server.pid is None
    server.start()
    deadline = time.monotonic() + PATIENCE
    while server.pid is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.pid is None
    assert server.last_words() == "ValueError: enough"
    server.kill()


async def test_the_keeper_starts_again_what_nobody_holds(tmp_path: Path) -> None:
    """What ended by itself is noted as that, what was killed as what it was; who runs is told."""
    known: list[Mapping[str, int]] = []
    keeper = Keeper(known.append)
    server = program(tmp_path, "import time; time.sleep(600)")
    keeper.add(server)
    await keeper.start("one")
    first = server.pid
    assert first is not None
    keeping = asyncio.create_task(keeper.run())
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE):
        while server.pid in {None, first} or known[-1:] != [{"one": server.pid}]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    keeping.cancel()
    await asyncio.wait([keeping])
    async with keeper.alone("one"):
        await keeper.kill("one", "for a test")
        assert server.pid is None
        await keeper.start("one")
        assert server.pid is not None
    await keeper.stop("one", "in the end")
    assert [(end.wanted, end.why) for end in keeper.ends] == [
        (False, ""),
        (True, "for a test"),
        (True, "in the end"),
    ]
