"""Which changes somebody is told."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from exchange.console.stream.wanted import Wanted
from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, State
from exchange.store.lists import DeliveryFilter
from tests.console.stream.stories import change
from tests.world import NOW

CHANGE = change(
    0,
    2,
    "beta",
    state=State.HAND_OVER_FAILED,
    next=Actor.OPERATOR,
    reason="hand-over-failed",
    late=True,
    overdue=True,
)


WORDS: list[tuple[DeliveryFilter, DeliveryFilter | None]] = [
    (DeliveryFilter(), None),
    (DeliveryFilter(sender="alpha"), DeliveryFilter(sender="beta")),
    (DeliveryFilter(recipient="beta"), DeliveryFilter(recipient="alpha")),
    (DeliveryFilter(body="alpha"), DeliveryFilter(body="gamma")),
    (DeliveryFilter(body="beta"), None),
    (DeliveryFilter(states=(State.HAND_OVER_FAILED, State.REJECTED)), DeliveryFilter(states=(State.REJECTED,))),
    (DeliveryFilter(next=Actor.OPERATOR), DeliveryFilter(next=Actor.SENDER)),
    (DeliveryFilter(stage=Stage.HAND_OVER), DeliveryFilter(stage=Stage.REGISTER)),
    (DeliveryFilter(reason="hand-over-failed"), DeliveryFilter(reason="other")),
    (DeliveryFilter(kind="Letter"), DeliveryFilter(kind="Order")),
    (DeliveryFilter(urgency="Normal"), DeliveryFilter(urgency="Urgent")),
    (DeliveryFilter(late=True), DeliveryFilter(late=False)),
    (DeliveryFilter(overdue=True), DeliveryFilter(overdue=False)),
    (DeliveryFilter(moved=NOW), DeliveryFilter(moved=NOW + timedelta(seconds=3))),
    (DeliveryFilter(since=NOW), DeliveryFilter(since=NOW + timedelta(seconds=1))),
    (DeliveryFilter(until=NOW + timedelta(seconds=1)), DeliveryFilter(until=NOW)),
]
CASES = [taken for taken, _ in WORDS]


@pytest.mark.parametrize(("taken", "left"), WORDS)
def test_each_word(taken: DeliveryFilter, left: DeliveryFilter | None) -> None:
    """Of the filter of a list works on the stream."""
    assert Wanted(taken).takes(CHANGE)
    assert left is None or not Wanted(left).takes(CHANGE)


def test_every_word_of_a_list_has_its_case() -> None:
    """Whoever adds a word to lists adds it to the stream."""
    usual = DeliveryFilter()
    named = {
        field.name
        for case in CASES
        for field in fields(usual)
        if getattr(case, field.name) != getattr(usual, field.name)
    }
    assert named | {"text", "order"} == {field.name for field in fields(usual)}


def test_letters_that_a_text_named() -> None:
    """And no others."""
    assert Wanted(DeliveryFilter(), frozenset({CHANGE.letter})).takes(CHANGE)
    assert not Wanted(DeliveryFilter(), frozenset()).takes(CHANGE)


def test_equal_wishes_are_one() -> None:
    """So that their messages are made once."""
    wished = DeliveryFilter(sender="alpha", states=(State.REJECTED,))
    assert {Wanted(wished), Wanted(replace(wished))} == {Wanted(wished)}
