"""Plans of faults: repeatable, every family before any comes again, nothing hit twice at once."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.nemesis import CLUSTER, Fault, Planned, Scene, always, and_cluster, its, plan, recovery


@asynccontextmanager
async def nothing(_: Scene) -> AsyncIterator[None]:
    """Breaks nothing."""
    yield


FAULTS = [
    Fault("killed", "killed", ("one", "two", "three"), (0.0, 5.0), nothing, and_cluster()),
    Fault("frozen", "frozen", ("one", "two"), (13.0, 15.0), nothing),
    Fault("stepped", "clock", ("one", "two", "three"), (1.0, 9.0), nothing, its("clock")),
    Fault("all killed", "majority", ("all",), (1.0, 2.0), nothing, always("one", "two", "three", CLUSTER)),
]
COUNT = 40


def told(planned: list[Planned]) -> list[tuple[float, float, str, str, int]]:
    """What two plans have in common when they are the same."""
    return [(one.at, one.seconds, one.fault.name, one.target, one.seed) for one in planned]


@given(st.integers())
def test_the_same_seed_gives_the_same_plan(seed: int) -> None:
    """Whatever the seed; numbered in the order of time."""
    planned = plan(FAULTS, COUNT, 100.0, seed)
    assert told(planned) == told(plan(FAULTS, COUNT, 100.0, seed))
    assert [one.number for one in planned] == list(range(1, COUNT + 1))
    assert sorted(one.at for one in planned) == [one.at for one in planned]


def test_another_seed_gives_another_plan() -> None:
    """As far as two seeds show it."""
    assert told(plan(FAULTS, COUNT, 100.0, 1)) != told(plan(FAULTS, COUNT, 100.0, 2))


@given(st.integers())
def test_nothing_is_broken_twice_at_once(seed: int) -> None:
    """What a fault claims is nobody else's until it has recovered."""
    free: dict[str, float] = {}
    for one in plan(FAULTS, COUNT, 100.0, seed):
        for name in one.fault.claims(one.target):
            assert free.get(name, 0.0) <= one.at
            free[name] = one.at + one.seconds + recovery(name)


@given(st.integers())
def test_every_family_comes(seed: int) -> None:
    """Each as often as any other."""
    counts = Counter(one.fault.family for one in plan(FAULTS, COUNT, 100.0, seed))
    assert set(counts.values()) == {COUNT // len(FAULTS)}
