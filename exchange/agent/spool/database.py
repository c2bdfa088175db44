"""The spool's file: one connection, one writer thread, group commit.

Whoever calls `run` waits until its work is on disk. Work that arrives while a commit is under way
goes into the next transaction together, each piece in a savepoint of its own: one fsync for all,
and one piece's error leaves the others untouched.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from exchange.agent.errors import NO_MEMORY
from exchange.agent.spool.schema import corrupt, prepare
from exchange.domain.errors import SpoolError

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

GROUP = 256
"""Pieces of work in one transaction at most."""
BUSY_SECONDS = 10.0
"""How long to wait for another process that writes into the same spool, e.g. the client beside the agent."""


class _Piece:
    """A piece of work and whom to tell."""

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Spool:
    """A context manager; `run` from tasks, `call` from threads.

    Durability: a result is returned after the commit, with synchronous FULL: it survives a power
    cut. Work is done in the order of the calls; it may be begun twice, so it touches nothing but the
    connection. An error of the disk leaves the spool as it was and usable: free the disk, call again.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self.path = path
        self._pieces: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="spool", daemon=True)
        self._opened: Future[None] = Future()
        self._closing = threading.Lock()
        self._is_closed = True

    def __enter__(self) -> Self:
        """Open or make the file, and check it.

        Raises:
            SpoolError: `spool-corrupt`, `spool-version`, `spool-unwritable`, `spool-full`.
        """
        self._thread.start()
        try:
            self._opened.result()
        except BaseException:
            self._thread.join()
            raise
        self._is_closed = False
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what was asked for, then close."""
        with self._closing:
            self._is_closed = True
            self._pieces.put(None)
        self._thread.join()

    async def run(self, work: Work[Result]) -> Result:
        """Do `work` in a transaction and wait until it is on disk.

        A cancelled caller does not undo work that has begun: it is done whole or not at all.

        Raises:
            SpoolError: the disk is full, or the file is not what it was.
        """
        return await asyncio.wrap_future(self._queue(work))

    def call(self, work: Work[Result]) -> Result:
        """`run` for threads."""
        return self._queue(work).result()

    def _queue(self, work: Work[Result]) -> "Future[Result]":
        piece = _Piece(work)
        with self._closing:
            if self._is_closed:
                message = "the spool is closed: open it with `with`"
                raise SpoolError(message, code="spool-closed")
            self._pieces.put(piece)
        return piece.future

    def _write(self) -> None:
        try:
            connection = _open(self.path)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who opens
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            while pieces := self._gather():
                _commit_or_tell(connection, pieces)
        finally:
            connection.close()

    def _gather(self) -> list[_Piece]:
        """The next pieces, in order; none once the spool is to be closed."""
        pieces: list[_Piece] = []
        while len(pieces) < GROUP:
            try:
                piece = self._pieces.get(block=not pieces)
            except queue.Empty:
                break
            if piece is None:
                if pieces:
                    self._pieces.put(None)
                break
            if piece.future.set_running_or_notify_cancel():
                pieces.append(piece)
        return pieces


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except SpoolError as error:
        if error.code == "spool-unwritable":
            error.retriable = False  # it never was writable: a person must give the right, or another folder
        raise


def _connect(path: Path) -> sqlite3.Connection:
    with _translated():
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _commit_or_tell(connection: sqlite3.Connection, pieces: Sequence[_Piece]) -> None:
    """`_commit`; whatever else is raised goes to who waits: the thread must not end and leave them waiting."""
    try:
        _commit(connection, pieces)
    except BaseException as error:  # noqa: BLE001 - it belongs to who waits
        for piece in pieces:
            if not piece.future.done():
                piece.future.set_exception(error)


def _commit(connection: sqlite3.Connection, pieces: Sequence[_Piece]) -> None:
    """Do all pieces in one transaction, or each in its own when that fails: a full disk hits only who writes."""
    error = _transact(connection, pieces)
    if error is not None and len(pieces) > 1:
        for piece in pieces:
            _commit(connection, [piece])
        return
    for piece in pieces:
        piece.error = error or piece.error
        piece.settle()


def _transact(connection: sqlite3.Connection, pieces: Sequence[_Piece]) -> SpoolError | None:
    """One transaction; the error of the file, then nothing was done."""
    try:
        with _translated():
            connection.execute("BEGIN IMMEDIATE")
            for piece in pieces:
                _do(connection, piece)
            connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # what a failing disk does not take back now, it does when it is opened
                connection.execute("ROLLBACK")
        if isinstance(error, SpoolError):
            return error
        raise
    return None


def _do(connection: sqlite3.Connection, piece: _Piece) -> None:
    """Do a piece in a savepoint; errors of the file, and want of memory, fail the whole transaction."""
    connection.execute("SAVEPOINT piece")
    piece.error = None
    try:
        piece.result = piece.work(connection)
    except (sqlite3.OperationalError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
            raise
        piece.error = error
        connection.execute("ROLLBACK TO piece")
    connection.execute("RELEASE piece")


_RIGHTS = "give the agent's user the right to write file and folder"

_CODES: dict[int, tuple[str, str, bool]] = {
    sqlite3.SQLITE_FULL: ("spool-full", "its disk is full: free some space, the agent goes on by itself", True),
    sqlite3.SQLITE_BUSY: ("spool-in-use", "another process holds it: let one agent use it", True),
    sqlite3.SQLITE_READONLY: ("spool-unwritable", f"it is read-only: {_RIGHTS}", True),
    sqlite3.SQLITE_PERM: ("spool-unwritable", f"no access: {_RIGHTS}", True),
    sqlite3.SQLITE_CANTOPEN: ("spool-unwritable", f"a file of it cannot be opened: {_RIGHTS}, and file handles", True),
    sqlite3.SQLITE_IOERR: ("spool-io", "its disk cannot be read or written: check disk and quota", True),
}
"""SQLite's primary result codes: our code, what to do, whether it may pass by itself."""


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's errors, and want of memory, as `SpoolError`."""
    try:
        yield
    except MemoryError as error:
        raise SpoolError(f"the spool: {NO_MEMORY}", code="out-of-memory", retriable=True) from error
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise corrupt(str(error)) from error
        code, message, retriable = _CODES.get(primary, ("spool-failed", "it refused", False))
        raise SpoolError(f"the spool: {message} ({error})", code=code, retriable=retriable) from error
