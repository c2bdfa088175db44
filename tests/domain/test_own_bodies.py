"""Which bodies speak for services, and what is theirs to say."""

import pytest

from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.entry import OWN_KIND
from exchange.domain.own_bodies import CONSOLE_BODY, TRACKER_BODY, may_say, speaks_for_service, takes_letters
from exchange.domain.statement import Command, Deadline, Letter, Open, Receipt
from tests.golden.samples import SAMPLES

KINDS = (Letter, Receipt, Open, Deadline, Command)


def body(code: str, kind: str = OWN_KIND) -> Body:
    """A connected body."""
    return Body(code, Names("", "", ""), kind, BodyStatus.CONNECTED)


@pytest.mark.parametrize(
    ("speaker", "said"),
    [
        (body(TRACKER_BODY), {Open, Deadline}),
        (body(CONSOLE_BODY), {Open, Command}),
        (body("echo"), {Open, Letter, Receipt}),
        (body("mfa", "ministry"), {Open, Letter, Receipt}),
        (body(TRACKER_BODY, "agency"), {Open, Letter, Receipt}),
    ],
    ids=lambda value: f"{value.code} {value.kind}" if isinstance(value, Body) else "",
)
def test_everybody_says_what_is_theirs(speaker: Body, said: set[type]) -> None:
    """A name alone makes nobody a service, and the kind alone neither."""
    samples = {kind: next(iter(SAMPLES[kind].values())) for kind in KINDS}
    assert {kind for kind, sample in samples.items() if may_say(speaker, sample)} == said  # type: ignore[arg-type]
    assert takes_letters(speaker) is (Letter in said)
    assert speaks_for_service(speaker) is (Letter not in said)
