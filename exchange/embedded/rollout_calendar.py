"""Who connects when in the story of the roll-out: each working day of January 2022, each Monday until April.

The source tells how things stood in January: 400 of 452 ayil okmotu, in Chui oblast 74 of 105, in Osh
oblast 76 %, in the five others more than 94 %. Of the 88 in Osh oblast 76 % are 67; then all 259 of the
others were connected. Today's code list has one more, which is taken to be in Jalal-Abad oblast, the
largest of the five, and to lag. On which day within its month somebody connects is made up.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from exchange.domain.rollout import AYIL_OKMOTU, OBLAST_DIGITS, RAION_DIGITS
from exchange.embedded.demo_bodies import DemoBody

FIRST_DAY = date(2022, 1, 3)
JANUARY_ENDS = date(2022, 1, 31)
NO_PAPER_TO_PRESIDENT = date(2022, 3, 1)
"""From that day the presidential administration takes no paper."""
NO_PAPER = date(2022, 4, 1)
"""From that day nobody does."""
LAST_DAY = date(2022, 4, 4)
"""The last of all connects, too late for a letter on paper: so the story can show what it meets."""

CHUI, OSH, JALAL_ABAD = "41708", "41706", "41703"
CONNECTED_IN_JANUARY: Mapping[str, int] = {CHUI: 74, OSH: 67, JALAL_ABAD: 67}
"""Ayil okmotu by oblast; elsewhere all."""

SOURCE_COUNTRY = "400 of 452"
SOURCE_SHARES: Mapping[str, str] = {CHUI: "74 of 105; 74 %", OSH: "76 %"}
SOURCE_ELSEWHERE = "over 94 %"
"""What the source says of ayil okmotu, in its words; of Chui oblast it says two things that differ."""

_WEEK = timedelta(days=7)
_SATURDAY = 5


def connection_days(bodies: Iterable[DemoBody]) -> dict[str, date]:
    """The day on which each ayil okmotu is connected, by code; all other bodies are from the first day on."""
    early, late = _parted(sorted((body for body in bodies if body.kind == AYIL_OKMOTU), key=lambda body: body.soate))
    january = list(_working_days(FIRST_DAY + timedelta(days=1), JANUARY_ENDS))
    return _spread(early, january) | _spread(late[:-1], list(_mondays())) | {late[-1]: LAST_DAY}


def publishing_days() -> list[date]:
    """The days on which the keepers publish: whoever connects on one of them is tried out from the one before."""
    return [*_working_days(FIRST_DAY, JANUARY_ENDS), *_mondays(), NO_PAPER, LAST_DAY]


def _parted(villages: Iterable[DemoBody]) -> tuple[list[str], list[str]]:
    """Who is connected in January, and who lags: the last by code of their oblast, these then mixed."""
    seen: Counter[str] = Counter()
    early: list[DemoBody] = []
    late: list[DemoBody] = []
    for village in villages:
        oblast = village.soate[:OBLAST_DIGITS]
        seen[oblast] += 1
        in_time = seen[oblast] <= CONNECTED_IN_JANUARY.get(oblast, seen[oblast])
        (early if in_time else late).append(village)
    late.sort(key=lambda village: village.soate[RAION_DIGITS:])
    return [village.code for village in early], [village.code for village in late]


def _spread(codes: Sequence[str], days: Sequence[date]) -> dict[str, date]:
    """About as many on each day."""
    return {code: days[index * len(days) // len(codes)] for index, code in enumerate(codes)}


def _working_days(first: date, last: date) -> Iterator[date]:
    """Mondays to Fridays; feasts are worked through."""
    day = first
    while day <= last:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=1)


def _mondays() -> Iterator[date]:
    """Those from January's last, itself excluded, until paper ends."""
    day = JANUARY_ENDS + _WEEK
    while day < NO_PAPER:
        yield day
        day += _WEEK
