"""Working time: which hours of which days count when something is to be done in working hours or days.

Everything that a calendar knows is data of the policy: the offset from UTC, the hours of each weekday, and year by
year the days off and the days with other hours. Which days are off is decreed for each year (holidays by the moon,
bridges, days that are worked in exchange), so a calendar **knows only the years that it gives**: what would have to
be reckoned in another year is named (`CalendarEnded`), never guessed.

The offset is a fixed one: Kyrgyzstan has had no summer time since 2005, and what was reckoned once must be reckoned
again in twenty years, whatever the zone database says then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from exchange.domain.errors import ExchangeError

_DAY = timedelta(days=1)


class CalendarEnded(ExchangeError):
    """A time cannot be reckoned: the calendar does not give the year that it would lie in, or pass through."""

    code = "calendar-ended"

    def __init__(self, year: int) -> None:
        """Keep the year that is missing."""
        super().__init__(f"the calendar does not give {year}: add [calendar.years.{year}] to the policy")
        self.year = year


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Some hours of a day, from `begin` to before `end`; local time."""

    begin: time
    end: time


Hours = tuple[Span, ...]
"""When a day is worked: spans in their order, none touching the next; empty for a day off."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working time of a country.

    Attributes:
        offset: of local time from UTC.
        week: hours of each weekday, Monday first; one of them is worked at least.
        years: the years that are given, each with the days that differ from the week: no hours for a day off.
    """

    offset: timedelta
    week: tuple[Hours, ...]
    years: Mapping[int, Mapping[date, Hours]]

    def day_of(self, moment: datetime) -> date:
        """The local day on which a moment lies."""
        return moment.astimezone(timezone(self.offset)).date()

    def hours(self, day: date) -> Hours:
        """When a day is worked; empty for a day off.

        Raises:
            CalendarEnded: the calendar does not give its year.
        """
        different = self.years.get(day.year)
        if different is None:
            raise CalendarEnded(day.year)
        return different.get(day, self.week[day.weekday()])

    def spans(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working time from `moment` on, span by span, UTC; the first may have begun before.

        Raises:
            CalendarEnded: after the last year that is given.
        """
        day = self.day_of(moment)
        while True:
            for span in self.hours(day):
                begin, end = self._at(day, span.begin), self._at(day, span.end)
                if end > moment:
                    yield begin, end
            day += _DAY

    def after(self, moment: datetime, working: timedelta) -> datetime:
        """When so much working time has gone by since `moment`; UTC, always within working time or at its end.

        Raises:
            CalendarEnded: that lies beyond the last year that is given.
        """
        spans, left = self.spans(moment), working
        begin, end = next(spans)
        while (start := max(begin, moment)) + left > end:
            left -= end - start
            begin, end = next(spans)
        return start + left

    def close(self, moment: datetime, days: int) -> datetime:
        """The end of the so-many-th working day after the day of `moment`; UTC.

        The day itself does not count, at whatever hour: a term in days begins on the day after.

        Raises:
            CalendarEnded: that lies beyond the last year that is given.
        """
        day, left = self.day_of(moment), days
        while left:
            day += _DAY
            left -= bool(self.hours(day))
        return self.end_of(day)

    def end_of(self, day: date) -> datetime:
        """The end of working time on `day`, or on the next working day when it is off; UTC.

        Raises:
            CalendarEnded: that lies beyond the last year that is given.
        """
        hours = self.hours(day)
        while not hours:
            day += _DAY
            hours = self.hours(day)
        return self._at(day, hours[-1].end)

    def elapsed(self, since: datetime, until: datetime) -> timedelta:
        """Working time between two moments; none when `until` is not later.

        Raises:
            CalendarEnded: a year between them is not given.
        """
        total = timedelta()
        if until <= since:
            return total
        spans = self.spans(since)
        begin, end = next(spans)
        while end < until:
            total += end - max(begin, since)
            begin, end = next(spans)
        return total + max(until - max(begin, since), timedelta())

    @property
    def end(self) -> datetime | None:
        """When the last year that is given ends, UTC; None when none is."""
        return self._at(date(max(self.years), 12, 31), time()) + _DAY if self.years else None

    def _at(self, day: date, clock: time) -> datetime:
        """A local time of day as a moment."""
        return datetime.combine(day, clock, UTC) - self.offset
