"""A tracker that follows all fault tests, so that each ends with its state being right too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from exchange.agent.spool import database
from exchange.bus.topics import JOURNAL
from exchange.store import opening
from exchange.store.database import Store
from exchange.store.errors import StoreError
from tests.faults.waiting import until
from tests.patience import PATIENCE
from tests.stage import Process, Stage


@pytest.fixture(autouse=True)
def _patient_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test waits for an agent or console that stands still in the middle of a transaction; products ask again."""
    monkeypatch.setattr(database, "BUSY_SECONDS", PATIENCE)
    monkeypatch.setattr(opening, "_BUSY_SECONDS", PATIENCE)


class Following:
    """The tracker's process and its database."""

    def __init__(self, stage: Stage) -> None:
        """Nothing is started."""
        self._stage = stage
        self._processes = ExitStack()
        self.process: Process | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever runs."""
        self._processes.close()

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self._stage.folder / "tracker.sqlite"

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.database}"

    def start(self) -> None:
        """Start a process, the one before having ended."""
        self.process = self._processes.enter_context(self._stage.running("tracker"))

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()

    async def settle(self) -> None:
        """Wait until it has read the journal to its end; then its states must be what the journal comes to.

        A running router's ticks move that end on, so it's looked for anew each time.
        """
        checker = self._stage.checker
        with Store(self._url) as store:

            async def reached() -> bool:
                await checker.read()
                try:
                    rows = store.positions(JOURNAL)
                except StoreError:  # it has only begun
                    return False
                return all(
                    number in rows and rows[number].position >= end for number, end in checker.journal_offsets.items()
                )

            await until(reached, "the tracker reads the journal to its end")
        await checker.check(tracker=self._url)

    def dump(self) -> list[str]:
        """Everything that it keeps, in canonical lines."""
        with Store(self._url) as store:
            return list(store.dump())


@pytest.fixture(scope="session")
def following(stage: Stage) -> Iterator[Following]:
    """A tracker that runs from the first fault test to the last."""
    with Following(stage) as tracker:
        yield tracker
