"""A fresh place for each test; what takes long to make is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from tests.services.tasks.place import Place, opened
from tests.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Bodies with their keys."""
    return World(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with the tracker's and the desk's tables, and nothing in them."""
    file = tmp_path_factory.mktemp("blank") / "both.db"
    with Store(f"sqlite:///{file}") as tracker, DeskStore(f"sqlite:///{file}") as desk:
        tracker.migrate()
        desk.migrate()
    return file.read_bytes()


@pytest.fixture
def place(tmp_path: Path, world: World, blank: bytes) -> Iterator[Place]:
    """Desk, tracker, journal, speaker and runner."""
    file = tmp_path / "both.db"
    file.write_bytes(blank)
    with opened(world, f"sqlite:///{file}") as found:
        yield found
