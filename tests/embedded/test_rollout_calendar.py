"""Who connects when in the story of the roll-out."""

from collections import Counter
from datetime import date

from exchange.domain.rollout import AYIL_OKMOTU
from exchange.embedded.country import AYIL_OKMOTU_THEN, country_bodies
from exchange.embedded.rollout_calendar import JANUARY_ENDS, LAST_DAY, NO_PAPER, connection_days, working_days
from exchange.settings.territory import territory


def test_every_ayil_okmotu_has_its_day() -> None:
    """400 in January, all but one before paper ends, on working days only."""
    bodies = country_bodies(territory())
    days = connection_days(bodies)
    assert set(days) == {body.code for body in bodies if body.kind == AYIL_OKMOTU}
    assert sum(day <= JANUARY_ENDS for day in days.values()) == AYIL_OKMOTU_THEN
    assert [day for day in days.values() if day >= NO_PAPER] == [LAST_DAY]
    assert all(day.weekday() < 5 for day in days.values())
    assert max(Counter(days.values()).values()) <= 21, "about as many each day"


def test_working_days() -> None:
    """From Friday over the weekend to Monday."""
    assert list(working_days(date(2022, 4, 1), date(2022, 4, 4))) == [date(2022, 4, 1), date(2022, 4, 4)]
