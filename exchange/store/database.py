"""The tracker's database: opened, migrated, dropped, compared."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import ConnectionPoolEntry

from exchange.domain.fact import JournalFact
from exchange.store import bulk
from exchange.store.errors import StoreError
from exchange.store.failures import cut_after, translated
from exchange.store.queries import positions_of
from exchange.store.rows import PositionRow
from exchange.store.schema import metadata
from exchange.store.writer import Taken, take

_MIGRATIONS = Path(__file__).parent / "migrations"
_READ_ROWS = 5_000

_BUSY_SECONDS = 10.0
_CACHE_KIB = 32 * 1024
_CHECKPOINT_PAGES = 4096

ANSWER_SECONDS = 30
"""A batch takes a tenth of a second; who has not answered by then does not answer."""

LONG_READING_SECONDS = 3600.0
"""For who reads every row."""


class Store:
    """One tracker's database. One writer at a time; any number of readers; safe in any thread."""

    def __init__(self, url: str, answer_seconds: int = ANSWER_SECONDS) -> None:
        """Open by SQLAlchemy URL; nothing is read or written yet.

        Args:
            url: `sqlite:///tracker.db` or `postgresql://user@host/database`.
            answer_seconds: PostgreSQL is cut off when it takes longer to connect, or to write a batch.

        Raises:
            StoreError: `store-url-invalid`.
        """
        self._engine = _engine(url, answer_seconds)
        self._answer_seconds = answer_seconds

    def __enter__(self) -> Self:
        """Nothing to do: connections are opened when they are needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._engine.dispose()

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables up to `revision`; does nothing when they are there already.

        Raises:
            StoreError: `store-unavailable`.
        """
        with self._writing() as connection:
            command.upgrade(_alembic(connection), revision)

    def drop(self) -> None:
        """Take all tables down; `migrate` makes them again, empty, and the journal fills them."""
        with self._writing() as connection:
            command.downgrade(_alembic(connection), "base")

    def positions(self, topic: str) -> dict[int, PositionRow]:
        """The last record taken of each partition, by partition, once whoever still writes is done.

        Raises:
            StoreError: as `take`.
        """
        with self._writing() as connection:
            _be_the_writer(connection)
            return {row.partition: row for row in positions_of(connection, topic)}

    def take(self, facts: Sequence[JournalFact], reached: Sequence[PositionRow]) -> Taken:
        """Store facts and fold what they touch, with the positions reached, all in one transaction.

        Args:
            facts: in the order of each partition, the next ones after the stored position.
            reached: the last record taken of each partition that moved.

        Raises:
            StoreConflict: the stored position is not before these facts; nothing was written.
            StoreError: `store-unavailable`, retriable; when it came with the commit, everything may have been
                written, which `positions` tells. `store-version`, `store-damaged`.
        """
        with self._writing() as connection:
            _be_the_writer(connection)
            return take(connection, facts, reached)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Iterator[sa.Connection]:
        """A connection that sees one state of everything, for `exchange.store.queries`.

        Args:
            seconds: how long it may be held, when that is longer than the answer to a batch may take.

        Raises:
            StoreError: `store-unavailable`, retriable; `store-version`, `store-damaged`.
        """
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        limit = self._answer_seconds if seconds is None else seconds
        with translated(engine), engine.connect() as connection, cut_after(limit, connection):
            yield connection

    def dump(self) -> Iterator[str]:
        """Every row as a line of JSON, ordered by table and key: equal states give equal lines."""
        with self.reading(LONG_READING_SECONDS) as connection:
            for table in metadata.sorted_tables:
                keys = [_bytewise(connection, column) for column in table.primary_key]
                rows = connection.execution_options(yield_per=_READ_ROWS).execute(sa.select(table).order_by(*keys))
                for row in rows:
                    yield json.dumps([table.name, *map(_plain, row)], ensure_ascii=False)

    def digest(self) -> str:
        """SHA-256 over `dump`, hexadecimal."""
        state = hashlib.sha256()
        for line in self.dump():
            state.update(line.encode() + b"\n")
        return state.hexdigest()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        engine = self._engine.execution_options(exchange_writes=True)
        with (
            translated(engine),
            engine.connect() as connection,
            cut_after(self._answer_seconds, connection),
            connection.begin(),
        ):
            yield connection


def _engine(url: str, answer_seconds: int) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(parsed, connect_args=_connecting(parsed.get_backend_name(), answer_seconds))
    except (sa.exc.ArgumentError, ImportError) as error:
        shown = url.rsplit("@", maxsplit=1)[-1]  # never the password
        message = f"'{shown}' is no database URL: use sqlite:///PATH or postgresql://USER@HOST/NAME"
        raise StoreError(message, code="store-url-invalid") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connecting(backend: str, answer_seconds: int) -> dict[str, object]:
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
    }
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return {"connect_timeout": answer_seconds, "options": options}


def _be_the_writer(connection: sa.Connection) -> None:
    """Wait until whoever writes is done, a connection of ours that was cut off included; readers may go on."""
    if bulk.is_postgresql(connection):
        connection.exec_driver_sql("LOCK TABLE positions IN SHARE ROW EXCLUSIVE MODE")


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Readers beside one writer; a power cut may cost the last commits, position and state alike."""
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, DDL included
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # A batch dirties some thousand pages, mostly those of the batch before: written back once for several.
    connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the lock at once: what it reads first cannot change before it writes."""
    writes = connection.get_execution_options().get("exchange_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _alembic(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _bytewise(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Order text by its bytes, whatever the database's language."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, sa.Text):
        return sa.collate(column, "C")
    return column


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
