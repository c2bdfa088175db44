"""`archive.sqlite`: what was taken and is not yet in full tiles, positions, and what finds entries.

SQLite (WAL, synchronous FULL) is the write-ahead store: what a transaction put here survives a power cut, and it
holds little, since full tiles leave it for files of their own.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.archive.errors import ArchiveError, damaged, disk_error
from exchange.archive.layout import DATABASE

VERSION = 1
BUSY_SECONDS = 10.0
_TABLES = """
CREATE TABLE about (partitions INTEGER NOT NULL) STRICT;
CREATE TABLE logs (log INTEGER PRIMARY KEY, size INTEGER NOT NULL, filed INTEGER NOT NULL) STRICT;
CREATE TABLE pending (
    log INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
    entries BLOB NOT NULL, hashes BLOB NOT NULL, places BLOB NOT NULL, seal BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX pending_by_log ON pending (log, first);
CREATE TABLE positions (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE news (origin BLOB PRIMARY KEY, number INTEGER NOT NULL, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE origins (
    origin BLOB PRIMARY KEY, number INTEGER NOT NULL, place INTEGER NOT NULL, heads INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX origins_by_heads ON origins (heads);
CREATE TABLE recent (key INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (key, place)) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, level INTEGER NOT NULL, count INTEGER NOT NULL, digest BLOB NOT NULL
) STRICT;
"""


def open_for_writing(folder: Path, partitions: int) -> sqlite3.Connection:
    """The database, made if it is not there.

    Raises:
        ArchiveError: `archive-damaged`, `archive-unusable`, `archive-full`; it is of another version or has another
            number of partitions: `archive-other`.
    """
    path = folder / DATABASE
    with translated(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path, partitions)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, partitions: int) -> None:
    connection.execute("PRAGMA page_size = 16384")  # a batch is large blobs: fewer frames to write
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 2048")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        with transaction(connection, path) as cursor:
            for statement in _TABLES.split(";"):
                cursor.execute(statement)
            cursor.execute("INSERT INTO about VALUES (?)", [partitions])
            cursor.execute(f"PRAGMA user_version = {VERSION}")
    elif version != VERSION:
        message = f"{path} is of version {version}: use the program that wrote it, or one that knows version {version}"
        raise ArchiveError(message, code="archive-other")
    for (problem,) in connection.execute("PRAGMA quick_check(1)"):
        if problem != "ok":
            raise damaged(str(path), problem)
    ((made_for,),) = connection.execute("SELECT partitions FROM about").fetchall()
    if made_for != partitions:
        message = f"{path} is of a journal of {made_for} partitions, not {partitions}: their number never changes"
        raise ArchiveError(message, code="archive-other")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A database that another process may be writing to, or a copy of one where nobody may write.

    Raises:
        ArchiveError: `archive-unusable`: it is not there, or may not be read.
    """
    # Beside a database with a write-ahead file SQLite must be able to write; a closed one has none, and stays as it is.
    is_closed = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
    with translated(path):
        uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_closed else ''}"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, *, is_writing: bool = True) -> Iterator[sqlite3.Cursor]:
    """All or nothing; on the disk when it ends.

    Raises:
        ArchiveError: as `disk_error`.
    """
    with translated(path):
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors, in our words."""
    try:
        yield
    except sqlite3.Error as error:
        raise disk_error(error, str(path)) from error
