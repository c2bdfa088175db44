"""A world with an exchange in memory, and room for agents."""

from pathlib import Path

import pytest

from tests.agent.place import Place, TickingClock
from tests.agent.simulator import Simulator
from tests.world import NOW, World


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of the world, made once."""
    return tmp_path_factory.mktemp("authority")


@pytest.fixture
def place(authority_folder: Path, tmp_path: Path) -> Place:
    """A world with an exchange, and room for agents."""
    world = World(authority_folder)
    directory = world.publish(tmp_path / "directory")
    clock = TickingClock(NOW)
    return Place(world, Simulator(world, clock), tmp_path, directory, clock)
