"""Trackers share the journal's partitions: none is followed by two, none by nobody for long."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from exchange.journal.facts import JournalRecord, read_fact
from exchange.store.database import Store
from exchange.store.errors import ShardLost, StoreConflict, StoreError
from exchange.store.shards import Shard
from tests.journal.synthetic import SyntheticJournal
from tests.patience import PATIENCE
from tests.store.support import fill, reached

PARTITIONS = 16


@pytest.fixture
def trackers(postgres: str) -> Iterator[ExitStack]:
    """What ends every shard of a test."""
    with Store(postgres) as store, ExitStack() as stack:
        store.drop()
        store.migrate()
        yield stack
    with Store(postgres) as store:
        store.drop()


def settle(shards: Sequence[Shard], shares: Sequence[int], partitions: int = PARTITIONS) -> None:
    """Let all look again until so many partitions are held by one or the other, and together each once.

    A session that was closed holds what it held until the server has noticed.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        for shard in shards:
            shard.balance()
        held = sorted(partition for shard in shards for partition in shard.held)
        assert len(held) == len(set(held))
        found = sorted((len(shard.held) for shard in shards), reverse=True)
        if found == list(shares) and len(held) == partitions:
            return
        assert time.monotonic() < deadline, found


def take(store: Store, records: Sequence[JournalRecord], shard: Shard) -> None:
    """One batch of a tracker with a shard."""
    store.take([read_fact(record) for record in records], reached(records), shard)


@pytest.mark.server
def test_each_has_its_share(postgres: str, trackers: ExitStack) -> None:
    """Whoever comes is given some, what one leaves is taken by the others."""
    shards: list[Shard] = []
    stacks: list[ExitStack] = []
    for shares in ([16], [8, 8], [6, 6, 4]):
        own = trackers.enter_context(ExitStack())
        shards.append(own.enter_context(Store(postgres).shard(PARTITIONS)))
        stacks.append(own)
        settle(shards, shares)
    stacks[0].close()
    settle(shards[1:], [8, 8])
    stacks[1].close()
    settle(shards[2:], [16])


@pytest.mark.server
def test_more_trackers_than_partitions(postgres: str, trackers: ExitStack) -> None:
    """One of three stands by for two partitions, until another ends."""
    own = [trackers.enter_context(ExitStack()) for _ in range(3)]
    shards = [stack.enter_context(Store(postgres).shard(2)) for stack in own]
    settle(shards, [1, 1, 0], 2)
    (holding, *_), (waiting,) = ([at for at, shard in enumerate(shards) if len(shard.held) == held] for held in (1, 0))
    own[holding].close()
    settle([shard for at, shard in enumerate(shards) if at != holding], [1, 1], 2)
    assert len(shards[waiting].held) == 1


@pytest.mark.server
def test_a_tracker_that_lost_its_session_writes_nothing(
    postgres: str, trackers: ExitStack, journal: SyntheticJournal
) -> None:
    """Frozen for long, it wakes up when another has gone on: it is told, and nothing of its batch stays."""
    frozen, other = (trackers.enter_context(Store(postgres)) for _ in range(2))
    lost = trackers.enter_context(frozen.shard(PARTITIONS))
    next_one = trackers.enter_context(other.shard(PARTITIONS))
    lost.balance()
    take(frozen, journal.records[:5], lost)
    with other._writing() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(%s)", (lost._session,))
    while len(next_one.balance()) < PARTITIONS:
        pass
    with pytest.raises(ShardLost) as caught:
        take(frozen, journal.records[5:10], lost)
    assert (caught.value.code, caught.value.retriable) == ("store-shard-lost", True)
    with pytest.raises(StoreError, match="works|work") as gone:
        lost.balance()
    assert gone.value.retriable
    take(other, journal.records[5:10], next_one)
    with pytest.raises(StoreConflict):
        take(other, journal.records[5:10], next_one)


@pytest.mark.server
def test_writers_of_other_partitions_do_not_wait(
    postgres: str, trackers: ExitStack, journal: SyntheticJournal, tmp_path: Path
) -> None:
    """One is in the middle of its transaction while another takes a batch; together they come to the same state."""
    first, second = (trackers.enter_context(Store(postgres)) for _ in range(2))
    parts = [[record for record in journal.records if record.position.partition == number] for number in range(2)]
    with first._writing() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, 0)", (0x65786603,))
        fill(second, parts[1], 3)
    fill(first, parts[0], 3)
    with Store(f"sqlite:///{tmp_path}/whole.db") as whole:
        whole.migrate()
        fill(whole, journal.records)
        assert first.digest() == whole.digest()


def test_sqlite_has_one_tracker(tmp_path: Path) -> None:
    """It follows all partitions."""
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store, store.shard(PARTITIONS) as shard:
        assert shard.held == frozenset()
        assert shard.balance() == frozenset(range(PARTITIONS))
