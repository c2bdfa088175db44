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
from exchange.store.errors import StoreError
from exchange.store.queries import positions_of
from exchange.store.rows import PositionRow
from exchange.store.schema import metadata
from exchange.store.writer import Taken, take

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MILLISECONDS = 10_000
_READ_ROWS = 5_000


class Store:
    """One tracker's database. One writer at a time; any number of readers; safe in any thread."""

    def __init__(self, url: str) -> None:
        """Open by SQLAlchemy URL; nothing is read or written yet.

        Args:
            url: `sqlite:///tracker.db` or `postgresql://user@host/database`.

        Raises:
            StoreError: `store-url-invalid`.
        """
        self._engine = _engine(url)

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
        """The last record taken of each partition, by partition."""
        with self.reading() as connection:
            return {row.partition: row for row in positions_of(connection, topic)}

    def take(self, facts: Sequence[JournalFact], reached: Sequence[PositionRow]) -> Taken:
        """Store facts and fold what they touch, with the positions reached, all in one transaction.

        Args:
            facts: in the order of each partition, the next ones after the stored position.
            reached: the last record taken of each partition that moved.

        Raises:
            StoreConflict: the stored position is not before these facts; nothing was written.
            StoreError: `store-unavailable`, retriable; nothing was written.
        """
        with self._writing() as connection:
            return take(connection, facts, reached)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of everything, for `exchange.store.queries`.

        Raises:
            StoreError: `store-unavailable`, retriable.
        """
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with _translated(engine), engine.connect() as connection:
            yield connection

    def dump(self) -> Iterator[str]:
        """Every row as a line of JSON, ordered by table and key: equal states give equal lines."""
        with self.reading() as connection:
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
        with _translated(engine), engine.begin() as connection:
            yield connection


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(parsed, pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        shown = url.rsplit("@", maxsplit=1)[-1]  # never the password
        message = f"'{shown}' is no database URL: use sqlite:///PATH or postgresql://USER@HOST/NAME"
        raise StoreError(message, code="store-url-invalid") from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Readers beside one writer; a power cut may cost the last commits, position and state alike."""
    connection.isolation_level = None  # transactions begin in `_begin_sqlite`, DDL included
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the lock at once: what it reads first cannot change before it writes."""
    writes = connection.get_execution_options().get("exchange_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
        raise _refusal(engine, error) from error


def _refusal(engine: sa.Engine, error: sa.exc.DBAPIError) -> StoreError:
    """Missing tables are another matter than a database that is away; SQLite calls both operational."""
    where = engine.url.render_as_string(hide_password=True)
    if isinstance(error, sa.exc.ProgrammingError) or str(error.orig).startswith("no such"):
        message = f"the tables in {where} are not the tracker's ({error.orig}): migrate them, or check the URL"
        return StoreError(message, code="store-version")
    message = f"the tracker's database {where} does not work ({error.orig}): check that it runs and has space"
    return StoreError(message, retriable=True)


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
