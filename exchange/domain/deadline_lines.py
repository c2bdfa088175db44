"""The policy's tables `[calendar]` and `[[deadline]]` (`docs/policy.md` explains each line)."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from exchange.domain.calendar import Calendar, Hours, Span
from exchange.domain.deadline import NO_DEADLINES, DeadlinePolicy, DeadlineRule, Party, Stage, Unit, Within
from exchange.domain.group import Expression
from exchange.domain.ids import digest
from exchange.domain.policy_lines import expression, invalid, require_keys, tables
from exchange.domain.statement import LetterKind, Urgency

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RULES = 64
"""More than anybody reads; each costs every delivery a look."""

_CALENDAR = frozenset({*WEEKDAYS, "utc_offset", "years"})
_YEAR = frozenset({"off", "hours"})
_DEADLINE = frozenset({"stage", "within", "notify", "urgency", "kind", "from", "to"})
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_WITHIN = re.compile(r"([1-9]\d{0,5}) (working )?(second|minute|hour|day)s?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_LONGEST = timedelta(days=3660)


def deadline_policy(text: Mapping[str, Any]) -> DeadlinePolicy:
    """What a policy says about deadlines; nothing when it has none of these tables.

    Raises:
        ConfigurationError: `policy-invalid`, naming the field.
    """
    said = {name: text[name] for name in ("calendar", "deadline") if name in text}
    if not said:
        return NO_DEADLINES
    calendar = _calendar(text["calendar"]) if "calendar" in text else None
    lines = tables(text.get("deadline", []), "deadline")
    if len(lines) > RULES:
        raise invalid("deadline", f"has {len(lines)} tables: at most {RULES}; name groups of bodies instead")
    rules = tuple(_rule(line, f"deadline[{index}]") for index, line in enumerate(lines))
    for index, rule in enumerate(rules):
        if calendar is None and rule.within.unit not in {Unit.SECONDS, Unit.NEVER}:
            raise invalid(f"deadline[{index}].within", "needs the working hours of a table [calendar]")
    return DeadlinePolicy(calendar, rules, digest(json.dumps(said, sort_keys=True, default=str).encode()))


def _calendar(table: object) -> Calendar:
    if not isinstance(table, dict):
        raise invalid("calendar", "must be a table: a line [calendar] with its keys below")
    require_keys(table, _CALENDAR, "calendar")
    week = tuple(_hours(table.get(day, []), f"calendar.{day}") for day in WEEKDAYS)
    if not any(week):
        raise invalid("calendar.monday", 'has no hours, nor has any other day: give them as in ["09:00-18:00"]')
    years = table.get("years", {})
    if not isinstance(years, dict):
        raise invalid("calendar.years", "must be tables: a line [calendar.years.2026] with its keys below")
    return Calendar(_offset(table.get("utc_offset")), week, dict(_year(*item) for item in years.items()))


def _offset(value: object) -> timedelta:
    found = _OFFSET.fullmatch(value) if isinstance(value, str) else None
    offset = None if found is None else timedelta(hours=int(found[2]), minutes=int(found[3]))
    if found is None or offset is None or offset > timedelta(hours=14):
        raise invalid("calendar.utc_offset", 'must be hours and minutes in quotes, as in "+06:00"')
    return -offset if found[1] == "-" else offset


def _year(name: str, table: object) -> tuple[int, dict[date, Hours]]:
    place = f"calendar.years.{name}"
    year = int(name) if re.fullmatch(r"\d{4}", name) else 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise invalid(place, f"must be a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    if not isinstance(table, dict):
        raise invalid(place, f"must be a table: a line [{place}] with its keys below")
    require_keys(table, _YEAR, place)
    off, hours = table.get("off", []), table.get("hours", {})
    if not isinstance(off, list) or not isinstance(hours, dict):
        raise invalid(f"{place}.off", "must be a list of dates; .hours a table of dates")
    days: dict[date, Hours] = {_date(day, year, f"{place}.off"): () for day in off}
    for text, spans in hours.items():
        day = _date(_iso(text), year, f"{place}.hours.{text}")
        if day in days:
            raise invalid(f"{place}.hours.{text}", "is a day off above: remove one of the two lines")
        days[day] = _hours(spans, f"{place}.hours.{text}")
    return year, days


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _date(value: object, year: int, place: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime) or value.year != year:
        raise invalid(place, f"must be dates of {year} without quotes, as in {year}-01-01")
    return value


def _hours(value: object, place: str) -> Hours:
    """Spans of a day, in their order, apart from each other."""
    if not isinstance(value, list):
        raise invalid(place, 'must be a list of hours in quotes, as in ["09:00-12:30", "13:30-18:00"]')
    spans = tuple(_span(text, place) for text in value)
    if any(first.end >= second.begin for first, second in pairwise(spans)):
        raise invalid(place, "must name hours in their order, with a break between them")
    return spans


def _span(text: object, place: str) -> Span:
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    try:
        span = None if found is None else Span(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    except ValueError:
        span = None
    if span is None or span.begin >= span.end:
        raise invalid(place, 'must be from when to when, as in "09:00-12:30"')
    return span


def _rule(line: Mapping[str, Any], place: str) -> DeadlineRule:
    require_keys(line, _DEADLINE, place)
    stage = _words([line.get("stage")], Stage, f"{place}.stage")
    return DeadlineRule(
        stage=Stage(stage[0]),
        within=_within(line.get("within"), f"{place}.within"),
        notify=tuple(map(Party, _words(line.get("notify", []), Party, f"{place}.notify"))),
        urgencies=frozenset(_words(line.get("urgency", []), Urgency, f"{place}.urgency")),
        kinds=frozenset(_words(line.get("kind", []), LetterKind, f"{place}.kind")),
        senders=_bodies(line, "from", place),
        recipients=_bodies(line, "to", place),
    )


def _bodies(line: Mapping[str, Any], name: str, place: str) -> Expression | None:
    return expression(line[name], f"{place}.{name}") if name in line else None


def _words(value: object, known: type[StrEnum], place: str) -> list[str]:
    names: Collection[object] = [one.value for one in known]
    if not isinstance(value, list) or not all(word in names for word in value):
        raise invalid(place, f"must be of {', '.join(known)}")
    return value


def _within(value: object, place: str) -> Within:
    if isinstance(value, str) and value in {Unit.REPLY_DUE, Unit.NEVER}:
        return Within(Unit(value))
    found = _WITHIN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        known = '"15 minutes", "4 working hours", "1 working day", "reply due" or "never"'
        raise invalid(place, f"must be a time in quotes: as in {known}")
    amount, working, unit = int(found[1]), found[2], found[3]
    if timedelta(seconds=amount * _SECONDS[unit]) > _LONGEST:
        raise invalid(place, "must be ten years at most")
    if not working:
        return Within(Unit.SECONDS, amount * _SECONDS[unit])
    return Within(Unit.WORKING_DAYS, amount) if unit == "day" else Within(Unit.WORKING_SECONDS, amount * _SECONDS[unit])
