"""Who connects when in the story of the roll-out."""

from collections import Counter

from exchange.domain.rollout import AYIL_OKMOTU
from exchange.embedded.country import AYIL_OKMOTU_THEN, country_bodies
from exchange.embedded.rollout_calendar import JANUARY_ENDS, LAST_DAY, NO_PAPER, connection_days, publishing_days
from exchange.settings.territory import territory


def test_every_ayil_okmotu_has_its_day() -> None:
    """400 in January, all but one before paper ends, never on a weekend."""
    bodies = country_bodies(territory())
    days = connection_days(bodies)
    assert set(days) == {body.code for body in bodies if body.kind == AYIL_OKMOTU}
    assert sum(day <= JANUARY_ENDS for day in days.values()) == AYIL_OKMOTU_THEN
    assert [day for day in days.values() if day >= NO_PAPER] == [LAST_DAY]
    assert all(day.weekday() < 5 for day in days.values())
    assert max(Counter(days.values()).values()) <= 21, "about as many each day"


def test_nobody_connects_unpublished() -> None:
    """The keepers publish on each day on which somebody connects, and on one before to try the first out."""
    published = publishing_days()
    assert published == sorted(set(published))
    assert set(connection_days(country_bodies(territory())).values()) <= set(published[1:])
