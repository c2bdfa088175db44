"""What `exchange letters` shows on a screen that is too narrow for all."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from exchange.cli import letters
from exchange.domain.delivery import State
from exchange.store.views import Listed, Summary
from tests.cli.test_markup import DELIVERY, LETTER

LONG = replace(LETTER, digest=bytes.fromhex("39578abc" * 8), sender="ministry-of-economy-and-commerce")
REPLY = replace(DELIVERY, state=State.HAND_OVER_FAILED, reg_number="01-12/34567-2022", reg_date="2022-03-01")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_an_id_is_never_cut(width: int) -> None:
    """It is there to be copied; names give way, a line stays a line, a circular's states go on below."""
    screen = Console(file=io.StringIO(), width=width)
    found: list[Listed | Summary] = [
        Listed(LONG, "state-agency-of-intellectual-property", REPLY),
        Summary(LONG, {State.REGISTERED: 900, State.ACCEPTED: 41}),
    ]
    with screen.capture() as shown:
        letters._render(found, screen)
    _, line, circular, *below = shown.get().splitlines()
    assert line.startswith("39578abc  ")
    assert " hand-over-failed " in line
    assert "…" in line
    assert circular.startswith("39578abc  ")
    assert "900 registered, 41 accepted" in " ".join(" ".join([circular, *below]).split())
