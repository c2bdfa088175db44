"""The throttle: how fast tasks may go, judged by what live letters wait."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.tasks.throttle import (
    ENOUGH,
    FASTER,
    FIRST,
    LEAST,
    QUIET,
    SETTLE,
    SHORT_ENOUGH,
    SLOWER,
    TOO_LONG,
    WORK,
    Throttle,
    Waits,
    paced,
    typical,
)

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
TURN = WORK + QUIET
RATES = st.floats(LEAST, 1000.0)
SECONDS = st.floats(0.001, 10.0)


@given(pace=RATES, most=RATES, working=SECONDS, quiet=SECONDS)
def test_the_pace_stays_within_its_bounds(pace: float, most: float, working: float, quiet: float) -> None:
    """Never faster than the tasks' own rates, never slower than the least, whatever is measured."""
    assert LEAST <= paced(pace, Waits(working, quiet), most) <= most
    assert LEAST <= paced(pace, None, most) <= most


@given(pace=RATES, quiet=SECONDS, one=st.floats(0.1, 10.0), other=st.floats(0.1, 10.0))
def test_who_waits_longer_is_never_the_reason_to_go_faster(pace: float, quiet: float, one: float, other: float) -> None:
    """Of two turns that with the longer waits leads to no higher pace."""
    short, long = (paced(pace, Waits(quiet * times, quiet), 1000.0) for times in sorted((one, other)))
    assert long <= short


@given(costs=st.floats(0.0001, 1.0), base=SECONDS, most=st.integers(1, 1000), first=st.floats(LEAST, 1000.0))
def test_it_comes_to_what_live_letters_bear_and_stays_there(costs: float, base: float, most: int, first: float) -> None:
    """Each letter a second makes live ones so much slower: from any pace within 40 turns, and from then on."""
    pace, seen = min(first, most), []
    for _ in range(60):
        pace = paced(pace, Waits(base * (1 + costs * pace), base), most)
        seen.append(pace)
    for pace in seen[40:]:
        bears = (TOO_LONG - 1) / costs
        assert pace <= max(LEAST, bears * FASTER)
        assert pace >= min(most, max(LEAST, (SHORT_ENOUGH - 1) / costs * SLOWER)) * 0.999


@pytest.mark.parametrize("touched", [0.001, 0.01, 0.03])
def test_in_the_noise_of_traffic_live_letters_are_hardly_slower(touched: float) -> None:
    """Twenty live letters a second, of very different waits; each of a task's letters holds some of them up."""
    random, throttle, now = Random(1), Throttle(), NOW

    def wait(pace: float) -> float:
        held_up = 0.010 * random.random() if random.random() < pace * touched else 0.0
        return round(0.008 * random.lognormvariate(0, 0.6) + held_up, 3)

    slower: list[float] = []
    for number in range(120):
        pace = throttle.pace
        turn(throttle, now, [wait(pace) for _ in range(220)], [wait(0) for _ in range(40)], most=225.0)
        now += TURN
        if number >= 40:  # it has found its pace
            slower += [wait(pace) for _ in range(100)]
    assert typical(slower) / typical([wait(0) for _ in range(8000)]) < 1.1
    assert throttle.pace > 0.01 / touched


def turn(throttle: Throttle, begun: datetime, working: list[float], quiet: list[float], most: float = 1000.0) -> bool:
    """A turn of which so much is heard; whether it was judged."""
    throttle.may_work(begun)
    throttle.may_work(begun + TURN)
    assert throttle.ended is not None
    return throttle.heard(working, quiet, most)


def test_work_and_quiet_take_turns() -> None:
    """What is measured of each leaves out its beginning, where the other one ends."""
    throttle = Throttle()
    assert throttle.may_work(NOW)
    assert throttle.may_work(NOW + WORK - timedelta(milliseconds=1))
    assert not throttle.may_work(NOW + WORK)
    assert throttle.ended is None
    assert throttle.may_work(NOW + TURN)
    ended = throttle.ended
    assert ended is not None
    assert ended.working == (NOW + SETTLE, NOW + WORK)
    assert ended.quiet == (NOW + WORK + SETTLE, NOW + TURN)


def test_live_letters_that_wait_longer_slow_it_down_and_others_let_it_go() -> None:
    """By what the last turn showed."""
    throttle = Throttle()
    assert turn(throttle, NOW, [0.020] * ENOUGH, [0.010] * ENOUGH)
    assert throttle.pace == FIRST * SLOWER
    assert throttle.waits == Waits(0.020, 0.010)
    assert turn(throttle, NOW + TURN, [0.010] * ENOUGH, [0.010] * ENOUGH)
    assert throttle.pace == FIRST * SLOWER * FASTER


def test_few_letters_are_judged_together() -> None:
    """Until there are enough the pace stays; where there are hardly any it goes up."""
    throttle = Throttle()
    some = ENOUGH // 2 + 1
    assert not turn(throttle, NOW, [0.020] * some, [0.010] * some)
    assert throttle.pace == FIRST
    assert turn(throttle, NOW + TURN, [0.020] * some, [0.010] * some)
    assert throttle.pace == FIRST * SLOWER
    assert turn(Throttle(), NOW, [], [])
    alone = Throttle()
    turn(alone, NOW, [], [], most=11.0)
    assert (alone.pace, alone.waits) == (11.0, None)


def test_seconds_in_which_nothing_was_to_be_said_prove_nothing() -> None:
    """A task that waited for its results did not show what live letters bear."""
    throttle = Throttle()
    throttle.may_work(NOW)
    throttle.had_nothing_to_say()
    assert throttle.may_work(NOW + TURN)
    assert throttle.ended is None


def test_a_clock_that_is_set_back_begins_a_turn() -> None:
    """It does not keep tasks quiet until the clock comes there again."""
    throttle = Throttle()
    throttle.may_work(NOW)
    assert not throttle.may_work(NOW + WORK)
    assert throttle.may_work(NOW - timedelta(hours=1))


def test_typical_is_not_moved_by_a_few() -> None:
    """One letter in four may take for ever; milliseconds are told apart more finely than they are counted."""
    assert typical([0.004, 0.005, 0.005, 0.006]) == 0.005
    assert typical([0.005] * 30 + [60.0] * 10) == 0.005
    assert 0.004 < typical([0.004] * 50 + [0.005] * 50) < 0.005
