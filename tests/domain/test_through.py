"""Up to when a partition is complete: only what lanes have said, and never too far."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.delivery import Position
from exchange.domain.fact import TickFact
from exchange.domain.through import LaneReach, complete, ticked
from tests.world import NOW


def at(second: float) -> datetime:
    """So long after the beginning."""
    return NOW + timedelta(seconds=second)


def tick(lane: int, second: float, *, idle: bool = True, arrived: float | None = None) -> TickFact:
    """A lane's tick, journalled at that second."""
    return TickFact(Position(0, int(second)), lane, None if arrived is None else at(arrived), idle, at(second))


def reach(*ticks: TickFact) -> dict[int, LaneReach]:
    """How far the lanes have come with these ticks."""
    reached: dict[int, LaneReach] = {}
    for each in ticks:
        reached[each.lane] = ticked(reached.get(each.lane), each)
    return reached


def after(lanes: int, *ticks: TickFact) -> datetime | None:
    """Up to when these ticks make the partition complete."""
    return complete(reach(*ticks), lanes)


def test_who_never_ticked_counts_as_never() -> None:
    """One tick says nothing of the time before; the second says what was so at the first."""
    assert after(1) is None
    assert after(1, tick(0, 10)) is None
    assert after(1, tick(0, 10), tick(0, 20)) == at(10)
    assert after(2, tick(0, 10), tick(0, 20)) is None
    assert after(2, tick(0, 10), tick(1, 11), tick(0, 20), tick(1, 21)) == at(10)


def test_a_lane_under_load_is_through_what_it_took() -> None:
    """It is never idle; what arrived before the last that it decided is decided."""
    busy = [tick(0, second, idle=False, arrived=second - 5) for second in (10, 20, 30)]
    assert after(1, *busy) == at(25)
    assert after(1, *busy, tick(0, 40, idle=False)) == at(25)


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    """Another broker leads, and its clock is behind."""
    assert after(1, tick(0, 100), tick(0, 110), tick(0, 50), tick(0, 60)) == at(110)


def test_the_lane_of_commands_holds_nothing_up() -> None:
    """It says nothing of receipts, however far it has come."""
    assert after(1, tick(0, 10), tick(1, 11), tick(0, 20)) == at(10)
    assert after(1, tick(1, 11), tick(1, 21)) is None


@dataclass(frozen=True)
class Round:
    """What happens before a lane's tick: so many arrive, and so many of those that wait are decided."""

    lane: int
    arrive: int
    decide: int


@given(st.lists(st.builds(Round, st.integers(0, 1), st.integers(0, 3), st.integers(0, 4)), max_size=40))
def test_never_further_than_what_is_decided(rounds: list[Round]) -> None:
    """Whatever comes and waits: nothing that still waits arrived before the moment, nor does that ever go back."""
    reached: dict[int, LaneReach] = {}
    before, second = None, 0.0
    waiting: dict[int, list[float]] = {0: [], 1: []}
    last: dict[int, float | None] = {0: None, 1: None}
    for each in rounds:
        queue = waiting[each.lane]
        for _ in range(each.arrive):
            second += 1
            queue.append(second)
        taken = queue[: each.decide]
        del queue[: each.decide]
        last[each.lane] = taken[-1] if taken else last[each.lane]
        second += 1
        latest = tick(each.lane, second, idle=not queue, arrived=last[each.lane])
        reached[each.lane] = ticked(reached.get(each.lane), latest)
        moment = complete(reached, 2)
        assert moment is None or all(at(arrived) >= moment for queue in waiting.values() for arrived in queue)
        assert before is None or (moment is not None and moment >= before)
        before = moment
