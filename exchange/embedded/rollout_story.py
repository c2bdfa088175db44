"""The roll-out from paper, January to April 2022, played on a clock of its own and without servers.

Directory versions are published day by day, later week by week, signed as the keepers and the clock sign; letters are
signed too, and judged as a router judges them, by the version that is in force at their moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from exchange.domain.policy import parse_policy
from exchange.domain.rollout import RollOut, count_roll_out
from exchange.embedded.country import country_bodies
from exchange.embedded.rollout_calendar import (
    FIRST_DAY,
    JANUARY_ENDS,
    LAST_DAY,
    NO_PAPER,
    NO_PAPER_TO_PRESIDENT,
    connection_days,
    publishing_days,
)
from exchange.embedded.rollout_letters import Posted, post, postings
from exchange.embedded.rollout_registry import Registry, morning
from exchange.resources import resource
from exchange.settings.territory import Territory

Tell = Callable[[str], None]

SHOWN_DAYS = (JANUARY_ENDS, NO_PAPER_TO_PRESIDENT, NO_PAPER, LAST_DAY)
"""The days whose evening the story shows."""


@dataclass(frozen=True, slots=True)
class RollOutStory:
    """What the story leaves: the count on each of `SHOWN_DAYS`, the letters, and how often was published."""

    counts: tuple[RollOut, ...]
    letters: tuple[Posted, ...]
    versions: int
    bodies: int


def play_roll_out(folder: Path, territory: Territory, tell: Tell) -> RollOutStory:
    """Play it in an empty folder.

    Raises:
        OSError: the folder cannot be written.
    """
    bodies = country_bodies(territory)
    days = connection_days(bodies)
    tell(f"{len(bodies)} bodies make their keys")
    registry = Registry(folder, bodies, days, FIRST_DAY)
    play = _Play(registry, territory, last=max(days, key=lambda code: days[code]))
    for today, after in pairwise([*sorted({*publishing_days(), *SHOWN_DAYS}), date.max]):
        play.until(morning(today))
        registry.dawn(today, after)
        if today.month != after.month:
            tell(f"{today:%B}: {registry.directory.version} versions of the directory")
        if today in SHOWN_DAYS:
            play.count(today)
    play.until(morning(LAST_DAY + timedelta(days=1)))
    return RollOutStory(tuple(play.counts), tuple(play.letters), registry.directory.version, len(bodies))


class _Play:
    """Posts letters at their time, and keeps what is to be shown."""

    def __init__(self, registry: Registry, territory: Territory, last: str) -> None:
        self._registry = registry
        self._names = territory.names
        self._policy = parse_policy(resource("config", "policy.toml").read_bytes())
        self._waiting = list(postings(last))
        self.letters: list[Posted] = []
        self.counts: list[RollOut] = []

    def until(self, moment: datetime) -> None:
        """Post what was to be posted before `moment`, by the version that is in force now."""
        due = [posting for posting in self._waiting if posting.at < moment]
        del self._waiting[: len(due)]
        for posting in due:
            signer = self._registry.signer(posting.sender)
            self.letters.append(post(posting, signer, self._registry.directory, self._policy))

    def count(self, day: date) -> None:
        """Count the evening of a day."""
        self.counts.append(count_roll_out(self._registry.directory.bodies.values(), self._names, day))
