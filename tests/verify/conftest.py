"""One course of a letter for all tests: keys cost time."""

from datetime import timedelta

import pytest

from exchange.security.validity import Validity
from tests.security.support import certify_root
from tests.security.timestamps.forging import Forger, issued
from tests.verify.making import Course
from tests.world import BODIES, NOW, World


@pytest.fixture(scope="session")
def stamper() -> Forger:
    """A time-stamp authority whose certificate lasts two years."""
    validity = Validity(NOW - timedelta(days=1), NOW + timedelta(days=730))
    top = certify_root("time", validity)
    return Forger(issued(top, validity=validity), chain=(top,))


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory, stamper: Forger) -> Course:
    """Nobody lies."""
    world = World(tmp_path_factory.mktemp("verify"), bodies=(*BODIES, "exchange-tracker"))
    return Course(world, stamper, [stamper.chain[0].certificate])
