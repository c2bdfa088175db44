"""A console whose letters nobody changes, so that all tests may share its database."""

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_api
from tests.console.site import ConsoleSite


@pytest.fixture
def site(standing: ConsoleSite) -> ConsoleSite:
    """The API alone, in which nobody has asked too much yet."""
    registry = CollectorRegistry()
    return ConsoleSite(standing.desk, registry, create_api(standing.desk, registry), standing.tokens)
