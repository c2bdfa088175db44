"""The way off paper: what may still be written on it, by whom and until when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exchange.domain.directory import Body, BodyStatus, Names, Paper
from exchange.domain.paper import day_of, goes_by_paper, paper_refusal
from exchange.domain.reason import Reason

MARCH, APRIL = date(2022, 3, 1), date(2022, 4, 1)
FEBRUARY_28 = datetime(2022, 2, 28, 9, tzinfo=UTC)
MARCH_FIRST = datetime(2022, 3, 1, 9, tzinfo=UTC)
APRIL_FIRST = datetime(2022, 4, 1, 9, tzinfo=UTC)
MIDNIGHT = datetime(2022, 2, 28, 18, tzinfo=UTC)
"""The first moment of March in Bishkek."""


def body(code: str, paper: Paper | None, status: BodyStatus = BodyStatus.CONNECTED) -> Body:
    """A body; before it is connected the bridge carries it."""
    gateway = "" if status is BodyStatus.CONNECTED else "paper-bridge"
    return Body(code, Names(code, code, code), "body", status, gateway=gateway, paper=paper)


ADMINISTRATION = body("prezident", Paper(MARCH, APRIL))
MINISTRY = body("minjust", Paper(APRIL, APRIL))
MODERN = body("mfa", None)
VILLAGE = body("ayil", Paper(APRIL, APRIL), BodyStatus.PLANNED)
OTHER_VILLAGE = body("ayil-2", Paper(APRIL, None), BodyStatus.APPROVED)


@pytest.mark.parametrize(
    ("sender", "recipient", "at", "reason"),
    [
        (MINISTRY, ADMINISTRATION, APRIL_FIRST, None),
        (ADMINISTRATION, MODERN, FEBRUARY_28, None),
        (VILLAGE, ADMINISTRATION, FEBRUARY_28, None),
        (VILLAGE, ADMINISTRATION, MARCH_FIRST, Reason.PAPER_NOT_TAKEN),
        (ADMINISTRATION, VILLAGE, MARCH_FIRST, None),
        (VILLAGE, MINISTRY, MARCH_FIRST, None),
        (VILLAGE, MINISTRY, APRIL_FIRST, Reason.PAPER_NOT_SENT),
        (MINISTRY, VILLAGE, APRIL_FIRST, Reason.PAPER_NOT_TAKEN),
        (MODERN, VILLAGE, MARCH_FIRST, None),
        (VILLAGE, MODERN, FEBRUARY_28, Reason.PAPER_NOT_TAKEN),
        (VILLAGE, OTHER_VILLAGE, MARCH_FIRST, None),
        (OTHER_VILLAGE, VILLAGE, FEBRUARY_28, Reason.PAPER_NOT_SENT),
    ],
    ids=lambda value: value.code if isinstance(value, Body) else str(value),
)
def test_who_may_still_write_to_whom_on_paper(
    sender: Body, recipient: Body, at: datetime, reason: Reason | None
) -> None:
    """Electronic ends are asked nothing but whether they take what a carried body sends."""
    refusal = paper_refusal(sender, recipient, at)
    assert (refusal.reason if refusal else None) is reason


def test_the_day_begins_at_midnight_in_bishkek() -> None:
    """The last moment of February is open, the first of March is not."""
    assert day_of(MIDNIGHT) == MARCH
    assert paper_refusal(VILLAGE, ADMINISTRATION, MIDNIGHT - timedelta(microseconds=1)) is None
    assert paper_refusal(VILLAGE, ADMINISTRATION, MIDNIGHT) is not None


def test_a_refusal_names_body_rule_and_date() -> None:
    """Whoever reads it knows whom to ask."""
    refusals = (
        paper_refusal(VILLAGE, ADMINISTRATION, MARCH_FIRST),
        paper_refusal(VILLAGE, MODERN, MARCH_FIRST),
        paper_refusal(VILLAGE, MINISTRY, APRIL_FIRST),
    )
    assert [refusal.detail for refusal in refusals if refusal] == [
        "'prezident' takes none from 2022-03-01 (its paper.inbound)",
        "'mfa' takes none (its paper.inbound)",
        "'ayil' sends none from 2022-04-01 (its paper.outbound)",
    ]


def test_who_is_carried() -> None:
    """A body with a paper channel and a bridge, from the plan until it is tried out; never one that left."""
    carried = {status for status in BodyStatus if replace(VILLAGE, status=status).carried}
    assert carried == {BodyStatus.PLANNED, BodyStatus.REQUESTED, BodyStatus.APPROVED}
    assert VILLAGE.reachable
    for bare in (replace(VILLAGE, paper=None), replace(VILLAGE, gateway="")):
        assert not bare.carried
        assert not bare.reachable
    assert goes_by_paper(VILLAGE, MODERN)
    assert goes_by_paper(MODERN, VILLAGE)
    assert not goes_by_paper(MODERN, MINISTRY)
