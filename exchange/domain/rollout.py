"""How far the roll-out is: who is connected, where, and how long paper still helps. A pure count."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from exchange.domain.directory import Body, BodyStatus
from exchange.domain.entry import OWN_KIND

AYIL_OKMOTU = "ayil-okmotu"
"""The kind of body that the roll-out's reports count by itself."""

OBLAST_DIGITS, RAION_DIGITS = 5, 8
"""How much of a SOATE code names the oblast (or one of the two cities beside them), how much the raion or city."""
_OWN_TAILS = ("000000", "000010")
"""How the code of a raion, and of a city, ends behind these digits."""


@dataclass(frozen=True, slots=True)
class Count:
    """Connected bodies, of how many that have not left."""

    connected: int
    bodies: int

    @property
    def percent(self) -> float | None:
        """Their share; None of none."""
        return 100 * self.connected / self.bodies if self.bodies else None


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the country.

    Attributes:
        soate: the first digits of its codes; empty for central bodies.
        name: empty where nobody told it.
        ayil_okmotu: those among `all`.
        carried: bodies that the paper bridge still carries.
        raions: the parts of an oblast; none below a raion.
    """

    soate: str
    name: str
    all: Count
    ayil_okmotu: Count
    carried: int
    raions: tuple["Area", ...] = ()


@dataclass(frozen=True, slots=True)
class CutOff:
    """A day from which so many bodies take, and send, no paper any more; in the past `days_left` is negative."""

    day: date
    days_left: int
    take_none: int
    send_none: int


@dataclass(frozen=True, slots=True)
class RollOut:
    """The roll-out on one day.

    Attributes:
        country: everything.
        oblasts: its parts, the first of them central.
        cut_offs: when paper ends, in the order of the days.
        silent: connected bodies that have said nothing lately; None where nobody asked.
    """

    day: date
    country: Area
    oblasts: tuple[Area, ...]
    cut_offs: tuple[CutOff, ...]
    silent: tuple[str, ...] | None = None


def count_roll_out(bodies: Iterable[Body], names: Mapping[str, str], day: date) -> RollOut:
    """Count bodies by oblast and raion.

    Args:
        bodies: of a version of the directory; who left is not counted, nor are the exchange's own.
        names: of the country's parts, by SOATE code of 14 digits.
        day: today, in Bishkek.
    """
    present = [body for body in bodies if body.status is not BodyStatus.LEFT and body.kind != OWN_KIND]
    short = _by_beginning(names)
    oblasts = tuple(
        _area(digits, short, members, tuple(_raions(members, short)))
        for digits, members in _grouped(present, lambda body: body.soate[:OBLAST_DIGITS])
    )
    return RollOut(day, _area("", short, present), oblasts, tuple(_cut_offs(present, day)))


def silent_bodies(bodies: Iterable[Body], speaking: Collection[str]) -> tuple[str, ...]:
    """Codes of the connected bodies, but for the exchange's own, that are not among those `speaking`."""
    connected = (body.code for body in bodies if body.status is BodyStatus.CONNECTED and body.kind != OWN_KIND)
    return tuple(sorted(code for code in connected if code not in speaking))


def _raions(members: list[Body], names: Mapping[str, str]) -> Iterable[Area]:
    for digits, inside in _grouped(members, lambda body: body.soate[:RAION_DIGITS]):
        if len(digits.rstrip("0")) > OBLAST_DIGITS:
            yield _area(digits, names, inside)


def _area(digits: str, names: Mapping[str, str], members: list[Body], raions: tuple[Area, ...] = ()) -> Area:
    villages = [body for body in members if body.kind == AYIL_OKMOTU]
    carried = sum(body.carried for body in members)
    return Area(digits, names.get(digits, ""), _count(members), _count(villages), carried, raions)


def _count(members: list[Body]) -> Count:
    return Count(sum(body.status is BodyStatus.CONNECTED for body in members), len(members))


def _grouped(bodies: Iterable[Body], key: Callable[[Body], str]) -> list[tuple[str, list[Body]]]:
    groups: defaultdict[str, list[Body]] = defaultdict(list)
    for body in bodies:
        groups[key(body)].append(body)
    return sorted(groups.items())


def _by_beginning(names: Mapping[str, str]) -> dict[str, str]:
    """Names of oblasts and raions by the digits that their parts begin with."""
    raions = {code[:RAION_DIGITS]: name for code, name in names.items() if code[RAION_DIGITS:] in _OWN_TAILS}
    return raions | {code[:OBLAST_DIGITS]: name for code, name in names.items() if not code[OBLAST_DIGITS:].strip("0")}


def _cut_offs(bodies: list[Body], day: date) -> Iterable[CutOff]:
    """Every day that some body's entry names, in their order; past ones too."""
    channels = [body.paper for body in bodies if body.paper is not None]
    taking = Counter(paper.inbound for paper in channels if paper.inbound is not None)
    sending = Counter(paper.outbound for paper in channels if paper.outbound is not None)
    for ends in sorted({*taking, *sending}):
        yield CutOff(ends, (ends - day).days, taking[ends], sending[ends])
