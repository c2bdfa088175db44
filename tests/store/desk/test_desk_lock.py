"""One process runs a desk's tasks: who comes later waits, and goes on when the first one ends, however it ends."""

import subprocess
import sys
import time

import pytest

from exchange.store.desk.database import DeskStore
from exchange.store.desk.lock import Lock, SessionLock
from exchange.store.errors import StoreError
from tests.patience import PATIENCE

HOLD = """
import sys
from exchange.store.desk.database import DeskStore
with DeskStore(sys.argv[1]) as desk, desk.lock() as lock:
    print(lock.is_ours(), flush=True)
    sys.stdin.read()
"""


def test_one_of_two(desk: DeskStore, url: str) -> None:
    """Of one process or several; asking again changes nothing."""
    with DeskStore(url) as other, other.lock() as second:
        with desk.lock() as first:
            assert [first.is_ours(), second.is_ours(), first.is_ours(), second.is_ours()] == [True, False, True, False]
        assert comes(second), "the server lets go of a closed session a moment later"


def test_a_process_that_is_killed_has_it_no_longer(desk: DeskStore, url: str) -> None:
    """Kill -9: nothing was given back by anybody."""
    words = [sys.executable, "-c", HOLD, url]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with desk.lock() as lock:
            assert not lock.is_ours()
            process.kill()
            process.wait()
            assert comes(lock)


@pytest.mark.server
def test_a_session_that_the_server_ended(postgres: str) -> None:
    """Who held it is told, and asks anew like everybody."""
    with DeskStore(postgres) as desk, DeskStore(postgres) as other, desk.lock() as first, other.lock() as second:
        assert isinstance(first, SessionLock)
        assert first.is_ours()
        with other.writing() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711003"
            )
        assert comes(second)
        with pytest.raises(StoreError) as caught:
            first.is_ours()
        assert caught.value.retriable
        assert not first.is_ours()


def comes(lock: Lock) -> bool:
    """Whether the lock is ours at some time."""
    deadline = time.monotonic() + PATIENCE
    while not lock.is_ours():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
