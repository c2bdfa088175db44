"""Moments and spans as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from exchange.console.pages import times
from exchange.console.pages.language import Language

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def test_the_clock_is_bishkeks() -> None:
    """Six hours ahead of UTC; the year only when it is another one."""
    assert times.absolute(NOW, Language.EN, NOW) == "23 Nov 10:00"
    assert times.absolute(NOW.replace(year=2025), Language.EN, NOW) == "23 Nov 2025 10:00"
    assert times.exact(NOW, Language.RU) == "23 нояб. 2026 10:00:00"


@pytest.mark.parametrize(
    ("language", "expected"),
    [(Language.KY, "14 мүнөт мурун"), (Language.RU, "14 минут назад"), (Language.EN, "14 minutes ago")],
)
def test_relative(language: Language, expected: str) -> None:
    """In the reader's own language."""
    assert times.relative(NOW - timedelta(minutes=14), language, NOW) == expected


@pytest.mark.parametrize("milliseconds", [-900, 0, 900])
def test_this_second_is_past(milliseconds: int) -> None:
    """Clocks of machines differ; nothing that has happened is told as something to come."""
    assert times.relative(NOW + timedelta(milliseconds=milliseconds), Language.EN, NOW) == "1 second ago"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(), "0 sec"),
        (timedelta(milliseconds=35), "35 ms"),
        (timedelta(seconds=90), "90 sec"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=30), "30 hr"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_spans(span: timedelta, expected: str) -> None:
    """By the unit of which there are two or more."""
    assert times.lasted(span, Language.EN) == expected


def test_the_last_hour_of_the_calendar_is_shown() -> None:
    """Anybody's clock may say it, and it has no time in Bishkek."""
    assert "9999" in times.exact(datetime.max.replace(tzinfo=UTC), Language.KY)


def test_dates_and_numbers() -> None:
    """As the language writes them."""
    assert times.day(date(2026, 11, 3), Language.RU) == "3 ноября 2026"
    assert times.month(date(2026, 11, 1), Language.EN) == "November 2026"
    assert times.number(1_234_567, Language.EN) == "1,234,567"
    assert times.size(393_216, Language.RU) == "384 кБ"
    assert times.percent(0.0375, Language.EN) == "3.8%"
