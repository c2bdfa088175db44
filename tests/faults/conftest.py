"""A tracker that follows all fault tests, so that each ends with its state being right too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from exchange.bus.topics import JOURNAL
from exchange.domain.delivery import State
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError
from tests.faults.waiting import until
from tests.stage import Process, Stage


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

    def start(self) -> None:
        """Start a process, the one before having ended."""
        self.process = self._processes.enter_context(self._stage.running("tracker"))

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()

    async def settle(self) -> None:
        """Wait until it has read all that the checker has; then its states must be the checker's."""
        with Store(f"sqlite:///{self.database}") as store:

            async def reached() -> bool:
                try:
                    rows = store.positions(JOURNAL)
                except StoreError:  # it has only begun
                    return False
                return {number: row.position for number, row in rows.items()} == self._stage.checker.journal_offsets

            await until(reached, "the tracker reads the journal to its end")
            with store.reading() as connection:
                tracked = {
                    (letter, recipient): delivery.state.value
                    for letter, recipient, delivery in queries.tracked(connection)
                    if delivery.state is not State.REJECTED
                }
        assert tracked == self._stage.checker.states

    def dump(self) -> list[str]:
        """Everything that it keeps, in canonical lines."""
        with Store(f"sqlite:///{self.database}") as store:
            return list(store.dump())


@pytest.fixture(scope="session")
def following(stage: Stage) -> Iterator[Following]:
    """A tracker that runs from the first fault test to the last."""
    with Following(stage) as tracker:
        yield tracker
