"""Tables brought to this release's form while everybody goes on reading and writing (`docs/operate/upgrade.md`).

**Expand, then contract.** Programs of one release work on the tables of the next one: a revision only adds tables and
columns, the columns with a constant default or none, so that no row is written again and nobody misses them. What is
no longer used goes with the release after. A revision's number says so itself: `0005.0004` is the fifth, and programs
that know the fourth still work on its tables. Where that cannot be, the number stands alone and all must stop.

**No lock for long.** Whoever waits for a lock holds up everybody behind it. So a revision is a transaction of its own
that waits for a second, stands back, and tries again.

**Indexes are built beside the work.** After the revisions, each table gets the indexes that its schema declares and
it has not, one by one, `CONCURRENTLY`; those that are declared no more are dropped in the same way. One that was
interrupted stays behind as invalid: it is dropped and built again. Whoever changes an index gives it another name and
adds a revision, an empty one if need be: by that, programs of the release before leave it alone.

One process at a time does this. It holds a lock of its session, which the others ask for again and again: if one of
them waited for it within a statement, a concurrent build would wait for that statement, for ever.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from exchange.store import bulk
from exchange.store.errors import StoreError

HEAD = "head"
LOCK_SECONDS = 1
TRIES = 60
STAND_BACK_SECONDS = 0.5
"""Others get what they waited for meanwhile."""

_LOCK = 0x65786368616E6765  # "exchange"
_LOCK_NOT_AVAILABLE = "55P03"
_INDEXES = """
    SELECT own.relname, pg_index.indisvalid FROM pg_index
    JOIN pg_class AS own ON own.oid = pg_index.indexrelid
    JOIN pg_class AS of ON of.oid = pg_index.indrelid
    WHERE of.relname = ANY(%s) AND of.relnamespace = current_schema()::regnamespace AND NOT pg_index.indisprimary
"""

Transaction = Callable[[], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True, slots=True)
class Tables:
    """Whose tables, and what they are like.

    Attributes:
        migrations: the folder of their Alembic environment.
        version: the table that names the revision that was reached.
        schema: what they are like in this release.
    """

    migrations: Path
    version: str
    schema: Sequence[sa.MetaData]

    def each(self) -> list[sa.Table]:
        """All of them, in the order of their names."""
        return sorted((table for one in self.schema for table in one.tables.values()), key=lambda table: table.name)


def migrate(connection: sa.Connection, transaction: Transaction, tables: Tables, target: str) -> None:
    """Bring tables up to a revision, and at the last one their indexes to what this release declares.

    Args:
        connection: on PostgreSQL one that commits by itself, on SQLite a writer's.
        transaction: opens one for a revision.
        tables: whose.
        target: a revision, or `HEAD`.

    Raises:
        StoreError: `store-version`: they are of a release that this one cannot work beside; `store-unavailable`,
            retriable: another process is at it, or a lock was not to be had.
    """
    if is_ahead(connection, tables) or not (_left(connection, tables, target) or _amiss(connection, tables)):
        return
    with _alone(connection):
        for revision in _left(connection, tables, target):
            _upgrade(transaction, tables, revision)
        for work in _amiss(connection, tables) if target == HEAD else ():
            connection.execute(work)


def drop(connection: sa.Connection, tables: Tables) -> None:
    """Take all tables down, with everything in them, of whatever revision they are."""
    for one in tables.schema:
        one.drop_all(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {tables.version}")


def is_ahead(connection: sa.Connection, tables: Tables) -> bool:
    """Whether a newer release, whose tables this one can still work on, has been here.

    Raises:
        StoreError: `store-version`: it cannot.
    """
    reached, script = _reached(connection, tables), _script(tables)
    known = {revision.revision for revision in script.walk_revisions()}
    if reached is None or reached in known:
        return False
    number, _, oldest = reached.partition(".")
    own = (script.get_current_head() or "").partition(".")[0]
    if not oldest or oldest > own:
        message = f"the tables are of revision {number}, this release knows {own}: start the newer release"
        raise StoreError(message, code="store-version")
    return True


def _upgrade(transaction: Transaction, tables: Tables, revision: str) -> None:
    for _ in range(TRIES):
        try:
            with transaction() as connection:
                if bulk.is_postgresql(connection):
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                command.upgrade(_config(tables, connection), revision)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            time.sleep(STAND_BACK_SECONDS)
        else:
            return
    message = f"revision {revision} got no lock on its tables in {TRIES} tries: see which transaction holds one"
    raise StoreError(message, retriable=True)


def _alone(connection: sa.Connection) -> AbstractContextManager[None]:
    """Nobody else changes tables meanwhile; SQLite has one writer anyway."""
    return _locked(connection) if bulk.is_postgresql(connection) else nullcontext()


@contextmanager
def _locked(connection: sa.Connection) -> Iterator[None]:
    for _ in range(TRIES):
        if connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).scalar_one():
            break
        time.sleep(STAND_BACK_SECONDS)
    else:
        message = "another process changes the tables: this one goes on when that is done"
        raise StoreError(message, retriable=True)
    try:
        # A concurrent build waits for every transaction that is older than it, and holds up none of them.
        connection.exec_driver_sql("SET lock_timeout = 0")
        yield
    finally:
        connection.invalidate()  # and with its session end the lock and this setting


def _left(connection: sa.Connection, tables: Tables, target: str) -> list[str]:
    """Revisions still to be made, the first one first."""
    revisions = _script(tables).iterate_revisions(target, _reached(connection, tables) or "base")
    return [revision.revision for revision in revisions][::-1]


def _reached(connection: sa.Connection, tables: Tables) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": tables.version}).get_current_revision()


def _amiss(connection: sa.Connection, tables: Tables) -> list[sa.Executable]:
    """What is to be done so that all indexes are as declared."""
    is_valid = _indexes(connection, tables)
    wanted = {str(index.name): index for table in tables.each() for index in _concurrent(table).indexes}
    gone = [name for name, valid in is_valid.items() if name not in wanted or not valid]
    new = [index for name, index in wanted.items() if not is_valid.get(name)]
    concurrently = " CONCURRENTLY" if bulk.is_postgresql(connection) else ""
    return [sa.text(f"DROP INDEX{concurrently} {name}") for name in gone] + [sa.schema.CreateIndex(one) for one in new]


def _indexes(connection: sa.Connection, tables: Tables) -> dict[str, bool]:
    """The indexes that there are, but those of keys, and whether they were finished."""
    names = [table.name for table in tables.each()]
    if bulk.is_postgresql(connection):
        return {name: valid for name, valid in connection.exec_driver_sql(_INDEXES, (names,))}  # noqa: C416  # rows
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names())
    return {str(index["name"]): True for name in names if name in there for index in inspector.get_indexes(name)}


def _concurrent(table: sa.Table) -> sa.Table:
    """The same table with indexes that are built beside the work; SQLite does not look at that."""
    copy = table.to_metadata(sa.MetaData())
    for index in copy.indexes:
        index.dialect_options["postgresql"]["concurrently"] = True
    return copy


def _script(tables: Tables) -> ScriptDirectory:
    return ScriptDirectory(str(tables.migrations))


def _config(tables: Tables, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(tables.migrations).replace("%", "%%"))
    config.attributes.update(connection=connection, version=tables.version)
    return config
