"""What a witness remembers: for each log the checkpoint that it cosigned last, and how far it looked into it.

Whoever puts an older copy of this file back makes the witness forget what it said: it could then cosign a second past.
So nothing here is ever restored; a witness that lost it begins anew with another key (docs/witness.md).
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from exchange.services.witness.errors import state_failed
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head
from exchange.tlog.merkle import EMPTY_ROOT

KEPT_CHECKPOINTS = 10_000
"""So many of a log's checkpoints are remembered, to know another one of the same size for what it is."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
    looked INTEGER NOT NULL, looked_root BLOB NOT NULL, looked_heads BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (origin, size)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a log of heads was looked through.

    Attributes:
        size: heads seen.
        root: of these.
        heads: the last of them, an entry; empty when there is none.
    """

    size: int = 0
    root: bytes = EMPTY_ROOT
    heads: bytes = b""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a log; size 0 of one that was never cosigned."""

    head: Head
    looked: Looked


class WitnessState:
    """A context manager over one SQLite file; for several threads, and for several processes.

    Durability: what `advance` and `look` return is on the disk. `advance` compares and writes in one transaction, so
    of two checkpoints that go on from the same one, one is taken.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection

    def __enter__(self) -> Self:
        """Open or make the file.

        Raises:
            WitnessFailed: `witness-state-failed`.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise state_failed(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._connection.close()

    def known(self, origin: str) -> Known:
        """What is known of a log.

        Raises:
            WitnessFailed: `witness-state-failed`; so may all others.
        """
        row = self._row("SELECT size, root, looked, looked_root, looked_heads FROM logs WHERE origin = ?", origin)
        if row is None:
            return Known(Head(0, EMPTY_ROOT), Looked())
        size, root, *looked = row
        return Known(Head(size, root), Looked(*looked))

    def cosigned(self, origin: str, size: int) -> str | None:
        """The signed checkpoint of that size that was cosigned, as long as it is remembered."""
        row = self._row("SELECT note FROM cosigned WHERE origin = ? AND size = ?", origin, size)
        return None if row is None else row[0]

    def advance(self, before: Head, checkpoint: Checkpoint, note: str) -> bool:
        """Remember a checkpoint as the last one, if the last one is still `before`.

        Args:
            before: what it was judged by.
            checkpoint: what is to be cosigned now.
            note: the same as the log signed it.

        Returns:
            False: another one came in between, and nothing changed.
        """
        origin, size = checkpoint.origin, checkpoint.size
        with self._writing(origin) as cursor:
            cursor.execute(
                "UPDATE logs SET size = ?, root = ? WHERE origin = ? AND size = ? AND root = ?",
                (size, checkpoint.root, origin, before.size, before.root),
            )
            if cursor.rowcount != 1:
                return False
            cursor.execute("INSERT OR IGNORE INTO cosigned VALUES (?, ?, ?)", (origin, size, note))
            cursor.execute(
                "DELETE FROM cosigned WHERE origin = ?1 AND size <= "
                "(SELECT size FROM cosigned WHERE origin = ?1 ORDER BY size DESC LIMIT 1 OFFSET ?2)",
                (origin, KEPT_CHECKPOINTS),
            )
        return True

    def look(self, origin: str, before: Looked, looked: Looked) -> None:
        """Remember how far a log was looked through; of two who look at once the second changes nothing."""
        with self._writing(origin) as cursor:
            cursor.execute(
                "UPDATE logs SET looked = ?, looked_root = ?, looked_heads = ?"
                " WHERE origin = ? AND looked = ? AND looked_root = ?",
                (looked.size, looked.root, looked.heads, origin, before.size, before.root),
            )

    @contextmanager
    def _writing(self, origin: str) -> Iterator[sqlite3.Cursor]:
        """A transaction in which the log has its row."""
        with self._lock:
            try:
                with closing(self._connection.execute("BEGIN IMMEDIATE")) as cursor:
                    nothing = (origin, EMPTY_ROOT, EMPTY_ROOT)
                    cursor.execute("INSERT INTO logs VALUES (?, 0, ?, 0, ?, x'') ON CONFLICT DO NOTHING", nothing)
                    yield cursor
                    cursor.execute("COMMIT")
            except sqlite3.Error as error:
                raise state_failed(self._path, error) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()

    def _row(self, statement: str, *values: str | int) -> tuple[Any, ...] | None:
        with self._lock:
            try:
                row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
            except sqlite3.Error as error:
                raise state_failed(self._path, error) from error
        return row
