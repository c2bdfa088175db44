"""The archive's one writer: entries into logs, so that no moment at which it may die leaves anything torn.

`take` of a batch, and what a power cut leaves behind each step:

1. Contents go into their month's file, committed. Left: contents that no entry names yet; the batch comes again.
2. One transaction in `archive.sqlite`: entries, leaf hashes, places, index, origins, positions. Left: all or nothing.

That is all that `take` promises. Full bundles and tiles leave the database later, many at a time (`put_away`):

3. Their bytes are written into `tmp/` and synced. Left: files there, which the next start removes.
4. They get their names, and the folders are synced. Left: some of them, which the database does not count yet: they
   are written again with the same bytes, since nothing in them depends on when they are written.
5. One transaction takes them out of the database. Left: all or nothing.

A checkpoint is kept (`keep_checkpoint`) behind everything that it is over:

6. Full tiles up to it are put away, 3 to 5; then partial ones are written, which need no syncing, since each start
   writes them again.
7. The note takes its name atomically and is synced. Left: the note before, whose tiles are all still there.
8. Partial tiles of earlier checkpoints go.

A new leaf of the log of heads (`add_heads`) is step 2 for that log; if its checkpoint was never kept, `unsigned` says
so after the next start, so that no second one is signed for its size.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from typing import Self

from exchange.archive.agreement import Logs
from exchange.archive.contents import Contents
from exchange.archive.database import open_for_writing, transaction, translated
from exchange.archive.durable import Files, locked
from exchange.archive.errors import ArchiveError
from exchange.archive.indexing import PUT_RECENT, Runs, filed_rows, packed_rows
from exchange.archive.layout import (
    CONTENTS,
    DATABASE,
    ENTRY_BYTES,
    HEADS_LOG,
    INDEX,
    LOCK,
    Position,
    TakenRecord,
    log_name,
    place_file,
    seal_places,
    tile_file,
)
from exchange.archive.opening import load_edge
from exchange.archive.publishing import Publisher
from exchange.archive.staging import Staged, move_out
from exchange.tlog.checkpoint import Checkpoint, unproven
from exchange.tlog.heads import Head, Heads
from exchange.tlog.tiles import ENTRIES, WIDTH

PUT_AWAY_BYTES = 16 << 20
"""So much waits in the database before it is put away, in full bundles."""


class ArchiveWriter:
    """A context manager; the only writer of a folder. Not for several threads at once.

    Durability: what `take` and `add_heads` returned from survives a power cut. Who was refused for want of space may
    call again with the same.
    """

    def __init__(self, folder: Path, partitions: int, after: Checkpoint | None = None) -> None:
        """Nothing is opened yet.

        Args:
            folder: the archive's; made if it is not there.
            partitions: of the journal; never changes.
            after: last witnessed checkpoint of the log that was lost, for the first leaf of the one that goes on for
                it (rule 5.4).
        """
        self.folder = folder
        self.partitions = partitions
        self.contents = Contents(folder)
        self._after = after
        self._path = folder / DATABASE
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Lock the folder, open it and look whether its right edge is what was written.

        Raises:
            ArchiveError: `archive-in-use`, `archive-damaged`, `archive-other`, `archive-unusable`, `archive-full`.
        """
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder / LOCK))
            self._connection = stack.enter_context(closing(open_for_writing(self.folder, self.partitions)))
            self._files = Files(self.folder)
            self._files.make_folders(CONTENTS, INDEX)
            stack.enter_context(self.contents)
            self._runs = stack.enter_context(Runs(self.folder, self._connection))
            self._edges = {
                log: load_edge(self.folder, self._connection, log) for log in range(HEADS_LOG, self.partitions)
            }
            self._all = Logs(self.folder, self._edges)
            self._publisher = Publisher(self._files, self._all)
            self._heads = self._all.newest_heads()
            self._positions = self._stored_positions()
            self._waiting = self._unfiled_bytes()
            self._publisher.open()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Close and unlock it; nothing waits to be written."""
        self._stack.close()

    @property
    def positions(self) -> Mapping[int, Position | None]:
        """Of each partition, what was taken last; None before the first."""
        return {partition: self._positions.get(partition) for partition in range(self.partitions)}

    @property
    def logs(self) -> tuple[Head, ...]:
        """Size and root of each partition's log now."""
        return tuple(self._head(partition) for partition in range(self.partitions))

    @property
    def heads(self) -> Heads | None:
        """The newest leaf of the log of heads."""
        return self._heads

    @property
    def head(self) -> Head:
        """Size and root of the log of heads: what a checkpoint is to say."""
        return self._head(HEADS_LOG)

    @property
    def unsigned(self) -> Heads | None:
        """The newest leaf of the log of heads, if no checkpoint over it was kept."""
        return self._heads if self._publisher.kept < self._edges[HEADS_LOG].size else None

    def root_at(self, log: int, size: int) -> bytes:
        """Root of a log, a partition's or `HEADS_LOG`, at a size that it had."""
        return self._all.root(log, size)

    def take(self, batch: Sequence[TakenRecord]) -> None:
        """Take records of the journal, each partition's in order; on disk when it returns.

        Raises:
            ArchiveError: `archive-full`, retriable, nothing of it was taken; `archive-order`: a record was
                taken before, or cannot be one of this journal; `archive-unusable`; `archive-damaged`.
        """
        self._require_order(batch)
        if self._waiting >= PUT_AWAY_BYTES:
            self.put_away()
        self._runs.settle()
        self.contents.put((record.journalled, kept) for record in batch for kept in record.contents)
        by_log: dict[int, list[TakenRecord]] = defaultdict(list)
        for record in batch:
            by_log[record.partition].append(record)
        staged = {log: Staged.of_records(log, self._edges[log].size, records) for log, records in by_log.items()}
        rows = [row for each in staged.values() for row in each.index]
        positions = {log: Position(records[-1].offset, records[-1].digest) for log, records in by_log.items()}
        with transaction(self._connection, self._path) as cursor:
            for each in staged.values():
                each.insert(cursor)
            cursor.executemany(PUT_RECENT, rows)
            moved = [(log, position.offset, position.digest) for log, position in positions.items()]
            cursor.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", moved)
            origins = {row[0]: row for each in staged.values() for row in each.origins}
            cursor.executemany("INSERT OR REPLACE INTO news VALUES (?, ?, ?)", origins.values())
        for each in staged.values():
            self._append(each)
        self._positions |= positions
        self._runs.added(len(rows))

    def add_heads(self, now: int) -> Heads | None:
        """Add a leaf to the log of heads, if any log grew since the last.

        Args:
            now: seconds since 1970; a clock that went back is not believed.

        Returns:
            The leaf; None when nothing grew.

        Raises:
            ArchiveError: as `take`.
        """
        logs = self.logs
        if self._heads is not None and self._heads.logs == logs:
            return None
        if self._heads is None and not any(head.size for head in logs):
            return None
        before = self._heads
        made = Heads(now if before is None else max(now, before.time), logs, self._after if before is None else None)
        index = self._edges[HEADS_LOG].size
        staged = Staged.of_heads(index, bytes(made))
        with transaction(self._connection, self._path) as cursor:
            staged.insert(cursor)
            cursor.execute("INSERT OR REPLACE INTO origins SELECT origin, number, place, ? FROM news", [index])
            cursor.execute("DELETE FROM news")
        self._append(staged)
        self._heads = made
        return made

    def lay_out(self) -> None:
        """Write all tiles up to the newest leaf of heads, so that witnesses can look before they cosign.

        Raises:
            ArchiveError: as `take`.
        """
        self.put_away()
        self._publisher.lay_out(self.head.size)

    def keep_checkpoint(self, note: bytes) -> None:
        """Publish a signed checkpoint, behind all tiles that it is over.

        Raises:
            ArchiveError: `archive-order`: it is older than the one kept, or of another tree; as `take`.
            LogRefused: `note-invalid`, `checkpoint-invalid`.
        """
        checkpoint = unproven(note)
        self._publisher.require_next(checkpoint)
        if self._publisher.laid_out < checkpoint.size:
            self.put_away()
        self._publisher.publish(checkpoint, note)

    def put_away(self) -> None:
        """Put full bundles and tiles into files, and take them out of the database.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`: what was taken stays where it is.
        """
        files: dict[str, bytes] = {}
        full = {log: edge for log, edge in self._edges.items() if len(edge.entries) >= WIDTH}
        for log, edge in full.items():
            name = log_name(log)
            for tile in edge.full():
                files[tile_file(name, tile)] = edge.tile(tile)
                if tile.level == ENTRIES and log != HEADS_LOG:
                    files[place_file(name, tile.index)] = seal_places(edge.places_of(tile.index))
        if not full:
            return
        self._files.write(files)
        with transaction(self._connection, self._path) as cursor:
            for log, edge in full.items():
                move_out(cursor, log, edge)
        for edge in full.values():
            edge.forget_full()
        self._waiting = self._unfiled_bytes()

    def rebuild_index(self) -> None:
        """Make what finds entries by digests again, from their places.

        Raises:
            ArchiveError: `archive-damaged`: places are lost; as `take`.
        """
        self._runs.rebuild(chain.from_iterable(map(self._rows_of, range(self.partitions))))

    def _rows_of(self, partition: int) -> Iterator[tuple[int, int]]:
        edge = self._edges[partition]
        yield from filed_rows(self.folder, partition, edge.filed)
        yield from packed_rows(partition, edge.filed, bytes(edge.places))

    def _stored_positions(self) -> dict[int, Position]:
        with translated(self._path):
            rows = self._connection.execute("SELECT partition, offset, digest FROM positions").fetchall()
        return {partition: Position(offset, digest) for partition, offset, digest in rows}

    def _unfiled_bytes(self) -> int:
        return sum(map(len, chain.from_iterable(edge.entries for edge in self._edges.values())))

    def _head(self, log: int) -> Head:
        edge = self._edges[log]
        return Head(edge.size, edge.root())

    def _append(self, staged: Staged) -> None:
        self._edges[staged.log].append(staged.entries, staged.hashes, staged.places)
        self._waiting += sum(map(len, staged.entries))

    def _require_order(self, batch: Sequence[TakenRecord]) -> None:
        reached = {partition: position.offset for partition, position in self._positions.items()}
        for record in batch:
            place = f"the record at {record.partition}:{record.offset}"
            if not 0 <= record.partition < self.partitions:
                message = f"{place}: the journal has {self.partitions} partitions, whose number never changes"
                raise ArchiveError(message, code="archive-order")
            if record.offset <= reached.get(record.partition, -1):
                message = f"{place} is not behind {reached[record.partition]}, the last taken: go on behind that"
                raise ArchiveError(message, code="archive-order")
            if record.entry is not None and len(record.entry) > ENTRY_BYTES:
                message = (
                    f"{place} has an entry of {len(record.entry)} bytes, over {ENTRY_BYTES}: no router writes such"
                )
                raise ArchiveError(message, code="archive-order")
            reached[record.partition] = record.offset
