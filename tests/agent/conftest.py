"""A world with an exchange in memory, and room for agents."""

from pathlib import Path

import pytest

from exchange.security.cades import Signer
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.keys import load_key_pair
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
    directory = DirectoryFolder(tmp_path / "directory", world.roots)
    pair = load_key_pair(world.authority.directory_signer())
    directory.publish(world.directory, Signer(pair.certificate, pair.key), NOW)
    clock = TickingClock(NOW)
    return Place(world, Simulator(world, clock), tmp_path, directory, clock)
