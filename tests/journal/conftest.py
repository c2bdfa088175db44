"""A world of three bodies, made once: keys cost time."""

import pytest

from tests.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Alpha, beta and gamma, two lanes."""
    return World(tmp_path_factory.mktemp("world"))
