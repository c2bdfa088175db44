"""A real PostgreSQL."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from exchange.embedded import EmbeddedPostgres
from exchange.embedded.errors import PostgresFailedError
from exchange.embedded.processes import ServerProcess
from tests.patience import PATIENCE

pytestmark = pytest.mark.server


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may reach when the tests run as root.

    Not pytest's: every run of pytest shuts the folder of them all to other users.
    """
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


_KILLED_STARTER = """
import os, signal, sys
from pathlib import Path
from exchange.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def _run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements in one transaction; return the rows of the last."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return [tuple(row) for row in results[-1]]
    finally:
        engine.dispose()


def test_data_is_kept_over_a_second_start(folder: Path) -> None:
    """A server by SQLAlchemy's URL, stopped with the block, up again with what was committed."""
    server = EmbeddedPostgres(folder / "postgresql")
    with server:
        rows = _run(server.url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1) RETURNING n")
        assert rows == [(1,)]
        with EmbeddedPostgres(folder / "postgresql") as second:
            assert second.url == server.url
        assert _run(server.url, "SELECT n FROM t") == [(1,)]
    assert ServerProcess.find("-D", str(folder / "postgresql" / "data")) is None
    with server:
        assert _run(server.url, "SELECT n FROM t") == [(1,)]


def test_what_was_committed_outlives_a_kill(folder: Path) -> None:
    """Killed -9 and started again by the same object, as a power cut and a restart would."""
    with EmbeddedPostgres(folder) as server:
        _run(server.url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1) RETURNING n")
        server.kill()
        assert server.pid is None
        server.start()
        assert _run(server.url, "SELECT n FROM t") == [(1,)]


def test_a_killed_starter_leaves_no_server_and_no_obstacle(folder: Path) -> None:
    """The server ends with its killed starter; a stale pid file that names a stranger is no obstacle."""
    starter = subprocess.run([sys.executable, "-c", _KILLED_STARTER, folder], check=False)
    assert starter.returncode == -signal.SIGKILL
    data = folder / "data"
    deadline = time.monotonic() + PATIENCE
    while (left := ServerProcess.find("-D", str(data))) and time.monotonic() < deadline:
        left.close()
        time.sleep(0.01)
    assert left is None
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n{data}\n\n0 0\nready   \n")
    with EmbeddedPostgres(folder) as server:
        assert _run(server.url, "SELECT 1") == [(1,)]


def test_a_detached_server_stays_until_it_is_stopped(folder: Path) -> None:
    """The block ends, the server goes on; stop ends it, whoever started it."""
    with EmbeddedPostgres(folder, detached=True) as server:
        url = server.url
    assert _run(url, "SELECT 1") == [(1,)]
    EmbeddedPostgres(folder).stop()
    assert ServerProcess.find("-D", str(folder / "data")) is None


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    """PostgreSQL's own words and the log's path are in the message."""
    with EmbeddedPostgres(folder):
        pass
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = on\n")
    with pytest.raises(PostgresFailedError, match="no_such_setting"):
        EmbeddedPostgres(folder).start()
