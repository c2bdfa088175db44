"""The content store: what people wrote, under its commitments (rule 1.5), a SQLite file for each month.

Deleting takes salt and bytes away, and leaves who asked for it: the entry of the journal that orders the deletion.
No log is touched, so every proof stays. With the salt gone nobody can show, or guess, what the commitment was of.

What proves the directory's versions and the policies is no letter's: it lies in a file of its own, which stays, since
every decision is judged again by it.

Retention removes whole months: the file goes, and `months` keeps how many items it held and by which entry it went,
with every single deletion in it that was ordered before.

SQLite overwrites what it deletes (`secure_delete`), and the write-ahead file is cut after each deletion. What a
file system or a disk keeps of old blocks is out of its reach: keep the folder on an encrypted volume.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from exchange.archive.database import BUSY_SECONDS, open_for_reading, transaction, translated
from exchange.archive.errors import ArchiveError, damaged
from exchange.archive.layout import CONTENTS, PROOFS, Kept, contents_file, month_of
from exchange.domain.statement import Content, commitment_digest

_KEPT = 3
"""So many months stay open: records come in the order of their times, but for partitions that lag."""
_MONTH = re.compile(r"\d{4}-\d{2}")
_MONTHS = "months.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS contents (
    commitment BLOB PRIMARY KEY, salt BLOB, data BLOB, partition INTEGER, place INTEGER
) STRICT;
"""
_MONTH_TABLES = """
CREATE TABLE IF NOT EXISTS months (
    month TEXT PRIMARY KEY, items INTEGER NOT NULL, partition INTEGER NOT NULL, place INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS deleted (
    commitment BLOB PRIMARY KEY, partition INTEGER NOT NULL, place INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
_PUT = "INSERT INTO contents (commitment, salt, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_GET = "SELECT salt, data, partition, place FROM contents WHERE commitment = ?"
_DELETE = "UPDATE contents SET salt = NULL, data = NULL, partition = ?, place = ? WHERE commitment = ?"


@dataclass(frozen=True, slots=True)
class Authority:
    """The journal's entry that orders a deletion (rule 5.1): where it is."""

    partition: int
    index: int


class Contents:
    """The files of a folder. One process puts and deletes; any number read. Not for several threads at once.

    Each call opens what it needs, and closes it. As a context manager it keeps open what it opened for writing.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet.

        Args:
            folder: the archive's.
        """
        self._folder = folder / CONTENTS
        self._kept: dict[Path, sqlite3.Connection] | None = None

    def __enter__(self) -> Self:
        """From here on what is opened stays open."""
        self._kept = {}
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        for path in [*(self._kept or {})]:
            self._close(path)
        self._kept = None

    def _close(self, path: Path) -> None:
        connection = None if self._kept is None else self._kept.pop(path, None)
        if connection is not None:
            connection.close()

    def months(self) -> list[str]:
        """Months of which there are contents, the newest first, as `2026-11`."""
        return sorted(
            (path.stem for path in self._folder.glob("*.sqlite") if _MONTH.fullmatch(path.stem)), reverse=True
        )

    def parts(self) -> list[str]:
        """All files, by their names: the months, and behind them what stays for ever."""
        return [*self.months(), *([PROOFS] if contents_file(self._folder, PROOFS).exists() else [])]

    def put(self, items: Iterable[tuple[datetime, Kept]]) -> None:
        """Keep many, durably, each in the month of its time; what is there already, or was deleted, stays as it is.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`, `archive-damaged`; so do all others.
        """
        by_month: dict[str, list[tuple[bytes, bytes, bytes]]] = defaultdict(list)
        for at, kept in items:
            by_month[PROOFS if kept.is_proof else month_of(at)].append(
                (kept.commitment, kept.content.salt, kept.content.data)
            )
        for month, rows in by_month.items():
            path = contents_file(self._folder, month)
            with self._opened(path, _TABLES) as connection, transaction(connection, path) as cursor:
                cursor.executemany(_PUT, rows)

    def get(self, commitment: bytes, at: datetime | None = None) -> Content:
        """An item, which is what was committed to.

        Args:
            commitment: of it.
            at: when its entry was journalled, where that is known: so the month is found at once.

        Raises:
            ArchiveError: `content-missing`; `content-deleted`, naming the entry that ordered it; `archive-damaged`.
        """
        for month in [month_of(at), PROOFS] if at is not None else self.parts():
            path = contents_file(self._folder, month)
            row = self._row(path, commitment) if path.exists() else None
            if row is not None:
                return _content(path, commitment, row)
        raise self._gone(commitment, at)

    def proof(self, digest: bytes) -> bytes | None:
        """A file that proves a version of the directory, a policy or a revocation list; never anything of a letter.

        Args:
            digest: of its bytes.

        Raises:
            ArchiveError: `archive-damaged`: it is not what it was.
        """
        path = contents_file(self._folder, PROOFS)
        row = self._row(path, digest) if path.exists() else None
        return None if row is None or row[0] else _content(path, digest, row).data

    def proofs(self) -> list[bytes]:
        """Digests of all files that `proof` gives."""
        path = contents_file(self._folder, PROOFS)
        if not path.exists():
            return []
        with closing(open_for_reading(path)) as connection, translated(path):
            return [each for (each,) in connection.execute("SELECT commitment FROM contents WHERE length(salt) = 0")]

    def delete(self, commitment: bytes, authority: Authority) -> None:
        """Take an item's salt and bytes away for good; of one that is deleted already the first authority stays.

        Raises:
            ArchiveError: `content-missing`.
        """
        for month in self.months():
            path = contents_file(self._folder, month)
            row = self._row(path, commitment)
            if row is None:
                continue
            if row[0] is not None:
                with self._opened(path, _TABLES) as connection:
                    with transaction(connection, path) as cursor:
                        cursor.execute(_DELETE, [authority.partition, authority.index, commitment])
                    _cut(connection, path)
            return
        gone = self._gone(commitment, None)
        if gone.code != "content-deleted":
            raise gone

    def forget(self, month: str, authority: Authority) -> int:
        """Remove all of a month; how many items that were.

        Raises:
            ArchiveError: `content-missing`: there is no such month.
        """
        path = contents_file(self._folder, month)
        if not (_MONTH.fullmatch(month) and path.exists()):
            message = f"the content store has nothing of month {month}: name one of {', '.join(self.months()[:24])}"
            raise ArchiveError(message, code="content-missing")
        with closing(open_for_reading(path)) as connection, translated(path):
            tombstones = "SELECT commitment, partition, place FROM contents WHERE salt IS NULL"
            deleted = connection.execute(tombstones).fetchall()
            (items,) = connection.execute("SELECT count(*) FROM contents").fetchone()
        months = self._folder / _MONTHS
        with self._opened(months, _MONTH_TABLES) as connection, transaction(connection, months) as cursor:
            row = (month, items, authority.partition, authority.index)
            cursor.execute("INSERT OR IGNORE INTO months VALUES (?, ?, ?, ?)", row)
            cursor.executemany("INSERT OR IGNORE INTO deleted VALUES (?, ?, ?)", deleted)
        self._close(path)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return int(items)

    def check(self, month: str) -> Iterator[bytes]:
        """Every commitment of a month, or of `PROOFS`, whose item is not what it commits to.

        Raises:
            ArchiveError: `archive-damaged`: the file itself is broken.
        """
        path = contents_file(self._folder, month)
        with closing(open_for_reading(path)) as connection, translated(path):
            for (problem,) in connection.execute("PRAGMA integrity_check(1)"):
                if problem != "ok":
                    raise damaged(str(path), problem)
            for commitment, salt, data in connection.execute("SELECT commitment, salt, data FROM contents"):
                if salt is not None and commitment_digest(Content(salt, data)) != commitment:
                    yield commitment

    def _row(self, path: Path, commitment: bytes) -> tuple[bytes | None, bytes, int, int] | None:
        with closing(open_for_reading(path)) as connection, translated(path):
            row: tuple[bytes | None, bytes, int, int] | None = connection.execute(_GET, [commitment]).fetchone()
        return row

    def _gone(self, commitment: bytes, at: datetime | None) -> ArchiveError:
        """Why there is no such item."""
        order = self.order(commitment, at)
        if order is not None:
            return _deleted(commitment, order.partition, order.index)
        message = f"the content store has nothing under {commitment.hex()}: compare it with the statement's commitments"
        return ArchiveError(message, code="content-missing")

    def order(self, commitment: bytes, at: datetime | None = None) -> Authority | None:
        """By which an item went that is in no month's file any more; None when none is known.

        Args:
            commitment: of it.
            at: when its entry was journalled, where that is known: else only what was deleted for itself is found.
        """
        path = self._folder / _MONTHS
        row = None
        if path.exists():
            with closing(open_for_reading(path)) as connection, translated(path):
                sought = "SELECT partition, place FROM deleted WHERE commitment = ?"
                row = connection.execute(sought, [commitment]).fetchone()
                if row is None and at is not None:
                    sought = "SELECT partition, place FROM months WHERE month = ?"
                    row = connection.execute(sought, [month_of(at)]).fetchone()
        return None if row is None else Authority(*row)

    @contextmanager
    def _opened(self, path: Path, tables: str) -> Iterator[sqlite3.Connection]:
        """A file to write to, made if it is not there."""
        connection = None if self._kept is None else self._kept.get(path)
        if connection is None:
            connection = _open(path, tables)
        if self._kept is None:
            with closing(connection):
                yield connection
            return
        self._kept[path] = connection
        while len(self._kept) > _KEPT:
            self._close(next(iter(self._kept)))
        yield connection


def _open(path: Path, tables: str) -> sqlite3.Connection:
    with translated(path), ExitStack() as stack:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        stack.enter_context(closing(connection))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(tables)
        stack.pop_all()
    return connection


def _cut(connection: sqlite3.Connection, path: Path) -> None:
    """Empty the write-ahead file, which holds what was deleted."""
    with translated(path):
        (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        message = f"{path} is being read: the deletion holds, and what was deleted leaves {path.name}-wal with the next"
        raise ArchiveError(message, code="archive-unusable", retriable=True)


def _content(path: Path, commitment: bytes, row: tuple[bytes | None, bytes, int, int]) -> Content:
    salt, data, partition, place = row
    if salt is None:
        raise _deleted(commitment, partition, place)
    content = Content(salt, data)
    if commitment_digest(content) != commitment:
        raise damaged(str(path), f"the item under {commitment.hex()} is not what was committed to")
    return content


def _deleted(commitment: bytes, partition: int, place: int) -> ArchiveError:
    message = (
        f"the item under {commitment.hex()} was deleted by the order of entry {place} of journal/{partition}: "
        "read that entry for who ordered it, and why"
    )
    return ArchiveError(message, code="content-deleted")
