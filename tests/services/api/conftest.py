"""A site of the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.conftest import authority_folder, place
from tests.agent.place import Place
from tests.services.api.site import Site, site

__all__ = ["api", "authority_folder", "place"]


@pytest.fixture
async def api(place: Place, tmp_path: Path) -> AsyncIterator[Site]:
    """An agent of alpha and beta with its API."""
    async with site(place, tmp_path) as made:
        yield made
