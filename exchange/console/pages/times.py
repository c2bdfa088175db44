"""Moments, spans and numbers as people read them, in their language; the clock on the wall is Bishkek's."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from exchange.console.pages.language import Language
from exchange.domain.paper import BISHKEK

_LOCALES = {language: Locale.parse(language.value) for language in Language}
_SECOND = timedelta(seconds=1)
_TURNS_AT = 2.0
"""`100 seconds`, then `2 minutes`: a span goes by the unit of which it has two or more."""


def local(moment: datetime) -> datetime:
    """A moment on Bishkek's clock; one at the very end of the calendar stays as it is."""
    try:
        return moment.astimezone(BISHKEK)
    except OverflowError:  # anybody's clock may say the last hour of the year 9999
        return moment


def absolute(moment: datetime, language: Language, now: datetime) -> str:
    """Day and time of day, the year only when it is another one."""
    there = local(moment)
    pattern = "d MMM HH:mm" if there.year == local(now).year else "d MMM yyyy HH:mm"
    return format_datetime(there, pattern, locale=_LOCALES[language])


def exact(moment: datetime, language: Language) -> str:
    """Day with its year, time of day to the second."""
    return format_datetime(local(moment), "d MMM yyyy HH:mm:ss", locale=_LOCALES[language])


def relative(moment: datetime, language: Language, now: datetime) -> str:
    """How long ago, or in how long: `14 minutes ago`; what is of this second is a second ago."""
    span = moment - now
    if abs(span) < _SECOND:
        span = -_SECOND
    return format_timedelta(span, threshold=_TURNS_AT, add_direction=True, locale=_LOCALES[language])


def lasted(span: timedelta, language: Language) -> str:
    """How long something took: `14 min`; below a second in milliseconds."""
    seconds = abs(span.total_seconds())
    if 0 < seconds < 1:
        return format_unit(round(seconds * 1000), "duration-millisecond", length="short", locale=_LOCALES[language])
    return format_timedelta(abs(span), threshold=_TURNS_AT, format="short", locale=_LOCALES[language])


@lru_cache(maxsize=1024)
def day(value: date, language: Language) -> str:
    """A date with its year."""
    return format_date(value, "d MMMM yyyy", locale=_LOCALES[language])


def month(value: date, language: Language) -> str:
    """A month by its name, with the year."""
    return format_date(value, "LLLL yyyy", locale=_LOCALES[language])


@lru_cache(maxsize=4096)
def number(value: float, language: Language) -> str:
    """A number with the language's own marks; kept, for a page has a hundred of them."""
    return format_decimal(value, locale=_LOCALES[language])


def percent(share: float, language: Language) -> str:
    """A share between 0 and 1, to a tenth of a percent."""
    return format_percent(share, "#,##0.#%", locale=_LOCALES[language])


def size(count: int, language: Language) -> str:
    """So many bytes, in kilobytes of 1024."""
    kilobytes = max(1, round(count / 1024))
    return format_unit(kilobytes, "digital-kilobyte", length="short", locale=_LOCALES[language])
