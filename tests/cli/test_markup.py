"""What strangers write is shown as it is: brackets neither style a line nor end a command."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from exchange.cli import letters, track
from exchange.domain.delivery import Actor, Delivery, State
from exchange.domain.fact import Registration
from exchange.store.views import DeliveryTimeline, Flag, Letter, Listed, Step, Timeline

AT = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "[/x][red]"
NUMBER = Registration(HOSTILE, HOSTILE, HOSTILE)
LETTER = Letter(
    digest=bytes(32),
    sender="alpha",
    message_id=HOSTILE,
    consignment_id=HOSTILE,
    kind="DOCUMENT",
    urgency="ROUTINE",
    access="PUBLIC",
    conversation=HOSTILE,
    in_reply_to=None,
    reply_due="",
    document=NUMBER,
    items=1,
    size=1,
    created=AT,
    arrived=AT,
    decided=AT,
    journalled=AT,
    reason="recipient-unknown",
    detail=f"recipients[0]: '{HOSTILE}'",
)
DELIVERY = Delivery(State.REGISTERED, AT, Actor.RECIPIENT, HOSTILE, HOSTILE, HOSTILE, ())


def console() -> tuple[Console, io.StringIO]:
    """A wide console without colours, and what it shows."""
    shown = io.StringIO()
    return Console(file=shown, width=300), shown


def test_a_list_of_letters() -> None:
    """A refused letter's recipient is anybody's text, a registration number too."""
    screen, shown = console()
    letters._render([Listed(LETTER, HOSTILE, DELIVERY)], screen)
    assert shown.getvalue().count(HOSTILE) == 3


def test_a_letter_s_story() -> None:
    """Recipients, details, numbers and words of receipts."""
    screen, shown = console()
    step = Step("registered", AT, AT, timedelta(), HOSTILE, NUMBER, HOSTILE, holds=False)
    flag = Flag(0, 1, "receipt-contradicted", "alpha", bytes(32), AT, HOSTILE, HOSTILE)
    track._render(Timeline(LETTER, (DeliveryTimeline(HOSTILE, DELIVERY, (step,)),), (flag,)), screen)
    assert shown.getvalue().count(HOSTILE) == 10
