"""What a statement may say: the rules that need more than the statement."""

import dataclasses
from datetime import date, timedelta

import pytest

from exchange.domain.directory import BodyStatus, Paper
from exchange.domain.event import Event
from exchange.domain.reason import Reason
from exchange.domain.statement import Group, Signed
from exchange.journal.examine import Examined, Ground, examine
from tests.world import NOW, World

TODAY, TOMORROW = NOW.date(), NOW.date() + timedelta(days=1)


@pytest.fixture
def carried(world: World) -> Ground:
    """Beta is not connected yet: gamma is the bridge that carries it; until tomorrow alpha takes paper."""
    bodies = world.directory.bodies
    changed = {
        **bodies,
        "alpha": dataclasses.replace(bodies["alpha"], paper=Paper(TOMORROW, TODAY)),
        "beta": dataclasses.replace(
            bodies["beta"], status=BodyStatus.PLANNED, gateway="gamma", paper=Paper(TOMORROW, TOMORROW)
        ),
    }
    return dataclasses.replace(world.ground, directory=dataclasses.replace(world.directory, bodies=changed))


def verdict(world: World, ground: Ground, signed: Signed, body: str, days: int = 0) -> str:
    """The code of the refusal, empty when it is acceptable."""
    now = NOW + timedelta(days=days)
    found: Examined = examine(world.submission(signed, body=body), ground, now)
    return found.refusal.reason if found.refusal else ""


def test_paper_until_its_date(world: World, carried: Ground) -> None:
    """Both ways to and from a carried body, today and from tomorrow on; the rest of the letter is judged too."""
    for days, to, back in (
        (0, "", ""),
        (1, Reason.PAPER_NOT_TAKEN, Reason.PAPER_NOT_SENT),
    ):
        alpha, beta = world.speaker("alpha"), world.speaker("beta")
        assert verdict(world, carried, alpha.letter("gamma", "beta"), "alpha", days) == to
        assert verdict(world, carried, beta.letter("alpha"), "beta", days) == back
        assert verdict(world, carried, alpha.letter("gamma"), "alpha", days) == "", "electronic at both ends"


def test_a_group_goes_on_paper_until_its_date(world: World, carried: Ground) -> None:
    """Then it goes to the others; when nobody is left it goes to nobody."""
    version = carried.directory.version
    for days, recipients in ((0, ("beta", "gamma")), (1, ("gamma",))):
        signed = world.speaker("alpha").letter(group=Group("all", version))
        assert examine(world.submission(signed), carried, NOW + timedelta(days=days)).recipients == recipients
    late = world.speaker("alpha").letter(group=Group("beta", version))
    assert verdict(world, carried, late, "alpha", days=1) == Reason.RECIPIENT_MISSING


def test_receipts_pass_after_the_date(world: World, carried: Ground) -> None:
    """What was accepted on the last day is registered later, and what came late is receipted too."""
    alpha, beta = world.speaker("alpha"), world.speaker("beta")
    letter = alpha.letter("beta")
    assert verdict(world, carried, beta.receipt(letter, "alpha", Event.REGISTERED), "beta", days=7) == ""
    assert verdict(world, carried, alpha.receipt(beta.letter("alpha"), "beta"), "alpha", days=7) == ""


def test_a_body_without_a_bridge_is_not_reached(world: World, carried: Ground) -> None:
    """A date alone carries nothing."""
    bodies = carried.directory.bodies
    lonely = dataclasses.replace(bodies["beta"], gateway="", paper=Paper(date.max, date.max))
    directory = dataclasses.replace(carried.directory, bodies={**bodies, "beta": lonely})
    ground = dataclasses.replace(carried, directory=directory)
    letter = world.speaker("alpha").letter("beta")
    assert verdict(world, ground, letter, "alpha") == Reason.RECIPIENT_NOT_CONNECTED
    assert verdict(world, ground, world.speaker("beta").letter("alpha"), "beta") == Reason.BODY_SUSPENDED
