"""What facts are to a delivery, and whether a receipt counts (rule 4.1)."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.domain.delivery import Fact, Position
from exchange.domain.event import SERVICE_EVENTS, Event
from exchange.domain.fact import Course, FlagCode, LetterFact, ReceiptFact, Registration, why_ignored

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CREATED, ARRIVED, DECIDED, JOURNALLED = (NOW + timedelta(seconds=second) for second in range(4))


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


@pytest.mark.parametrize(
    ("reason", "event"), [("", Event.ACCEPTED), ("recipient-unknown", Event.REJECTED)], ids=["accepted", "refused"]
)
def test_what_a_letter_is_to_its_deliveries(reason: str, event: Event) -> None:
    """The first event of each: accepted or rejected, in the router's words and at its time."""
    letter = LetterFact(
        position=Position(3, 7),
        letter=bytes(32),
        sender="alpha",
        course=Course(CREATED, ARRIVED, DECIDED, JOURNALLED),
        message_id="m",
        consignment_id="c",
        kind="DOCUMENT",
        urgency="ROUTINE",
        access="PUBLIC",
        conversation="",
        in_reply_to=None,
        reply_due=None,
        recipients=("beta",),
        document=Registration(number="12"),
        items=1,
        size=100,
        reason=reason,
        detail="recipients[0]",
    )
    expected = Fact(event, Position(3, 7), at=DECIDED, journalled=JOURNALLED, reason=reason, text="recipients[0]")
    assert letter.of_delivery() == expected


def test_what_a_receipt_is_to_its_delivery() -> None:
    """What its signer says, at the time by the signer's clock, with its registration and words."""
    told = ReceiptFact(
        position=Position(3, 8),
        letter=bytes(32),
        signer="beta",
        sender="alpha",
        course=Course(CREATED, ARRIVED, DECIDED, JOURNALLED),
        event="registered",
        at=NOW - timedelta(days=1),
        reason="why",
        registration=Registration("document", "7", "2026-02-28"),
        text="in our words",
    )
    assert told.of_delivery() == Fact(
        Event.REGISTERED,
        Position(3, 8),
        at=NOW - timedelta(days=1),
        journalled=JOURNALLED,
        reason="why",
        reg_number="7",
        reg_date="2026-02-28",
        text="in our words",
    )
