"""Days and months in the exchange's own time zone."""

from datetime import UTC, date, datetime, timedelta

from exchange.domain.paper import BISHKEK, day_of
from exchange.store.overviews import Month, Window

_MICROSECOND = timedelta(microseconds=1)
ZONE_MICROS = BISHKEK.utcoffset(None) // _MICROSECOND
DAY_MICROS = timedelta(days=1) // _MICROSECOND
_EPOCH = date(1970, 1, 1)


def window_of(month: Month) -> Window:
    """From its first midnight to its last."""
    first, last = (date(one.year, one.month, 1) for one in (month, following(month)))
    return Window(_midnight(first), _midnight(last))


def month_of(at: datetime) -> Month:
    """The month that a time belongs to."""
    day = day_of(at)
    return Month(day.year, day.month)


def window_of_day(day: date) -> Window:
    """From midnight to midnight."""
    return Window(_midnight(day), _midnight(day + timedelta(days=1)))


def date_of(day: int) -> date:
    """The date of a day's number, of which 1970-01-01 is 0."""
    return _EPOCH + timedelta(days=day)


def number_of(day: date) -> int:
    """The number of a day."""
    return (day - _EPOCH).days


def month_of_day(day: int) -> Month:
    """The month that a day's number belongs to."""
    at = date_of(day)
    return Month(at.year, at.month)


def following(month: Month) -> Month:
    """The next one."""
    return Month(month.year + month.month // 12, month.month % 12 + 1)


def earlier(month: Month, number: int) -> Month:
    """The one so many months before."""
    year, left = divmod(month.year * 12 + month.month - 1 - number, 12)
    return Month(year, left + 1)


def months_within(window: Window) -> list[Month]:
    """The months that a window touches."""
    months = [month_of(window.since)]
    while window_of(following(months[-1])).since < window.until:
        months.append(following(months[-1]))
    return months


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BISHKEK).astimezone(UTC)
