"""Stores of both kinds, and a journal to fill them from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.store.database import Store
from tests.journal.synthetic import SyntheticJournal, story
from tests.store.support import empty_store
from tests.world import World


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be: a fresh file, or the one PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tracker.db"
    found: str = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    if url.startswith("sqlite:"):
        with empty_store(Path(url.removeprefix("sqlite:///"))) as opened:
            yield opened
        return
    with Store(url) as opened:
        opened.drop()
        opened.migrate()
        yield opened
        opened.drop()


@pytest.fixture(scope="session")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("store")))
