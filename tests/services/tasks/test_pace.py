"""The pace of one task: never more than its letters a second, nothing saved up."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.services.tasks.pace import Pace


@given(steps=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=50), pace=st.floats(0.1, 1000.0))
def test_no_more_than_the_pace_allows(steps: list[float], pace: float) -> None:
    """However often it is asked, and however long nobody asked."""
    bucket, now, said = Pace(0.0), 0.0, 0
    for step in steps:
        now += step
        allowed = bucket.allowed(now, pace)
        assert 0 <= allowed <= max(1.0, 2 * pace)
        bucket.used(allowed)
        said += allowed
        assert said <= now * pace + 1e-6


def test_quiet_seconds_are_not_made_up_for() -> None:
    """A pace of 0 forgets what was left."""
    bucket = Pace(0.0)
    assert bucket.allowed(1.0, 10.0) == 10
    assert bucket.allowed(2.0, 0.0) == 0
    assert bucket.allowed(2.5, 10.0) == 5
