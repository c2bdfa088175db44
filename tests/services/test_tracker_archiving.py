"""Old letters are put away beside the fold, by the calendar's months, and failing files stop nothing."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from exchange.services.tracker import archiving
from exchange.services.tracker.archiving import keep_putting_away
from exchange.store.archive import Archive
from exchange.store.database import Store
from tests.journal.synthetic import story
from tests.services.test_tracker import until
from tests.store.support import TOPIC, counts, fill
from tests.world import World


async def test_put_away_by_months(tmp_path: Path) -> None:
    """A story of March stays through August when five months are kept, and goes in September."""
    archive = tmp_path / "archive"
    archive.mkdir()
    journal = story(World(tmp_path / "world"))
    codes: list[str] = []
    with Store(f"sqlite:///{tmp_path}/tracker.db", archive=Archive(archive)) as store:
        store.migrate()
        fill(store, journal.records)
        store.count_changes(TOPIC)

        def holds(number: int) -> bool:
            with store.reading() as connection:
                return sum(counts(connection).values()) == number

        for month, left in ((8, 4), (9, 0)):
            looked = asyncio.Event()

            def now(month: int = month, looked: asyncio.Event = looked) -> datetime:
                looked.set()
                return datetime(2026, month, 1, 12, tzinfo=UTC)

            task = asyncio.create_task(keep_putting_away(store, 5, now, lambda: 0.0, codes.append))
            await looked.wait()
            await until(partial(holds, left))
            task.cancel()
            await asyncio.wait([task])
    assert codes == []
    assert [file.name for file in archive.iterdir()] == ["letters-2026-03.jsonl.gz"]


async def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """Is counted, and tried again later; nothing else ends."""
    codes: list[str] = []
    with Store(f"sqlite:///{tmp_path}/tracker.db", archive=Archive(tmp_path / "nowhere")) as store:
        store.migrate()
        now = datetime(2026, 9, 1, tzinfo=UTC)
        task = asyncio.create_task(keep_putting_away(store, 1, lambda: now, lambda: 0.0, codes.append))
        await until(lambda: codes == ["archive-unavailable"])
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
    assert archiving.RETRY_SECONDS > 1
