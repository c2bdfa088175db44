"""An authority of openssl's, made once."""

from datetime import UTC, datetime

import pytest

from exchange.embedded.time_authority import TimeAuthority
from exchange.security.timestamps import Authorities


@pytest.fixture(scope="session")
def now() -> datetime:
    """The machine's time: openssl stamps with it."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> TimeAuthority:
    """One for all tests."""
    return TimeAuthority.prepared(tmp_path_factory.mktemp("authority"), now)


@pytest.fixture(scope="session")
def trusted(authority: TimeAuthority) -> Authorities:
    """Its root."""
    return Authorities.load(authority.root)
