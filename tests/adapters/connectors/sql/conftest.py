"""Databases of document systems."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.connectors.contract.sql import DATABASES, SqlSystem, database_of


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlSystem]:
    """An EDMS with the page's tables."""
    with database_of(request.param, request, tmp_path) as system:
        yield system


@pytest.fixture
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlSystem]:
    """The same where one database is as good as another."""
    with database_of("sqlite", request, tmp_path) as system:
        yield system


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlSystem]:
    """The same where many come at once."""
    with database_of("postgresql", request, tmp_path) as system:
        yield system
