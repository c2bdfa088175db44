"""The stream over a real PostgreSQL: from its tables, and while it stands still."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exchange.console.stream import hub as hub_module
from exchange.console.stream.hub import StoreReader
from exchange.embedded import EmbeddedPostgres
from exchange.store.database import Store
from tests.console.stream.clients import listening, opened, running, until
from tests.console.stream.stories import Heard
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill, frozen


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL to be stopped."""
    with TemporaryDirectory(prefix="exchange-stopped-") as folder, EmbeddedPostgres(Path(folder)) as started:
        yield started


def last(heard: Heard) -> str:
    """What was heard last of the database: on a busy machine it may be away more often than it is taken away."""
    return next((event for event in reversed(heard.events) if event in {"stale", "live"}), "")


@pytest.mark.server
async def test_it_stands_still_and_goes_on(
    server: EmbeddedPostgres, told: SyntheticJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen, then stopped and started: clients are told so, and what happened, once; so are those who came back."""
    monkeypatch.setattr(hub_module, "READ_SECONDS", 0.5)
    monkeypatch.setattr(hub_module, "AGAIN_SECONDS", 0.1)
    heard, late, late_again = Heard(), Heard(), Heard()
    with Store(server.url) as writing, Store(server.url, 1) as reading:
        writing.migrate()
        fill(writing, told.records[:8])
        async with running(StoreReader(reading)) as hub, listening(hub, heard):
            await opened(heard)
            async with listening(hub, late), listening(hub, late_again):
                await until(lambda: bool(late.last_id and late_again.last_id))
            with frozen(server):
                await until(lambda: last(heard) == "stale")
            await until(lambda: last(heard) == "live")
            await asyncio.to_thread(fill, writing, told.records[8:14], 1)
            await asyncio.to_thread(server.stop)
            await until(lambda: last(heard) == "stale")
            async with listening(hub, late):
                await until(lambda: "stale" in late.events)
                await asyncio.to_thread(server.start)
                await until(lambda: last(heard) == "live")
                with Store(server.url) as anew:  # the other's connections are gone, as a tracker's are
                    await asyncio.to_thread(fill, anew, told.records[14:], 1)
                    await until(lambda: hub.place == StoreReader(anew).reached())
                await until(lambda: heard.last_id == late.last_id == str(hub.place))
            async with listening(hub, late_again):
                await until(lambda: late_again.last_id == heard.last_id)
    assert len(heard.positions) == len(set(heard.positions)) > 5
    assert sorted(late.positions) == sorted(late_again.positions) == sorted(heard.positions)
