"""A database that one of the exchange's programs keeps: opened, migrated, dropped, read, written.

Several may share one database server, or one file: each has tables and an Alembic history of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from exchange.store import migrating
from exchange.store.errors import StoreError
from exchange.store.failures import Named, cut_after, translated

_BUSY_SECONDS = 10.0
_CACHE_KIB = 32 * 1024
_CHECKPOINT_PAGES = 4096
_MIGRATION_SECONDS = 6 * 3600.0
"""Indexes of a hundred million rows."""

ANSWER_SECONDS = 30
"""A batch takes a tenth of a second; who has not answered by then does not answer."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What a database is for.

    Attributes:
        named: how it is called in errors.
        tables: its tables.
        is_kept: whether what was written can be had from nowhere else: no power cut may then cost it.
    """

    named: Named
    tables: migrating.Tables
    is_kept: bool


class Database:
    """One program's tables. One writer at a time; any number of readers; safe in any thread."""

    def __init__(self, url: str, nature: Nature, answer_seconds: int = ANSWER_SECONDS) -> None:
        """Open by SQLAlchemy URL; nothing is read or written yet.

        Args:
            url: `sqlite:///tracker.db` or `postgresql://user@host/database`.
            nature: what it is for.
            answer_seconds: PostgreSQL is cut off when it takes longer to connect, or to write a batch.

        Raises:
            StoreError: `store-url-invalid`.
        """
        self._engine = _engine(url, answer_seconds, is_kept=nature.is_kept)
        self._nature = nature
        self._answer_seconds = answer_seconds

    def __enter__(self) -> Self:
        """Nothing to do: connections are opened when they are needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._engine.dispose()

    def migrate(self, revision: str = migrating.HEAD) -> None:
        """Bring the tables up to `revision`; does nothing when they are there already. See `exchange.store.migrating`.

        Raises:
            StoreError: `store-unavailable`, retriable; `store-version`: they are of a release that is too new.
        """
        tables, named = self._nature.tables, self._nature.named
        if self._engine.dialect.name == "sqlite":
            with self._writing() as connection:
                migrating.migrate(connection, lambda: nullcontext(connection), tables, revision)
            return
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with (
            translated(engine, named),
            engine.connect() as connection,
            cut_after(_MIGRATION_SECONDS, connection, named),
        ):
            migrating.migrate(connection, self._engine.begin, tables, revision)

    def drop(self) -> None:
        """Take all tables down, with everything in them; `migrate` makes them again, empty."""
        with self._writing() as connection:
            migrating.drop(connection, self._nature.tables)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Iterator[sa.Connection]:
        """A connection that sees one state of everything.

        Args:
            seconds: how long it may be held, when that is longer than the answer to a batch may take.

        Raises:
            StoreError: `store-unavailable`, retriable; `store-version`, `store-damaged`.
        """
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        limit = self._answer_seconds if seconds is None else seconds
        named = self._nature.named
        with translated(engine, named), engine.connect() as connection, cut_after(limit, connection, named):
            yield connection

    @contextmanager
    def _writing(self, seconds: float | None = None) -> Iterator[sa.Connection]:
        engine = self._engine.execution_options(exchange_writes=True)
        with (
            translated(engine, self._nature.named),
            engine.connect() as connection,
            cut_after(self._answer_seconds if seconds is None else seconds, connection, self._nature.named),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _guarded(self, connection: sa.Connection) -> Iterator[None]:
        """Bound what is asked of a connection that is kept for long, and name what fails."""
        named = self._nature.named
        with translated(self._engine, named), cut_after(self._answer_seconds, connection, named):
            yield


def _engine(url: str, answer_seconds: int, *, is_kept: bool) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        given = _connecting(parsed.get_backend_name(), answer_seconds, is_kept=is_kept)
        # The one that was used last first: of those that lie idle, some may have been closed.
        pool = {"pool_use_lifo": True} if parsed.get_backend_name() == "postgresql" else {}
        engine = sa.create_engine(parsed, connect_args=given, **pool)
    except (sa.exc.ArgumentError, ImportError) as error:
        shown = url.rsplit("@", maxsplit=1)[-1]  # never the password
        message = f"'{shown}' is no database URL: use sqlite:///PATH or postgresql://USER@HOST/NAME"
        raise StoreError(message, code="store-url-invalid") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_kept_sqlite if is_kept else _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connecting(backend: str, answer_seconds: int, *, is_kept: bool) -> dict[str, object]:
    """What drivers are given; they know no other time limits."""
    if backend != "postgresql":
        return {"timeout": _BUSY_SECONDS}
    # The server, too, ends what was cut off or lost on the way: its locks would hold the next connection up.
    limits = {
        "lock_timeout": f"{answer_seconds}s",
        "idle_in_transaction_session_timeout": f"{answer_seconds}s",
        "tcp_user_timeout": f"{answer_seconds}s",
        "tcp_keepalives_idle": "10s",
        "tcp_keepalives_interval": "5s",
        "tcp_keepalives_count": "4",
        # Answers are short walks along indexes: helpers and compiled code take longer to start than they save.
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        # As SQLite below: a crash may cost the last commits, position and state alike, which the journal gives again.
        "synchronous_commit": "on" if is_kept else "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {"connect_timeout": answer_seconds, "options": options}


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Readers beside one writer; a power cut may cost the last commits, position and state alike."""
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, DDL included
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # A batch dirties some thousand pages, mostly those of the batch before: written back once for several.
    connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _prepare_kept_sqlite(connection: Any, record: ConnectionPoolEntry) -> None:
    """As above, but a commit is on the disk before anybody is told."""
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the lock at once: what it reads first cannot change before it writes."""
    writes = connection.get_execution_options().get("exchange_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
