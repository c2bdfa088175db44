"""Who runs the tasks of a desk: one process at a time, until it ends or loses the database.

On PostgreSQL it is a session lock of the server, which ends with the connection; beside SQLite a lock on a file, which
ends with the process. Nobody gives it back otherwise, and whoever waits asks again.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from exchange.store.errors import StoreError

_NUMBER = 4_711_003
"""Number of the advisory lock; the tables of one database are one desk's."""


class Lock(Protocol):
    """Not safe in two threads at once."""

    def is_ours(self) -> bool:
        """Whether this process has it, now that it asked for it.

        Raises:
            StoreError: `store-unavailable`, retriable: nobody knows.
        """
        ...

    def release(self) -> None:
        """Let the next one have it."""
        ...


class SessionLock:
    """A lock of PostgreSQL's, held by a connection of its own."""

    def __init__(self, engine: sa.Engine, guarded: Callable[[sa.Connection], AbstractContextManager[Any]]) -> None:
        """Hold nothing yet.

        Args:
            engine: of connections that commit by themselves.
            guarded: bounds what is asked of a connection, and names what fails.
        """
        self._engine = engine
        self._guarded = guarded
        self._connection: sa.Connection | None = None
        self._held = False

    def is_ours(self) -> bool:
        """See `Lock`; a connection that failed held a lock that is lost."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._guarded(self._connection):
                question = "SELECT true" if self._held else f"SELECT pg_try_advisory_lock({_NUMBER})"
                self._held = bool(self._connection.exec_driver_sql(question).scalar_one())
        except sa.exc.DBAPIError as error:
            self.release()
            message = f"the desk's database cannot be reached ({error.orig}): check that it runs"
            raise StoreError(message, retriable=True) from error
        except BaseException:
            self.release()
            raise
        return self._held

    def release(self) -> None:
        """See `Lock`: the connection is closed, not given back; whoever were given it next would hold the lock."""
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                connection.invalidate()
                connection.close()


class FileLock:
    """A lock on a file beside SQLite's."""

    def __init__(self, file: Path) -> None:
        """Hold nothing yet; `file` is made, and stays."""
        self._file = file
        self._descriptor: int | None = None

    def is_ours(self) -> bool:
        """See `Lock`."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            message = f"{self._file} cannot be made ({error.strerror}): see to the rights of its folder"
            raise StoreError(message, retriable=True) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """See `Lock`."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
