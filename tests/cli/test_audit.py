"""What `exchange audit` tells."""

import io

import pytest
from rich.console import Console

from exchange.cli import audit
from exchange.journal.findings import Difference, Report
from exchange.services.replay import Audit


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        ((), "everything holds: signatures, verdicts, chains, and the tracker's states\n"),
        (None, "not compared with a tracker\neverything holds: signatures, verdicts, chains\n"),
    ],
)
def test_nothing_is_claimed_that_was_not_compared(differences: tuple[Difference, ...] | None, told: str) -> None:
    """`--alone` says nothing of the tracker's states."""
    screen = Console(file=io.StringIO(), width=200)
    with screen.capture() as shown:
        audit._render(Audit(Report(), differences), screen)
    assert shown.get().endswith(told)
