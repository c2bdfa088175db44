"""A batch's part in one log, ready for the transaction that takes it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from exchange.archive.edge import Edge, leaf_hashes
from exchange.archive.index import number_of
from exchange.archive.indexing import index_rows
from exchange.archive.layout import HEADS_LOG, PLACE, TakenRecord, pack_place
from exchange.domain.ids import digest
from exchange.tlog.tiles import WIDTH, bundle

_LOG = "INSERT INTO logs VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET size = excluded.size"
_PENDING = "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Staged:
    """Entries for the end of a log.

    Attributes:
        log: its number.
        first: index of the first entry.
        entries: the leaves.
        hashes: of each.
        places: of each, packed; empty for the log of heads.
        index: rows under which they are found.
        origins: origin, number and place of each entry that moved one, in order.
    """

    log: int
    first: int
    entries: Sequence[bytes]
    hashes: Sequence[bytes]
    places: bytes = b""
    index: Sequence[tuple[int, int]] = ()
    origins: Sequence[tuple[bytes, int, int]] = ()

    @classmethod
    def of_records(cls, log: int, first: int, records: Sequence[TakenRecord]) -> "Staged":
        """A partition's records."""
        entries: list[bytes] = []
        places: list[bytes] = []
        index: list[tuple[int, int]] = []
        origins: list[tuple[bytes, int, int]] = []
        for record in records:
            if record.entry is None:
                continue
            at = first + len(entries)
            entries.append(record.entry)
            places.append(pack_place(record))
            place = number_of(log, at)
            index += index_rows(place, record.about, record.statement)
            if record.origin is not None:
                origins.append((record.origin, record.number, place))
        return cls(log, first, entries, leaf_hashes(entries), b"".join(places), index, origins)

    @classmethod
    def of_heads(cls, first: int, entry: bytes) -> "Staged":
        """A leaf of the log of heads."""
        return cls(HEADS_LOG, first, [entry], leaf_hashes([entry]))

    def insert(self, cursor: sqlite3.Cursor) -> None:
        """Put them into the database; nothing if there are none."""
        if self.entries:
            count = len(self.entries)
            cursor.execute(_LOG, [self.log, self.first + count])
            row = (
                self.log,
                self.first,
                count,
                bundle(self.entries),
                b"".join(self.hashes),
                self.places,
                digest(self.places),
            )
            cursor.execute(_PENDING, row)


def move_out(cursor: sqlite3.Cursor, log: int, edge: Edge) -> None:
    """Take full bundles, which are in files now, out of the database; what is behind them becomes one row."""
    filed = edge.size // WIDTH * WIDTH
    skipped = filed - edge.filed
    rest = edge.entries[skipped:]
    cursor.execute("DELETE FROM pending WHERE log = ?", [log])
    cursor.execute("UPDATE logs SET filed = ? WHERE log = ?", [filed, log])
    if rest:
        hashes = edge.leaves(filed)
        places = bytes(edge.places[skipped * PLACE.size :])
        cursor.execute(_PENDING, (log, filed, len(rest), bundle(rest), hashes, places, digest(places)))
