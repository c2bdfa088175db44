"""How fast tasks may go: so fast that live letters hardly notice.

All tasks of a desk work for some seconds and are quiet for some, turn about. Live letters tell the difference: how
long the exchange took over each, from its arrival at the broker to its entry in the journal, as the tracker's tables
have it. Both kinds of seconds see the same machines and the same traffic, so nothing else has to be known of either.

    live letters take, while tasks work             the pace of all tasks together
    more than 8 % longer than while they are quiet  goes down by a fifth, to no less than 1 letter a second
    less than 4 % longer                            goes up by a quarter, to no more than the tasks' own rates
    between these                                   stays
    there are hardly any: fewer than 5 in a turn    goes up: nobody is there who would wait

It begins at 10 letters a second. A turn with few letters is judged together with those behind it. What was not used
is no proof that more can be borne, so seconds in which tasks had nothing to say are not judged (RFC 7661 has the same
rule for TCP). A turn is judged when the tracker has taken what happened in it; while the tracker stands still, the
pace stays.
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import NamedTuple

FIRST, LEAST = 10.0, 1.0
"""Letters a second: at first, and at least."""
SLOWER, FASTER = 0.8, 1.25
"""Steps of the same size: what is mere chance leads nowhere."""
TOO_LONG, SHORT_ENOUGH = 1.08, 1.04
WORK, QUIET = timedelta(seconds=12), timedelta(seconds=3)
SETTLE = timedelta(seconds=1)
"""Of each part, in which the one before comes to its end; it does not count."""
ENOUGH = 30
"""Letters of each kind to judge by."""
KEPT = 1_000
"""Letters that came while tasks were quiet, of the last turns: these seconds are few."""
HARDLY_ANY = 5
"""Letters in the working seconds of a turn that are too few to care for."""

Span = tuple[datetime, datetime]
"""From, until."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds of work, and the quiet ones behind them."""

    begun: datetime

    @property
    def ends(self) -> datetime:
        """The next one begins."""
        return self.begun + WORK + QUIET

    @property
    def working(self) -> Span:
        """When live letters had tasks beside them."""
        return self.begun + SETTLE, self.begun + WORK

    @property
    def quiet(self) -> Span:
        """When they had none."""
        return self.begun + WORK + SETTLE, self.ends


class Waits(NamedTuple):
    """How long live letters took in the middle, seconds: while tasks worked, and while they were quiet."""

    working: float
    quiet: float


def typical(waits: Collection[float]) -> float:
    """The mean of the middle half: brokers count milliseconds, so the middle one alone would jump."""
    quarter = len(waits) // 4
    return fmean(sorted(waits)[quarter : len(waits) - quarter])


def paced(pace: float, waits: Waits | None, most: float) -> float:
    """The next pace.

    Args:
        pace: the one until now, letters a second.
        waits: of live letters; None: there were none to speak of.
        most: what the tasks' own rates come to.
    """
    if waits is None or waits.working < waits.quiet * SHORT_ENOUGH:
        pace *= FASTER
    elif waits.working > waits.quiet * TOO_LONG:
        pace *= SLOWER
    return max(LEAST, min(pace, most))


class Throttle:
    """The pace of one desk's tasks; it is told what happens and does nothing itself."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.pace = FIRST
        self.waits: Waits | None = None
        """What it was last judged by."""
        self._turn: Turn | None = None
        self._ended: Turn | None = None
        self._quiet: deque[float] = deque(maxlen=KEPT)
        self._working: list[float] = []

    def may_work(self, now: datetime) -> bool:
        """Whether tasks may say something now; each turn begins when it is asked for."""
        if self._turn is None or now < self._turn.begun:  # the clock was set back
            self._turn = Turn(now)
        elif now >= self._turn.ends:
            self._ended = self._ended or self._turn
            self._turn = Turn(now)
        return now < self._turn.begun + WORK

    def had_nothing_to_say(self) -> None:
        """This turn proves nothing."""
        self._turn = None

    @property
    def ended(self) -> Turn | None:
        """A turn that is to be heard of."""
        return self._ended

    def heard(self, working: Sequence[float], quiet: Sequence[float], most: float) -> bool:
        """Judge, if there is enough by now.

        Args:
            working: what live letters took in the working seconds of the turn that ended.
            quiet: the same of its quiet seconds.
            most: what the tasks' own rates come to, letters a second.

        Returns:
            Whether it was judged.
        """
        self._ended = None
        self._working += working
        self._quiet += quiet
        is_enough = min(len(self._working), len(self._quiet)) >= ENOUGH
        if not is_enough and len(working) >= HARDLY_ANY:
            return False
        self.waits = Waits(typical(self._working), typical(self._quiet)) if is_enough else None
        self.pace = paced(self.pace, self.waits, most)
        self._working = []
        return True
