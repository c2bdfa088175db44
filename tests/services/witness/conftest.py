"""Witnesses of tests take their time: a machine that stands still for a while is no reason to refuse."""

import pytest

from exchange.services.witness import service
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a test says otherwise."""
    monkeypatch.setattr(service, "LOOK_SECONDS", PATIENCE)
    monkeypatch.setattr(service, "WAIT_SECONDS", PATIENCE)
