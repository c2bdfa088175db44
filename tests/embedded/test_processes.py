"""Processes that are found, signalled and ended with their starter."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exchange.embedded.processes import Child, ServerProcess
from tests.patience import PATIENCE

_STARTER = """
import os, signal, sys
from pathlib import Path
from exchange.embedded.processes import Child
child = Child(["/bin/sleep", sys.argv[1]], {}, Path(sys.argv[2]), attached=sys.argv[3] == "attached")
print("started", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def unique(tmp_path: Path) -> Iterator[str]:
    """A time to sleep that no other process of this machine has on its command line."""
    name = f"600.{int(tmp_path.stat().st_ino)}{time.monotonic_ns()}"
    yield name
    if process := ServerProcess.find("/bin/sleep", name):
        with closing(process):
            process.send(signal.SIGKILL)
            process.wait(PATIENCE)


def _gone_within(seconds: float, *arguments: str) -> bool:
    process = ServerProcess.find(*arguments)
    if process is None:
        return True
    with closing(process):
        return process.wait(seconds)


def test_a_child_is_found_signalled_and_reaped(tmp_path: Path, unique: str) -> None:
    """Found by its words, frozen and woken without ending, killed, then gone and reaped."""
    child = Child(["/bin/sleep", unique], {}, tmp_path / "console", attached=True)
    assert not child.ended
    process = ServerProcess.find("/bin/sleep", unique)
    assert process
    with closing(process):
        process.send(signal.SIGSTOP)
        process.send(signal.SIGCONT)
        assert not process.wait(0.05)
        process.send(signal.SIGKILL)
        assert process.wait(PATIENCE)
        process.send(signal.SIGKILL)
    assert child.ended
    assert child.ended
    assert ServerProcess.find("/bin/sleep", unique) is None


def test_a_word_must_match_whole() -> None:
    """A process that only mentions the name inside another word is a stranger."""
    assert ServerProcess.find(sys.executable[1:]) is None


@pytest.mark.parametrize(("tie", "ends"), [("attached", True), ("detached", False)])
def test_killing_the_starter(tmp_path: Path, unique: str, tie: str, *, ends: bool) -> None:
    """After kill -9 of the starter an attached server is gone, a detached one goes on."""
    starter = [sys.executable, "-c", _STARTER, unique, str(tmp_path / "console"), tie]
    done = subprocess.run(starter, capture_output=True, check=False)
    assert done.stdout == b"started\n"
    assert done.returncode == -signal.SIGKILL
    assert _gone_within(PATIENCE if ends else 0.3, "/bin/sleep", unique) is ends


def test_what_a_child_prints_is_kept(tmp_path: Path) -> None:
    """Both streams are added to the console's file."""
    console = tmp_path / "console"
    console.write_text("before\n")
    child = Child(["/bin/sh", "-c", "echo out; echo err >&2"], {}, console, attached=False)
    deadline = time.monotonic() + PATIENCE
    while not child.ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert console.read_text().splitlines() == ["before", "out", "err"]
