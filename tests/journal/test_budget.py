"""A body's bucket: filled by the broker's times, whichever way these go."""

from dataclasses import replace
from datetime import timedelta

from exchange.domain.policy import Policy
from exchange.journal.budget import Budget
from tests.world import NOW

POLICY = Policy(bytes(32), timedelta(minutes=5), 1000, statements_per_second=10, bytes_per_second=1000, burst_seconds=2)
BURST = 20


def spent(budget: Budget, seconds: float) -> int:
    """How many statements the body can say at that time before its bucket is empty."""
    count = 0
    while budget.spend("alpha", NOW + timedelta(seconds=seconds), 1):
        count += 1
    return count


def test_a_bucket_fills_by_time_and_up_to_a_burst() -> None:
    """Empty is empty; a second gives a second's share; an hour no more than a burst."""
    budget = Budget(POLICY)
    assert [spent(budget, seconds) for seconds in (0, 0, 1, 3601)] == [BURST, 0, 10, BURST]


def test_a_broker_whose_clock_was_ahead_costs_no_hour() -> None:
    """Time that goes back gives nothing, but from there the bucket fills as before."""
    budget = Budget(POLICY)
    assert [spent(budget, seconds) for seconds in (3600, 0, 1)] == [BURST, 0, 10]


def test_what_was_spent_stays_so_while_the_shares_are_the_same() -> None:
    """A policy that differs in something else, as in a revocation list each hour, gives nobody a new burst."""
    budget = Budget(POLICY)
    assert budget.is_by(replace(POLICY, digest=bytes([1]) * 32, inline_bytes=7))
    for other in (
        replace(POLICY, statements_per_second=3),
        replace(POLICY, bytes_per_second=3),
        replace(POLICY, burst_seconds=3),
    ):
        assert not budget.is_by(other)
