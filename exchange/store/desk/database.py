"""The desk's database: beside the tracker's tables, or at a URL of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from exchange.store.desk.lock import FileLock, Lock, SessionLock
from exchange.store.desk.task_tables import tasks
from exchange.store.failures import Named
from exchange.store.migrating import Tables
from exchange.store.opening import ANSWER_SECONDS, Database, Nature

_NAMED = Named("console", "restore it from a backup: accounts, tasks and notes are nowhere else")
_TABLES = Tables(Path(__file__).parent / "migrations", "desk_version", (tasks.metadata,))
_NATURE = Nature(_NAMED, _TABLES, is_kept=True)


class DeskStore(Database):
    """Accounts, sessions, tasks, notes. Never dropped by a rebuild of the tracker's tables; a commit is on the disk."""

    def __init__(self, url: str, answer_seconds: int = ANSWER_SECONDS) -> None:
        """Open by SQLAlchemy URL; see `Database`."""
        super().__init__(url, _NATURE, answer_seconds)

    @contextmanager
    def lock(self) -> Iterator[Lock]:
        """The right to run this desk's tasks, which is asked for and held while the context lasts."""
        asked: Lock
        if self._engine.dialect.name == "postgresql":
            asked = SessionLock(self._engine.execution_options(isolation_level="AUTOCOMMIT"), self._guarded)
        else:
            asked = FileLock(Path(f"{self._engine.url.database}.tasks.lock"))
        try:
            yield asked
        finally:
            asked.release()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection for one short transaction, which an exception takes back; SQLite has one at a time.

        Raises:
            StoreError: as `reading`; `store-unavailable` that came with the commit: everything may have been written.
        """
        with self._writing() as connection:
            yield connection
