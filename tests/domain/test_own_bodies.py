"""Which bodies speak for services, and what is theirs to say."""

from dataclasses import replace

import pytest

from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.entry import OWN_KIND
from exchange.domain.own_bodies import (
    ARCHIVE_BODY,
    CONSOLE_BODY,
    TRACKER_BODY,
    may_say,
    speaks_for_service,
    takes_letters,
)
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


def test_the_archive_says_acts_without_effect() -> None:
    """What was done on its machine; neither a redrive nor an order to delete, and nobody says it by the name alone."""
    archive, command, letter = body(ARCHIVE_BODY), SAMPLES[Command][""], next(iter(SAMPLES[Letter].values()))
    assert isinstance(command, Command)
    assert isinstance(letter, Letter)
    own, redrive, order = (
        replace(command, action=action) for action in ("archive-begin-anew", "redrive", "delete-contents")
    )
    assert [may_say(archive, said) for said in (own, redrive, order, letter)] == [True, False, False, False]
    assert not may_say(body(ARCHIVE_BODY, "agency"), own)
