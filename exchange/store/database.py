"""The tracker's database: filled, looked at, dropped, compared."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from exchange.domain.deadline import NO_TERMS, Terms
from exchange.domain.fact import JournalFact
from exchange.store import deadlines, tallies
from exchange.store.archive import Archive
from exchange.store.failures import Named, translated
from exchange.store.migrating import Tables
from exchange.store.opening import ANSWER_SECONDS, Database, Nature
from exchange.store.overviews import Month
from exchange.store.putting_away import Step, put_away
from exchange.store.queries.letters import positions_of
from exchange.store.rows import PositionRow
from exchange.store.schema import derived, metadata
from exchange.store.shards import Shard, be_the_writer
from exchange.store.writer import Taken, take

_READ_ROWS = 5_000

LONG_READING_SECONDS = 3600.0
"""For who reads every row."""

_NAMED = Named("tracker", "drop it and start the tracker again, which fills it from the journal")
_TABLES = Tables(Path(__file__).parent / "migrations", "tracker_version", (metadata, derived))
_NATURE = Nature(_NAMED, _TABLES, is_kept=False)


class Store(Database):
    """One tracker's database; the journal fills it again after `drop`."""

    def __init__(self, url: str, answer_seconds: int = ANSWER_SECONDS, archive: Archive | None = None) -> None:
        """Open by SQLAlchemy URL; see `Database`. `archive`: where letters are put away to and fetched back from."""
        super().__init__(url, _NATURE, answer_seconds)
        self._archive = archive

    @contextmanager
    def shard(self, partitions: int) -> Iterator[Shard]:
        """This tracker's part of the journal's partitions, none at first: see `Shard.balance`.

        Raises:
            StoreError: `store-unavailable`, retriable.
        """
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_shared else self._engine
        with translated(engine, _NAMED):
            connection = engine.connect()
        try:
            yield Shard(connection, partitions, partial(self._guarded, connection))
        finally:
            connection.invalidate()  # closed, not given back: whoever were given it next would hold the locks
            connection.close()

    @property
    def is_shared(self) -> bool:
        """Whether several trackers may share it."""
        return self._engine.dialect.name == "postgresql"

    def positions(self, topic: str, partitions: Collection[int] = ()) -> dict[int, PositionRow]:
        """The last record taken of each partition, by partition.

        Args:
            topic: the journal's.
            partitions: of which whoever still writes to them is waited for.

        Raises:
            StoreError: as `take`.
        """
        with self._writing() as connection:
            be_the_writer(connection, partitions)
            return {row.partition: row for row in positions_of(connection, topic)}

    def take(
        self,
        facts: Sequence[JournalFact],
        reached: Sequence[PositionRow],
        shard: Shard | None = None,
        terms: Terms = NO_TERMS,
    ) -> Taken:
        """Store facts and fold what they touch, with the positions reached, all in one transaction.

        Args:
            facts: in the order of each partition, the next ones after the stored position.
            reached: the last record taken of each partition that moved.
            shard: must hold these partitions; None where no other tracker can be.
            terms: until when what must be done.

        Raises:
            ShardLost: it does not; nothing was written.
            StoreConflict: the stored position is not before these facts; nothing was written.
            ArchiveError: a letter that was put away cannot be fetched back; nothing was written.
            StoreError: `store-unavailable`, retriable; when it came with the commit, everything may have been
                written, which `positions` tells. `store-version`, `store-damaged`.
        """
        with self._writing() as connection:
            partitions = {row.partition for row in reached}
            be_the_writer(connection, partitions)
            if shard is not None:
                shard.require(connection, partitions)
            return take(connection, facts, reached, terms, self._archive)

    def put_away(self, before: datetime, now: datetime, after: tuple[int, int] | None = None) -> Step | None:
        """Put some letters away, all of whose deliveries came into a last state before `before`.

        Args:
            before: what is younger stays.
            now: is noted.
            after: where the last step ended.

        Returns:
            None when nothing is left, no archive was given, or another process does it.

        Raises:
            ArchiveError: the files cannot be used; nothing was deleted.
            StoreError: as `take`.
        """
        if self._archive is None:
            return None
        with self._writing() as connection:
            return put_away(connection, self._archive, before, now, after)

    def count_changes(self, topic: str) -> int:
        """Count the tallies of the months that changed anew, each in a transaction of its own; how many there were.

        Another process that does so already is left to it. See `exchange.store.tallies`.

        Raises:
            StoreError: as `take`.
        """
        with self.reading(LONG_READING_SECONDS) as connection:
            end = tallies.reached(connection, topic)
            months = tallies.changed(connection, end)
        if not all(map(self._count, months)):
            return 0
        with self._writing() as connection:
            tallies.note(connection, end)
        return len(months)

    def count_latest(self, topic: str, since: Mapping[int, int]) -> Mapping[int, int]:
        """Count the tallies of the last month alone, if any of it changed; `count_changes` does not take it for done.

        Args:
            topic: the journal's.
            since: how far each partition was taken when it was counted before.

        Returns:
            How far each is taken now.

        Raises:
            StoreError: as `take`.
        """
        with self.reading(LONG_READING_SECONDS) as connection:
            end = tallies.reached(connection, topic)
            months = tallies.changed(connection, end, since)
        for month in months[-1:]:
            self._count(month)
        return end

    def _count(self, month: Month) -> bool:
        """Count a month anew; False when another process counts."""
        with self._writing(LONG_READING_SECONDS) as connection:
            if not tallies.may_count(connection):
                return False
            tallies.count(connection, month)
            return True

    def reckon(self, terms: Terms, partitions: Collection[int], shard: Shard | None = None) -> None:
        """Reckon what is due in these partitions by other terms than before; does nothing when they are the same.

        In many transactions: who is killed on the way begins anew.

        Args:
            terms: until when what must be done.
            partitions: of which nobody else writes to meanwhile.
            shard: as for `take`.

        Raises:
            ShardLost: as `take`.
            StoreError: as `take`.
        """
        with self.reading() as connection:
            if deadlines.is_reckoned(connection, partitions, terms):
                return
        after: deadlines.Place | None = None
        while True:
            with self._writing() as connection:
                be_the_writer(connection, partitions)
                if shard is not None:
                    shard.require(connection, partitions)
                after = deadlines.reckon(connection, partitions, terms, after)
            if after is None:
                return

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


def _bytewise(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Order text by its bytes, whatever the database's language."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, sa.Text):
        return sa.collate(column, "C")
    return column


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
