"""Deadlines: which rule decides, until when, who is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.calendar import CalendarEnded
from exchange.domain.deadline import NO_TERMS, Matter, Stage, Terms
from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import Policy, parse_policy, require_known_bodies
from exchange.resources import resource
from tests.domain.test_calendar import local

BASE = """
[letters]
clock_skew_seconds = 300
inline_bytes = 2
[budget]
statements_per_second = 3
bytes_per_second = 4
burst_seconds = 5
"""
CALENDAR = """
[calendar]
utc_offset = "+06:00"
monday = ["09:00-12:30", "13:30-18:00"]
tuesday = ["09:00-18:00"]
[calendar.years.2026]
off = [2026-11-23]
[calendar.years.2026.hours]
2026-11-25 = ["10:00-11:00"]
"""


def body(code: str, kind: str = "agency") -> Body:
    """A body of the directory."""
    return Body(code, Names("ky", "ru", "en"), kind, BodyStatus.CONNECTED)


BODIES = {one.code: one for one in (body("mfa", "ministry"), body("minjust", "ministry"), body("natstat"))}
LETTER = Matter("natstat", "DOCUMENT", "ROUTINE", None)


def policy(*lines: str, calendar: str = "") -> Policy:
    """A policy with these lines about deadlines."""
    return parse_policy((BASE + "".join(f"[[deadline]]\n{line}\n" for line in lines) + calendar).encode())


def terms(*lines: str, calendar: str = "") -> Terms:
    """What a policy's lines come to among the bodies."""
    return Terms(policy(*lines, calendar=calendar).deadlines, BODIES)


def test_without_lines_nothing_is_due() -> None:
    """Policies of before there were deadlines are replayed for ever."""
    assert policy().deadlines.rules == ()
    for none in (NO_TERMS, terms()):
        assert none.due(Stage.DELIVER, local(11, 23), LETTER, "mfa") is None
        assert none.notified(Stage.DELIVER, LETTER, "mfa") == ()


def test_the_first_line_that_fits_decides() -> None:
    """By stage, urgency, kind, sender and recipient; a line that says nothing of one fits all."""
    found = terms(
        'stage = "deliver"\nwithin = "1 second"\nurgency = ["IMMEDIATE"]',
        'stage = "deliver"\nwithin = "2 seconds"\nkind = ["REPLY", "ADDITION"]',
        'stage = "deliver"\nwithin = "never"\nfrom = "mfa"',
        'stage = "deliver"\nwithin = "4 seconds"\nto = "kind:ministry, -minjust"',
        'stage = "deliver"\nwithin = "5 seconds"',
        'stage = "register"\nwithin = "6 seconds"',
    )

    def seconds(matter: Matter, recipient: str, stage: Stage = Stage.DELIVER) -> float | None:
        due = found.due(stage, local(11, 23), matter, recipient)
        return None if due is None else (due - local(11, 23)).total_seconds()

    assert seconds(Matter("mfa", "REPLY", "IMMEDIATE", None), "natstat") == 1
    assert seconds(Matter("mfa", "REPLY", "URGENT", None), "natstat") == 2
    assert seconds(Matter("mfa", "DOCUMENT", "URGENT", None), "natstat") is None
    assert seconds(LETTER, "mfa") == 4
    assert seconds(LETTER, "minjust") == 5
    assert seconds(LETTER, "nobody-listed") == 5
    assert seconds(LETTER, "mfa", Stage.REGISTER) == 6
    assert seconds(LETTER, "mfa", Stage.REPLY) is None


@pytest.mark.parametrize(
    ("within", "due"),
    [
        ("30 seconds", local(11, 20, 11) + timedelta(seconds=30)),
        ("1 minute", local(11, 20, 11, 1)),
        ("2 hours", local(11, 20, 13)),
        ("3 days", local(11, 23, 11)),
        ("90 working seconds", local(11, 24, 9) + timedelta(seconds=90)),
        ("10 working minutes", local(11, 24, 9, 10)),
        ("9 working hours", local(11, 24, 18)),
        ("10 working hours", local(11, 25, 11)),
        ("1 working day", local(11, 24, 18)),
        ("2 working days", local(11, 25, 11)),
        ("3 working days", local(11, 30, 18)),
        ("never", None),
    ],
)
def test_times(within: str, due: datetime | None) -> None:
    """By the clock, and in working time: Friday, Saturday, Sunday and the holiday's Monday count for nothing."""
    found = terms(f'stage = "register"\nwithin = "{within}"', calendar=CALENDAR)
    assert found.due(Stage.REGISTER, local(11, 20, 11), LETTER, "mfa") == due


def test_a_reply_is_due_when_its_letter_says() -> None:
    """To the end of that working day; a letter that names none waits for the next line that fits."""
    found = terms('stage = "reply"\nwithin = "reply due"', 'stage = "reply"\nwithin = "1 minute"', calendar=CALENDAR)
    began = local(11, 20, 11)
    wanted = Matter("natstat", "DOCUMENT", "ROUTINE", date(2026, 11, 21))
    assert found.due(Stage.REPLY, began, wanted, "mfa") == local(11, 24, 18)
    assert found.due(Stage.REPLY, began, LETTER, "mfa") == local(11, 20, 11, 1)
    past = Matter("natstat", "DOCUMENT", "ROUTINE", date(2026, 1, 5))
    assert found.due(Stage.REPLY, began, past, "mfa") == began


def test_what_nobody_can_reckon_yet() -> None:
    """A year that is not given is named; who goes on without gets none."""
    found = terms('stage = "register"\nwithin = "1 working day"', calendar=CALENDAR)
    with pytest.raises(CalendarEnded, match="2027"):
        found.due(Stage.REGISTER, local(12, 30, 11), LETTER, "mfa")
    assert found.due_or_none(Stage.REGISTER, local(12, 30, 11), LETTER, "mfa") is None


def test_who_is_told() -> None:
    """As the deciding line says, in its order; a letter to oneself tells once."""
    found = terms(
        'stage = "deliver"\nwithin = "1 second"\nnotify = ["recipient", "sender"]',
        'stage = "register"\nwithin = "1 second"',
    )
    assert found.notified(Stage.DELIVER, LETTER, "mfa") == ("mfa", "natstat")
    assert found.notified(Stage.DELIVER, LETTER, "natstat") == ("natstat",)
    assert found.notified(Stage.REGISTER, LETTER, "mfa") == ()


@given(
    st.sampled_from(Stage),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # given
    st.timedeltas(timedelta(), timedelta(days=9)),
    st.sampled_from(["ROUTINE", "URGENT", "IMMEDIATE"]),
)
def test_the_lines_that_ship(stage: Stage, began: datetime, later: timedelta, urgency: str) -> None:
    """Each stage but the reply has a deadline; none before it began; who begins later is not due earlier."""
    shipped = Terms(parse_policy(resource("config", "policy.toml").read_bytes()).deadlines, BODIES)
    matter = Matter("natstat", "DOCUMENT", urgency, None)
    due, then = (shipped.due(stage, at, matter, "mfa") for at in (began, began + later))
    if stage is Stage.REPLY:
        assert due is None
        return
    assert due is not None
    assert then is not None
    assert began < due <= then
    routine = shipped.due(stage, began, LETTER, "mfa")
    assert routine is not None
    assert due <= routine


BAD_CALENDARS = [
    ("calendar = 5", "calendar must be a table"),
    ('[calendar]\nmonday = ["09:00-18:00"]', "calendar.utc_offset"),
    ('[calendar]\nmonday = ["09:00-18:00"]\nutc_offset = "6"', "calendar.utc_offset"),
    ('[calendar]\nmonday = ["09:00-18:00"]\nutc_offset = "+15:00"', "calendar.utc_offset"),
    ('[calendar]\nutc_offset = "+06:00"', "calendar.monday"),
    ('[calendar]\nutc_offset = "+06:00"\nmoonday = []', "calendar.moonday"),
    ('[calendar]\nutc_offset = "+06:00"\nfriday = "09:00-18:00"', "calendar.friday must be a list"),
    ('[calendar]\nutc_offset = "+06:00"\nfriday = ["18:00-09:00"]', "calendar.friday must be from when"),
    ('[calendar]\nutc_offset = "+06:00"\nfriday = ["09:00-24:00"]', "calendar.friday must be from when"),
    ('[calendar]\nutc_offset = "+06:00"\nfriday = [9]', "calendar.friday must be from when"),
    (
        '[calendar]\nutc_offset = "+06:00"\nfriday = ["09:00-12:00", "12:00-13:00"]',
        "calendar.friday must name hours in",
    ),
]
BAD_YEARS = [
    ("years = 5", "calendar.years must be tables"),
    ("years.26 = {}", "calendar.years.26 must be a year"),
    ("years.1999 = {}", "calendar.years.1999 must be a year"),
    ("years.2026 = 5", "calendar.years.2026 must be a table"),
    ("years.2026.of = []", "calendar.years.2026.of is not known"),
    ("years.2026.off = 5", "calendar.years.2026.off"),
    ('years.2026.off = ["2026-01-01"]', "calendar.years.2026.off"),
    ("years.2026.off = [2025-01-01]", "calendar.years.2026.off"),
    ("years.2026.off = [2026-01-01T00:00:00]", "calendar.years.2026.off"),
    ("years.2026.hours = { 2025-01-01 = [] }", "calendar.years.2026.hours.2025-01-01"),
    ("years.2026.hours = { 2026-02-30 = [] }", "calendar.years.2026.hours.2026-02-30"),
    ("years.2026.hours = { 2026-01-01 = [5] }", "calendar.years.2026.hours.2026-01-01"),
    ("years.2026 = { off = [2026-01-01], hours = { 2026-01-01 = [] } }", "calendar.years.2026.hours.2026-01-01 is a"),
]
BAD_RULES = [
    ("", "deadline[0].stage"),
    ('stage = ["deliver"]', "deadline[0].stage"),
    ('stage = "delivered"', "deadline[0].stage"),
    ('stage = "deliver"', "deadline[0].within"),
    ('stage = "deliver"\nwithin = 5', "deadline[0].within"),
    ('stage = "deliver"\nwithin = ["never"]', "deadline[0].within"),
    ('stage = "deliver"\nwithin = "0 minutes"', "deadline[0].within"),
    ('stage = "deliver"\nwithin = "soon"', "deadline[0].within"),
    ('stage = "deliver"\nwithin = "99999 days"', "deadline[0].within must be ten years"),
    ('stage = "deliver"\nwithin = "1 working day"', "deadline[0].within needs the working hours"),
    ('stage = "reply"\nwithin = "reply due"', "deadline[0].within needs the working hours"),
    ('stage = "deliver"\nwithin = "1 day"\nnotify = "sender"', "deadline[0].notify"),
    ('stage = "deliver"\nwithin = "1 day"\nnotify = ["operator"]', "deadline[0].notify"),
    ('stage = "deliver"\nwithin = "1 day"\nurgency = ["urgent"]', "deadline[0].urgency"),
    ('stage = "deliver"\nwithin = "1 day"\nkind = [["REPLY"]]', "deadline[0].kind"),
    ('stage = "deliver"\nwithin = "1 day"\nto = 5', "deadline[0].to must be a group"),
    ('stage = "deliver"\nwithin = "1 day"\nfrom = "kind:"', "deadline[0].from is no group"),
    ('stage = "deliver"\nwithin = "1 day"\nbodies = "all"', "deadline[0].bodies is not known"),
]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *BAD_CALENDARS,
        *(
            (f'[calendar]\nutc_offset = "+06:00"\nfriday = ["09:00-18:00"]\n{years}', named)
            for years, named in BAD_YEARS
        ),
        *((f"[[deadline]]\n{rule}", named) for rule, named in BAD_RULES),
        ("deadline = 5", "deadline must be tables"),
        ("[[deadline]]\n" * 65, "deadline has 65 tables"),
    ],
)
def test_every_bad_line_is_named(text: str, named: str) -> None:
    """With the field, and what it should have been."""
    before = text + "\n" + BASE if text.partition("\n")[0].endswith(" = 5") else BASE + text
    with pytest.raises(ConfigurationError) as caught:
        parse_policy(before.encode())
    assert caught.value.code == "policy-invalid"
    assert str(caught.value).startswith(f"policy: {named}")


def test_kinds_of_bodies_that_there_are_not() -> None:
    """A slip, by which a deadline would concern nobody: refused before the policy comes into force."""
    found = policy('stage = "deliver"\nwithin = "1 day"\nto = "kind:ministery"')
    with pytest.raises(ConfigurationError, match=r"deadline\[0\].to.*ministery"):
        require_known_bodies(found)
