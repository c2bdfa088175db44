"""Working time: never outside of it, never backwards, and what was given out comes back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.calendar import Calendar, CalendarEnded, Span
from exchange.domain.policy import parse_policy
from exchange.resources import resource

BISHKEK = timedelta(hours=6)
MORNING, AFTERNOON = Span(time(9), time(12, 30)), Span(time(13, 30), time(18))
ORDINARY = (MORNING, AFTERNOON)
WEEK = (ORDINARY,) * 5 + ((), ())
DAY = timedelta(days=1)
DAILY = timedelta(hours=8)

CALENDAR = Calendar(
    BISHKEK,
    WEEK,
    {2026: {date(2026, 8, 31): (), date(2026, 9, 5): ORDINARY, date(2026, 12, 31): (MORNING,)}, 2027: {}},
)
"""Independence Day is a Monday off, the Saturday after is worked, New Year's Eve until noon."""


def local(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    """A time of Bishkek."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC) - BISHKEK


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001  # given
WORK = st.timedeltas(timedelta(), timedelta(hours=300))


def is_worked(moment: datetime) -> bool:
    """Said once more, by the clock on the wall: whether people work then; the end of a span counts."""
    there = moment + BISHKEK
    return any(span.begin <= there.time() <= span.end for span in CALENDAR.hours(there.date()))


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        (local(11, 23, 10), 1, local(11, 23, 11)),
        (local(11, 23, 12), 1, local(11, 23, 14)),
        (local(11, 23, 7), 2, local(11, 23, 11)),
        (local(11, 20, 17, 30), 1, local(11, 23, 9, 30)),
        (local(8, 28, 17), 2, local(9, 1, 10)),
        (local(9, 4, 17), 2, local(9, 5, 10)),
        (local(12, 31, 12), 2, local(1, 1, 10, 30, year=2027)),
    ],
)
def test_working_hours(since: datetime, hours: int, until: datetime) -> None:
    """Over lunch, before dawn, over a week's end, a day off, a Saturday that is worked, and New Year."""
    assert CALENDAR.after(since, timedelta(hours=hours)) == until
    assert CALENDAR.elapsed(since, until) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("since", "days", "until"),
    [
        (local(11, 23, 3), 1, local(11, 24, 18)),
        (local(11, 23, 23), 1, local(11, 24, 18)),
        (local(11, 20, 11), 1, local(11, 23, 18)),
        (local(11, 21, 11), 1, local(11, 23, 18)),
        (local(8, 28, 11), 1, local(9, 1, 18)),
        (local(9, 4, 11), 2, local(9, 7, 18)),
        (local(12, 30, 11), 1, local(12, 31, 12, 30)),
    ],
)
def test_working_days(since: datetime, days: int, until: datetime) -> None:
    """To the end of the last of them; the day on which it began does not count, worked or not."""
    assert CALENDAR.close(since, days) == until


def test_a_day_that_is_off_ends_with_the_next_working_one() -> None:
    """What is due on a Sunday may be done on Monday."""
    assert CALENDAR.end_of(date(2026, 11, 22)) == CALENDAR.end_of(date(2026, 11, 23)) == local(11, 23, 18)


@given(MOMENTS, WORK)
def test_what_was_given_out_comes_back(moment: datetime, work: timedelta) -> None:
    """Time that has gone by is the inverse, and its end lies in working time."""
    until = CALENDAR.after(moment, work)
    assert until >= moment
    assert is_worked(until)
    assert CALENDAR.elapsed(moment, until) == work


@given(MOMENTS, WORK, WORK)
def test_in_two_steps_or_in_one(moment: datetime, first: timedelta, then: timedelta) -> None:
    """Nothing is lost at the seam, wherever it lies."""
    middle = CALENDAR.after(moment, first)
    assert CALENDAR.after(middle, then) == CALENDAR.after(moment, first + then)


@given(MOMENTS, st.timedeltas(timedelta(), 30 * DAY), WORK, st.integers(1, 30))
def test_who_begins_later_is_not_due_earlier(moment: datetime, later: timedelta, work: timedelta, days: int) -> None:
    """In hours and in days."""
    assert CALENDAR.after(moment, work) <= CALENDAR.after(moment + later, work)
    assert CALENDAR.close(moment, days) <= CALENDAR.close(moment + later, days)


@given(MOMENTS, st.integers(1, 30))
def test_days_are_worked_days(moment: datetime, days: int) -> None:
    """Between the day and the last one lie just as many that are worked."""
    day, last = CALENDAR.day_of(moment), CALENDAR.day_of(CALENDAR.close(moment, days))
    between = [day + index * DAY for index in range(1, (last - day).days + 1)]
    assert sum(bool(CALENDAR.hours(one)) for one in between) == days


@given(MOMENTS, MOMENTS, MOMENTS)
def test_elapsed_time_adds_up(first: datetime, second: datetime, third: datetime) -> None:
    """Never negative, and what lies between two moments does not depend on where one looks in between."""
    begin, middle, end = sorted((first, second, third))
    assert CALENDAR.elapsed(begin, end) == CALENDAR.elapsed(begin, middle) + CALENDAR.elapsed(middle, end)
    assert CALENDAR.elapsed(end, begin) == timedelta()


@given(MOMENTS)
def test_every_week_has_its_hours(moment: datetime) -> None:
    """No summer time: seven days later the clock on the wall says the same, as far as no day is special."""
    plain = Calendar(BISHKEK, WEEK, {2026: {}, 2027: {}})
    assert plain.elapsed(moment, moment + 7 * DAY) == 5 * DAILY
    assert plain.after(moment + 7 * DAY, DAILY) == plain.after(moment, DAILY) + 7 * DAY


def test_a_year_that_is_not_given() -> None:
    """Is named, whichever way it is asked for; never guessed."""
    asked: list[Callable[[], object]] = [
        lambda: CALENDAR.hours(date(2028, 1, 3)),
        lambda: CALENDAR.after(local(12, 31, 17, year=2027), 2 * DAILY),
        lambda: CALENDAR.close(local(12, 31, 17, year=2027), 1),
        lambda: CALENDAR.end_of(date(2025, 12, 30)),
        lambda: CALENDAR.elapsed(local(12, 31, 17, year=2027), local(1, 3, 17, year=2028)),
    ]
    for ask in asked:
        with pytest.raises(CalendarEnded) as caught:
            ask()
        assert caught.value.code == "calendar-ended"
        assert str(caught.value.year) in str(caught.value)
    assert CALENDAR.end == local(1, 1, year=2028)
    assert CALENDAR.elapsed(local(12, 31, 17, year=2027), local(12, 31, 18, year=2027)) == timedelta(hours=1)
    assert Calendar(BISHKEK, WEEK, {}).end is None


def test_the_calendar_that_ships() -> None:
    """Of 2026: January begins on the 12th, May Day's week is off, Fridays before nothing are ordinary."""
    calendar = parse_policy(resource("config", "policy.toml").read_bytes()).deadlines.calendar
    assert calendar is not None
    assert calendar.offset == BISHKEK
    assert calendar.close(local(1, 1, 12), 1) == local(1, 12, 18)
    assert calendar.close(local(4, 30, 12), 1) == local(5, 11, 18)
    assert calendar.close(local(11, 20, 12), 1) == local(11, 23, 18)
    assert calendar.end_of(date(2026, 12, 31)) == local(12, 31, 17)
    assert calendar.end == local(1, 1, year=2027)
