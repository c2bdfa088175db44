"""Several trackers on one PostgreSQL: each follows its part, and what one leaves another takes over."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.services.tracker import service
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.store.database import Store
from tests.journal.synthetic import SyntheticJournal, story
from tests.patience import PATIENCE
from tests.services.journal_fake import FakeJournal, as_taken
from tests.store.support import fill
from tests.world import World


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what services at work will bring about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # they have no event to wait for
            await asyncio.sleep(0.02)


def taken(store: Store) -> dict[int, int]:
    """How far each partition was taken."""
    return {row.partition: row.position for row in store.positions("exchange.journal").values()}


async def until_held(trackers: dict[Tracker, "asyncio.Task[None]"], shares: list[int]) -> None:
    """Wait until each follows so many partitions and has caught up."""

    def as_wanted() -> bool:
        for task in trackers.values():
            if task.done():
                task.result()
        return sorted(len(one.status.held) for one in trackers) == shares and not any(
            one.waiting_for for one in trackers
        )

    await until(as_wanted)


@pytest.mark.server
async def test_what_one_leaves_another_takes_over(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two share two partitions; one ends in the middle, and the state is as if one had taken all."""
    monkeypatch.setattr(service, "REFRESH_SECONDS", 0.1)
    monkeypatch.setattr(service, "STAND_BY_SECONDS", 0.1)
    journal: SyntheticJournal = story(World(tmp_path / "world"))
    fake = FakeJournal(records=[as_taken(record) for record in journal.records[:10]])
    with Store(postgres) as first, Store(postgres) as second, Store(postgres) as third:
        first.drop()
        trackers: dict[Tracker, asyncio.Task[None]] = {}
        for store in (first, second, third):
            tracker = Tracker(fake.open, store, 2, TrackerMetrics(CollectorRegistry()), system.now)
            trackers[tracker] = asyncio.create_task(tracker.run())
        await until_held(trackers, [0, 1, 1])
        leaving = next(tracker for tracker in trackers if tracker.status.held)
        trackers.pop(leaving).cancel()
        await until_held(trackers, [1, 1])
        fake.records = [as_taken(record) for record in journal.records]
        await until(lambda: taken(third) == {partition: end - 2 for partition, end in journal.ends.items()})
        await until_held(trackers, [1, 1])
        for task in trackers.values():
            task.cancel()
        await asyncio.gather(*trackers.values(), return_exceptions=True)
        with Store(f"sqlite:///{tmp_path}/whole.db") as whole:
            whole.migrate()
            fill(whole, journal.records)
            assert first.digest() == whole.digest()
        first.drop()
