"""Which tracker folds which partitions of the journal, when several share one PostgreSQL.

Each holds a session lock of the server (an advisory lock) on each partition that it folds, and one that says that
it is there. A lock ends with its connection, so what a tracker that died held is free at once. Each takes as many
as would be fair among those that are there; what is left over stands free for who is next.

1. A partition is locked before its position is read, and given back only between two batches.
2. Whoever writes takes, for its transaction, the right to write to these partitions (`be_the_writer`), which
   waits for a writer before it, and makes sure that its own session still holds the locks (`Shard.require`).
   So a tracker that was frozen and lost its session writes nothing more, however late it wakes up.

SQLite knows no sessions: there one tracker has all partitions, and a second is found out by the positions.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from exchange.store import bulk
from exchange.store.errors import ShardLost

_FOLDS = 0x65786601
_IS_THERE = 0x65786602
_WRITES = 0x65786603
"""Classes of PostgreSQL's advisory locks; the second half of a lock's name is the partition, or the session."""

_HELD = """
    SELECT classid::bigint, objid::bigint, pid FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid::bigint IN (%s, %s)
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Shard:
    """The partitions that one tracker folds; `Store.shard` opens it. Not safe in two threads at once."""

    def __init__(
        self, connection: sa.Connection, partitions: int, guarded: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        """Hold nothing yet.

        Args:
            connection: its own, that commits by itself and lives as long as the shard.
            partitions: of the journal.
            guarded: bounds what is asked of the connection, and names what fails.
        """
        self._connection = connection
        self._partitions = partitions
        self._guarded = guarded
        self._session = 0
        self.held: frozenset[int] = frozenset()
        if bulk.is_postgresql(connection):
            with guarded():
                self._session = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
                connection.exec_driver_sql("SELECT pg_advisory_lock(%s, %s)", (_IS_THERE, self._session))

    def balance(self) -> frozenset[int]:
        """Take partitions that are free, or give some back, so that all trackers have about as many.

        Call it between two batches only.

        Returns:
            Those that are held now; none while others hold all.

        Raises:
            StoreError: `store-unavailable`, retriable: the session ended, and all that it held is free.
        """
        if self._session:
            with self._guarded():
                self.held = self._balanced()
        else:
            self.held = frozenset(range(self._partitions))
        return self.held

    def require(self, connection: sa.Connection, partitions: Collection[int]) -> None:
        """Make sure, in a writer's transaction, that this shard still holds what it is about to write to.

        Raises:
            ShardLost: its session ended meanwhile; another tracker may have gone on.
        """
        if not self._session:
            return
        rows = connection.exec_driver_sql(_HELD, (_FOLDS, _FOLDS)).all()
        held = {partition for _, partition, pid in rows if pid == self._session}
        if lost := sorted(set(partitions) - held):
            message = (
                f"partition {lost[0]} is no longer this tracker's: its session at the database ended; "
                "nothing to do, it begins anew where the journal was taken up to"
            )
            raise ShardLost(message)

    def _balanced(self) -> frozenset[int]:
        rows = self._connection.exec_driver_sql(_HELD, (_FOLDS, _IS_THERE)).all()
        trackers = len({pid for kind, _, pid in rows if kind == _IS_THERE})
        taken = {partition for kind, partition, _ in rows if kind == _FOLDS}
        held = {partition for kind, partition, pid in rows if kind == _FOLDS and pid == self._session}
        fair = -(-self._partitions // max(trackers, 1))
        for partition in sorted(held, reverse=True)[: max(0, len(held) - fair)]:
            self._connection.exec_driver_sql("SELECT pg_advisory_unlock(%s, %s)", (_FOLDS, partition))
            held.discard(partition)
        for partition in sorted(set(range(self._partitions)) - taken)[: max(0, fair - len(held))]:
            asked = self._connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s, %s)", (_FOLDS, partition))
            if asked.scalar_one():
                held.add(partition)
        return frozenset(held)


def be_the_writer(connection: sa.Connection, partitions: Collection[int]) -> None:
    """Wait until whoever writes to these partitions is done, a connection of ours that was cut off included.

    Others go on: readers, and who writes to other partitions. In order, so that two never wait for each other.
    """
    if bulk.is_postgresql(connection):
        query = "SELECT pg_advisory_xact_lock(%s, partition) FROM (SELECT unnest(%s::int[]) AS partition) AS wanted"
        connection.exec_driver_sql(query, (_WRITES, sorted(partitions)))
