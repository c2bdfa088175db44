"""Desks of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.store.desk.database import DeskStore


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a desk may be: a fresh file, or the one PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/desk.db"
    found: str = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def desk(url: str) -> Iterator[DeskStore]:
    """An empty desk."""
    with DeskStore(url) as opened:
        opened.drop()
        opened.migrate()
        yield opened
        opened.drop()
