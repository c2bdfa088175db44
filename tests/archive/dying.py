"""A process that fills an archive and dies before its n-th step: `python -m tests.archive.dying JOB FOLDER …`.

JOB is `count`, which says how many steps there are, `kill`, or `cut`: then, as after a power cut, files lose what was
not synced, and folders the names that were not. The folder's name is the step. What SQLite writes is its own matter.
"""

import itertools
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from exchange.archive import indexing
from exchange.archive import writer as writing
from exchange.archive.writer import ArchiveWriter
from tests.archive.support import PARTITIONS, publish, records

TAKEN = "taken"
JOURNAL_LENGTH = 700
BATCH = 180


class Machine:
    """The disk's calls, counted; what of them would not survive a power cut is remembered."""

    def __init__(self, last: int, *, is_cut: bool) -> None:
        """Die before the step `last`."""
        self.steps = itertools.count()
        self._last = last
        self._is_cut = is_cut
        self._paths: dict[int, Path] = {}
        self._torn: set[Path] = set()
        self._unnamed: set[Path] = set()
        self._before = ""
        self._lock = threading.RLock()  # files are written by several threads

    def step(self, *_: object) -> None:
        """Die here, if it is time."""
        with self._lock:
            if next(self.steps) == self._last:
                if self._is_cut:
                    self._lose()
                os.kill(os.getpid(), signal.SIGKILL)

    def _lose(self) -> None:
        for path in self._torn:
            if path.exists():
                os.truncate(path, path.stat().st_size // 2)
        for path in self._unnamed:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(FileNotFoundError):
                    Path(path).unlink()

    def install(self) -> None:
        """In place of the real ones."""
        for name, noted in (
            ("open", self._opened),
            ("fsync", self._synced),
            ("replace", self._replaced),
            ("mkdir", self._made),
            ("write", None),
            ("unlink", None),
        ):
            setattr(os, name, self._wrapped(getattr(os, name), noted))
        sqlite3.connect = self._traced(sqlite3.connect)  # type: ignore[assignment]

    def _traced(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **named)
            connection.set_trace_callback(self._said)
            return connection

        return connected

    def _said(self, statement: str) -> None:
        """A statement; of many alike in a row, as rows are put, only the first is a step."""
        kind = statement[:24]
        if kind != self._before:
            self._before = kind
            self.step()

    def _wrapped(self, call: Callable[..., Any], noted: Callable[..., None] | None) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.step()
            result = call(*arguments, **named)
            if noted is not None:
                with self._lock:
                    noted(result, *arguments)
            return result

        return called

    def _opened(self, descriptor: int, path: Any, flags: int, *_: object) -> None:
        self._paths[descriptor] = Path(path)
        if flags & os.O_CREAT:
            self._torn.add(Path(path))

    def _synced(self, _: None, descriptor: int) -> None:
        path = self._paths[descriptor]
        self._torn.discard(path)
        self._unnamed = {each for each in self._unnamed if each.parent != path}

    def _replaced(self, _: None, source: Any, target: Any) -> None:
        if Path(source) in self._torn:
            self._torn.add(Path(target))
        self._unnamed.add(Path(target))

    def _made(self, _: None, path: Any, *__: object) -> None:
        self._unnamed.add(Path(path))


def fill(folder: Path) -> None:
    """All that a writer does; after each batch that it said is safe, how many there were, into a file beside."""
    journal = records(JOURNAL_LENGTH, content_each=25)
    safe = (folder.parent / f"{folder.name}.{TAKEN}").open("w")
    with ArchiveWriter(folder, PARTITIONS) as writer:
        for at in range(0, JOURNAL_LENGTH, BATCH):
            writer.take(journal[at : at + BATCH])
            safe.write(f"{min(at + BATCH, JOURNAL_LENGTH)}\n")
            safe.flush()
            publish(writer, at)


def main(job: str, folders: list[Path]) -> None:
    """One child after the other."""
    writing.PUT_AWAY_BYTES = 20_000
    indexing.RECENT, indexing.MERGED = 150, 2
    for folder in folders:
        child = os.fork()
        if not child:
            machine = Machine(int(folder.name) if job != "count" else -1, is_cut=job == "cut")
            machine.install()
            fill(folder)
            print(next(machine.steps))
            sys.stdout.flush()
            os._exit(0)
        expected = {0} if job == "count" else {0, -signal.SIGKILL}  # who is to die behind the end does not
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in expected


if __name__ == "__main__":
    main(sys.argv[1], [Path(name) for name in sys.argv[2:]])
