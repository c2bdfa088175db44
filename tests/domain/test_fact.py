"""Whether a receipt counts (rule 4.1)."""

from datetime import UTC, datetime

import pytest

from exchange.domain.delivery import Position
from exchange.domain.event import SERVICE_EVENTS, Event
from exchange.domain.fact import Course, FlagCode, ReceiptFact, Registration, why_ignored

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def receipt(event: str, sender: str = "alpha") -> ReceiptFact:
    """Beta's word about a letter."""
    course = Course(NOW, NOW, NOW, NOW)
    return ReceiptFact(Position(0, 1), bytes(32), "beta", sender, course, event, NOW, "", Registration(number="7"), "")


def test_a_receipt_of_an_addressee_counts() -> None:
    """It names the letter's sender, and its signer was addressed."""
    assert why_ignored(receipt(Event.REGISTERED), "alpha") is None
    assert receipt(Event.REGISTERED).of_delivery().reg_number == "7"


@pytest.mark.parametrize("sender", [None, "gamma"])
def test_a_receipt_of_anybody_else_does_not(sender: str | None) -> None:
    """No such delivery, or the letter of somebody else."""
    assert why_ignored(receipt(Event.REGISTERED), sender) == FlagCode.NOT_ADDRESSED


@pytest.mark.parametrize("event", ["invented", *SERVICE_EVENTS])
def test_a_body_cannot_state_what_the_exchange_states(event: str) -> None:
    """Acceptance and rejection are the router's to say."""
    assert why_ignored(receipt(event), "alpha") == FlagCode.EVENT_UNKNOWN
