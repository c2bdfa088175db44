"""pytest plugin: one real PostgreSQL for all tests of a run that ask for it."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exchange.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a real PostgreSQL.

    Not under pytest's own folder: each pytest that starts closes that for other users, and for root
    the server runs as one.
    """
    with TemporaryDirectory(prefix="exchange-postgres-") as folder, EmbeddedPostgres(Path(folder)) as server:
        yield server.url
