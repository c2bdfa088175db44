"""What all tests share: tools of the machine, and hypothesis that finds the same each time.

`make mutants` is content with few examples; `pytest --hypothesis-profile=explore` looks further, at
random, and prints what repeats a finding.
"""

import gc

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.plugin_requirements", "tests.plugin_kafka", "tests.plugin_postgres", "tests.stage")

anyhow_slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deterministic", anyhow_slow, derandomize=True, database=None)
settings.register_profile("mutants", anyhow_slow, derandomize=True, database=None, max_examples=10)
settings.register_profile("explore", anyhow_slow, max_examples=5_000, print_blob=True)
settings.load_profile("deterministic")


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001  # pytest's own name for a hook
    """What was imported stays: it's not looked through again and again, a tenth of the time of quick tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
