"""What finds an entry: by the letter that it is about, by its statement's digest, by its origin.

Digests are looked up by their first 63 bits in a small table of what came lately and in **runs**, each a sorted
SQLite file that never changes; runs of a level are merged into one of the next, so that there are few. What is found
is compared with the place that stands beside the entry, which has 16 bytes of either digest.

The index is derived: `exchange.archive.indexing` makes it again from the places. Places themselves are not: a tile
does not say at which offset of Kafka, and when, its entry stood; who lost the places has the entries still.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from exchange.archive.database import open_for_reading, transaction, translated
from exchange.archive.errors import ArchiveError, damaged
from exchange.archive.layout import (
    DATABASE,
    INDEX,
    KEY_BYTES,
    PLACE,
    Place,
    log_name,
    place_file,
    unpack_place,
)
from exchange.tlog.tiles import WIDTH

INDEX_BITS = 40
"""Of a place as one number: partition, then index in its log."""
_RUN = "SELECT place FROM run WHERE key = ?"
_RECENT = "SELECT place FROM recent WHERE key = ?"
_ORIGINS = "SELECT origin, number, place, heads FROM origins WHERE heads >= ? ORDER BY heads, origin"
_OPEN_RUNS = 64
_TRIES = 3


def key_of(digest: bytes) -> int:
    """By what a digest is looked up: its first 63 bits."""
    return int.from_bytes(digest[:8]) >> 1


def number_of(partition: int, index: int) -> int:
    """A place as one number."""
    return partition << INDEX_BITS | index


def place_of_number(number: int) -> tuple[int, int]:
    """Partition and index."""
    return number >> INDEX_BITS, number & ((1 << INDEX_BITS) - 1)


def run_file(folder: Path, number: int) -> Path:
    """A run's file."""
    return folder / INDEX / f"{number}.run"


@dataclass(frozen=True, slots=True)
class OriginHead:
    """An origin's newest entry that stands under a heads leaf.

    Attributes:
        origin: 16 bytes.
        number: its last statement's.
        partition: where its entry is.
        index: in that partition's log.
        heads: index of the first heads leaf over it.
    """

    origin: bytes
    number: int
    partition: int
    index: int
    heads: int


class _RunGone(Exception):
    """A run that the rows name is no longer there."""


class Index:
    """Read-only, beside whoever writes; a context manager. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet.

        Args:
            folder: the archive's.
        """
        self._folder = folder
        self._path = folder / DATABASE
        self._runs: OrderedDict[int, sqlite3.Connection] = OrderedDict()
        self._stack = ExitStack()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            ArchiveError: `archive-unusable`; so may all others, and `archive-damaged`.
        """
        self._connection = self._stack.enter_context(closing(open_for_reading(self._path)))
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        while self._runs:
            self._runs.popitem()[1].close()
        self._connection = None
        self._stack.close()

    def places(self, about: bytes) -> list[Place]:
        """Entries about a letter, its own first: in order of journal time, then of partition and index.

        Args:
            about: the letter's digest.
        """
        found = [place for place, key, _ in self._found(about) if key == about[:KEY_BYTES]]
        return sorted(found, key=lambda place: (place.journalled, place.partition, place.index))

    def place_of(self, statement: bytes) -> Place:
        """The entry of a statement; of several, as an operator's repetition makes them, the first.

        Raises:
            ArchiveError: `entry-missing`.
        """
        found = [place for place, _, key in self._found(statement) if key == statement[:KEY_BYTES]]
        if not found:
            message = f"the archive has no entry of statement {statement.hex()}: compare the digest, or wait for it"
            raise ArchiveError(message, code="entry-missing")
        return min(found, key=lambda place: (place.journalled, place.partition, place.index))

    def origin_heads(self, since: int = 0) -> list[OriginHead]:
        """Origins whose newest entry came under a heads leaf from the `since`-th on, the earliest leaf first."""
        with translated(self._path):
            rows = self._opened().execute(_ORIGINS, [since]).fetchall()
        return [OriginHead(origin, number, *place_of_number(place), heads) for origin, number, place, heads in rows]

    def _found(self, digest: bytes) -> list[tuple[Place, bytes, bytes]]:
        """Whatever stands under a digest's key; looked up anew when a run went meanwhile, merged with others."""
        for _ in range(_TRIES):
            with suppress(_RunGone):
                return self._found_now([key_of(digest)])
        message = f"{self._folder / INDEX} changes faster than it is read, or lacks a run: rebuild the index"
        raise ArchiveError(message, code="archive-unusable", retriable=True)

    def _found_now(self, key: Sequence[int]) -> list[tuple[Place, bytes, bytes]]:
        with transaction(self._opened(), self._path, is_writing=False) as cursor:
            numbers = {number for (number,) in cursor.execute(_RECENT, key)}
            for (run,) in cursor.execute("SELECT number FROM runs").fetchall():
                numbers |= {number for (number,) in self._run(run).execute(_RUN, key)}
            return [self._place(cursor, *place_of_number(number)) for number in sorted(numbers)]

    def _place(self, cursor: sqlite3.Cursor, partition: int, index: int) -> tuple[Place, bytes, bytes]:
        row = cursor.execute("SELECT size, filed FROM logs WHERE log = ?", [partition]).fetchone()
        if row is None or not 0 <= index < row[0]:
            message = f"the archive has no entry {index} of {log_name(partition)}: it has not been taken yet"
            raise ArchiveError(message, code="entry-missing")
        if index < row[1]:
            return unpack_place(partition, index, self._filed(partition, index))
        sought = "SELECT first, places FROM pending WHERE log = ? AND first <= ? ORDER BY first DESC LIMIT 1"
        first, places = cursor.execute(sought, [partition, index]).fetchone()
        at = (index - first) * PLACE.size
        return unpack_place(partition, index, places[at : at + PLACE.size])

    def _filed(self, partition: int, index: int) -> bytes:
        path = self._folder / place_file(log_name(partition), index // WIDTH)
        try:
            with path.open("rb") as file:
                file.seek(index % WIDTH * PLACE.size)
                data = file.read(PLACE.size)
        except FileNotFoundError:
            data = b""
        if len(data) != PLACE.size:
            raise damaged(str(path), "its place is gone", index)
        return data

    def _run(self, number: int) -> sqlite3.Connection:
        connection = self._runs.get(number)
        if connection is None:
            path = run_file(self._folder, number)
            if not path.exists():
                raise _RunGone
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            self._runs[number] = connection
            if len(self._runs) > _OPEN_RUNS:
                self._runs.popitem(last=False)[1].close()
        return connection

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            message = "the index is not open: use `with`"
            raise RuntimeError(message)
        return self._connection
