"""Making the index: what came lately goes into a small table, from there into sorted runs, which are merged.

A run is written beside the database, is complete and synced before its row names it, and never changes. Files that no
row names are left from a crash, or were merged: they are removed a flush later, so that who just looked the rows up
still finds them.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from threading import Event
from typing import Self

from exchange.archive.database import transaction, translated
from exchange.archive.errors import damaged
from exchange.archive.index import key_of, number_of, run_file
from exchange.archive.layout import DATABASE, INDEX, NO_KEY, PLACE, are_sealed, log_name, place_file
from exchange.security.files import sync_folder
from exchange.tlog.tiles import WIDTH

PUT_RECENT = "INSERT OR IGNORE INTO recent VALUES (?, ?)"
RECENT = 16_384
"""Rows that the small table may have before they become a run."""
MERGED = 8
"""Runs of a level that become one of the next; SQLite attaches ten files at most."""
_WAITING = 4
"""So many times that wait to be merged at most, before entries wait for it."""
_STEPS = 100_000
"""Of SQLite's machine, after which a merge looks whether it is to end."""


def index_rows(place: int, about: bytes | None, statement: bytes | None) -> Iterable[tuple[int, int]]:
    """Under which keys an entry is found.

    Args:
        place: its place as one number.
        about: digest of what it is about, or the beginning of that.
        statement: of its statement, in the same way.
    """
    if about:
        yield key_of(about), place
    if statement and statement != about:
        yield key_of(statement), place


def filed_rows(folder: Path, partition: int, filed: int) -> Iterator[tuple[int, int]]:
    """The rows of a log's entries in full bundles, out of their places.

    Raises:
        ArchiveError: `archive-damaged`: a file of places is not what was written.
    """
    for bundle in range(filed // WIDTH):
        path = folder / place_file(log_name(partition), bundle)
        if not path.exists() or not are_sealed(data := path.read_bytes()):
            raise damaged(str(path), "it is not what was written")
        yield from packed_rows(partition, bundle * WIDTH, data[: WIDTH * PLACE.size])


def packed_rows(partition: int, first: int, packed: bytes) -> Iterator[tuple[int, int]]:
    """The rows of entries whose places follow one another from the `first` on."""
    for at, (_, _, about, statement) in enumerate(PLACE.iter_unpack(packed), first):
        is_about, is_said = about != NO_KEY, statement != NO_KEY
        yield from index_rows(number_of(partition, at), about if is_about else None, statement if is_said else None)


@dataclass(frozen=True, slots=True)
class _Merge:
    """Runs that are being merged; `done` gives how many rows the new one has, and its digest."""

    number: int
    level: int
    merged: Sequence[int]
    done: Future[tuple[int, bytes]]


class Runs:
    """The runs of an archive; for its writer. A context manager.

    Runs are merged in a thread of their own, one merge at a time: entries come meanwhile, and are found.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        """Remove what no row names."""
        self._folder = folder
        self._path = folder / DATABASE
        self._connection = connection
        self._merge: _Merge | None = None
        self._is_closing = Event()
        self._thread = ThreadPoolExecutor(1, "archive-index")
        with translated(self._path):
            self._recent = int(connection.execute("SELECT count(*) FROM recent").fetchone()[0])
            self._last = int(connection.execute("SELECT coalesce(max(number), 0) FROM runs").fetchone()[0])
        self._sweep()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give up what is being merged: its runs are still there."""
        self._is_closing.set()
        self._thread.shutdown()

    def added(self, rows: int) -> None:
        """So many came into the small table."""
        self._recent += rows

    def settle(self) -> None:
        """Make a run of what came lately, when that is much, and see to it that levels that are full are merged.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`; nothing is lost, and it is tried again.
        """
        self._end_merge(is_awaited=len(self._of_level(0)) >= _WAITING * MERGED)
        if self._recent < RECENT:
            return
        self._sweep()
        number = self._next()
        written = _write_run(run_file(self._folder, number), [self._path], "recent", self._is_closing)
        self._publish(number, 0, [], written)
        self._recent = 0
        if self._merge is None:
            self._begin_merge()

    def rebuild(self, rows: Iterable[tuple[int, int]]) -> None:
        """Make the index again of all rows that it is to have."""
        self._end_merge(is_awaited=True)
        with transaction(self._connection, self._path) as cursor:
            cursor.execute("DELETE FROM recent")
            cursor.execute("DELETE FROM runs")
        self._recent = 0
        left = iter(rows)
        while some := list(islice(left, RECENT)):
            with transaction(self._connection, self._path) as cursor:
                cursor.executemany(PUT_RECENT, some)
            self._recent += len(some)
            self.settle()

    def _begin_merge(self) -> None:
        with translated(self._path):
            rows = self._connection.execute("SELECT level, number FROM runs ORDER BY level, number").fetchall()
        for level, group in groupby(rows, key=itemgetter(0)):
            merged = [number for _, number in group][:MERGED]
            if len(merged) == MERGED:
                number = self._next()
                sources = [run_file(self._folder, each) for each in merged]
                path = run_file(self._folder, number)
                done = self._thread.submit(_write_run, path, sources, "run", self._is_closing)
                self._merge = _Merge(number, level + 1, merged, done)
                return

    def _end_merge(self, *, is_awaited: bool) -> None:
        merge = self._merge
        if merge is not None and (is_awaited or merge.done.done()):
            self._merge = None
            self._publish(merge.number, merge.level, merge.merged, merge.done.result())

    def _publish(self, number: int, level: int, merged: Sequence[int], written: tuple[int, bytes]) -> None:
        """Name a run instead of those that were merged into it, or of the small table's rows."""
        with transaction(self._connection, self._path) as cursor:
            if merged:
                cursor.executemany("DELETE FROM runs WHERE number = ?", [(each,) for each in merged])
            else:
                cursor.execute("DELETE FROM recent")
            cursor.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (number, level, *written))

    def _of_level(self, level: int) -> list[int]:
        with translated(self._path):
            rows = self._connection.execute("SELECT number FROM runs WHERE level = ? ORDER BY number", [level])
            return [number for (number,) in rows]

    def _next(self) -> int:
        """A run's number, never one that was there: who reads may still know that."""
        self._last += 1
        return self._last

    def _sweep(self) -> None:
        with translated(self._path):
            named = {number for (number,) in self._connection.execute("SELECT number FROM runs")}
        if self._merge is not None:
            named.add(self._merge.number)
        for path in (self._folder / INDEX).iterdir():
            if not (path.stem.isdigit() and int(path.stem) in named and path.suffix == ".run"):
                path.unlink()


def _write_run(path: Path, sources: Sequence[Path], table: str, is_closing: Event) -> tuple[int, bytes]:
    """Write a run of all rows of some tables, sorted; how many they are, and the file's digest."""
    path.unlink(missing_ok=True)
    with translated(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_progress_handler(is_closing.is_set, _STEPS)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE run (key INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (key, place)) WITHOUT ROWID"
        )
        for number, source in enumerate(sources):
            connection.execute(f"ATTACH ? AS source{number}", [str(source)])
        chosen = " UNION ALL ".join(
            f"SELECT key, place FROM source{number}.{table}"  # noqa: S608  # names of ours
            for number in range(len(sources))
        )
        count = connection.execute(f"INSERT INTO run {chosen} ORDER BY key, place").rowcount
    sync_folder(path.parent)
    return count, file_digest(path)


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
