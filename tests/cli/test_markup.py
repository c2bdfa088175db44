"""What strangers write is shown as it is: it styles no line, ends no command, and commands no terminal."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from exchange.cli import audit, inbox, letters, track
from exchange.cli.output import shown
from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, Delivery, Position, State
from exchange.domain.fact import Registration
from exchange.journal.findings import Finding, FindingCode, Report
from exchange.security.documents import SignatureReason, SignatureReport, SignatureStatus
from exchange.services.replay import Audit
from exchange.store.views import DeliveryTimeline, Flag, Letter, Listed, Step, Summary, Timeline
from exchange.system import now

AT = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "[/x][red]"
COMMANDING = "\x1b]0;title\x07\x1b[2J\x9b31m\r\neverything holds\u202e"
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
DELIVERY = Delivery(State.REGISTERED, AT, Actor.RECIPIENT, HOSTILE, HOSTILE, HOSTILE, None)


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


def test_a_story_says_why_and_until_when() -> None:
    """What a reason means with the next step; what is overdue, and by how much; when the deadline comes."""
    failed = Delivery(
        State.HAND_OVER_FAILED, AT, Actor.OPERATOR, "hand-over-failed", "", "", None, stage=Stage.HAND_OVER, due=AT
    )
    parts = (
        DeliveryTimeline("beta", replace(failed, late=frozenset({Stage.HAND_OVER})), ()),
        DeliveryTimeline("gamma", replace(failed, due=now() + timedelta(days=9, hours=1)), ()),
    )
    screen, output = console()
    track._render(Timeline(replace(LETTER, reason="foreign-exchange"), parts, ()), screen)
    said = output.getvalue()
    assert "check `[directory] root` of the agent" in said
    assert said.count("then redeliver the letter") == 2
    assert "to beta: hand-over-failed overdue: hand-over\n" in said
    assert re.search(r"waiting for operator for \d+ d, deadline passed \d+ d ago", said)
    assert "to gamma: hand-over-failed\n" in said
    assert ", deadline in 9 d" in said


def test_a_circular_s_story() -> None:
    """Only how many, and the first of each state, unless all are asked for."""
    parts = tuple(DeliveryTimeline(f"b{index}", DELIVERY, ()) for index in range(941))
    screen, output = console()
    track._render(Timeline(LETTER, parts, ()), screen)
    assert "to 941 bodies" in output.getvalue()
    assert "b7 and 933 more" in output.getvalue()
    assert len(output.getvalue().splitlines()) < 10
    screen, output = console()
    track._render(Timeline(LETTER, parts, ()), screen, each=True)
    assert "to b940" in output.getvalue()
    screen, output = console()
    letters._render([Summary(LETTER, {State.REGISTERED: 900, State.ACCEPTED: 41})], screen)
    assert "941 bodies" in output.getvalue()
    assert "900 registered, 41 accepted" in output.getvalue()


def test_an_inbox() -> None:
    """A card is its writer's word, byte for byte; here nobody has made it fit for people before."""
    screen, output = console()
    signature = SignatureReport(
        COMMANDING, "x", SignatureStatus.NOT_VERIFIED, SignatureReason.GOST, COMMANDING, signed_at=AT, algorithm="GOST"
    )
    arrived = inbox.Arrived(bytes(32), "beta", AT, COMMANDING, COMMANDING, (COMMANDING, HOSTILE), (signature,))
    flagged = inbox.Flagged(7, "event-unknown", COMMANDING)
    inbox._render(inbox.Contents("alpha", (arrived,), 0, 0, (flagged,)), screen)
    require_no_commands(output.getvalue(), times=6)
    assert HOSTILE in output.getvalue()
    assert "not-verified (gost)" in output.getvalue()


def test_an_audit() -> None:
    """A finding quotes what was found."""
    screen, output = console()
    report = Report()
    report.add(Finding(FindingCode.VERDICT_DIFFERS, Position(0, 1), 0, 1, COMMANDING))
    audit._render(Audit(report, None), screen)
    require_no_commands(output.getvalue(), times=1)


def test_spaces_of_any_width_stay_spaces() -> None:
    """People write "№ 5" with a space that does not break."""
    assert shown("№\u00a05 [ok]") == "№ 5 \\[ok]"


def require_no_commands(output: str, times: int) -> None:
    """The text is there so often, on the lines that it belongs to, and nothing in it is a command."""
    assert output.count("everything holds") == times
    assert all(char.isprintable() for char in output.replace("\n", ""))
    assert not any(line.startswith("everything holds") for line in output.splitlines())
