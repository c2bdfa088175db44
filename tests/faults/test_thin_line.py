"""A gateway's bodies are served over a line that is thin, slow, lossy and cut all the time."""

from pathlib import Path

import pytest

from tests.faults.thin_gateway import cross
from tests.faults.thin_line import RURAL
from tests.patience import PATIENCE

pytestmark = pytest.mark.server

TIMES = 12
"""The line's time runs so much faster: as many bytes between two cuts, and a test that somebody waits for."""
GOAL = 1.3


def test_every_letter_crosses_once_and_the_line_carries_little_else(tmp_path: Path) -> None:
    """64 kbit/s, 800 ms, 5 % loss, a cut every minute: each letter once, at most 1.3 bytes for each of content."""
    crossing = cross(tmp_path, RURAL.faster(TIMES), bodies=12, letters=8, answers=4, limit=PATIENCE)
    assert crossing.cuts >= 3
    assert crossing.ratio <= GOAL
