"""Intervals include both ends, and the last second lasts a second."""

from datetime import datetime, timedelta

import pytest

from exchange.security.validity import Validity
from tests.security.support import DAY, NOW, certify_root

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        (NOW - TICK, False),
        (NOW, True),
        (NOW + DAY, True),
        (NOW + DAY + timedelta(seconds=1) - TICK, True),
        (NOW + DAY + timedelta(seconds=1), False),
    ],
)
def test_ends_are_included(moment: datetime, *, covered: bool) -> None:
    """As RFC 5280 counts them."""
    assert Validity(NOW, NOW + DAY).covers(moment) is covered


def test_of_several_is_their_intersection() -> None:
    """A chain holds while all of its certificates do."""
    first = certify_root(validity=Validity(NOW - DAY, NOW + 5 * DAY)).certificate
    second = certify_root(validity=Validity(NOW, NOW + 9 * DAY)).certificate
    assert Validity.of(first, second) == Validity(NOW, NOW + 5 * DAY)
