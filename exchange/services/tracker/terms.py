"""Until when what must be done, read from the policy file and the directory and looked at again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from exchange.domain.calendar import CalendarEnded
from exchange.domain.deadline import Terms
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import parse_policy, require_known_bodies

LOOK_SECONDS = 2.0
ASK_BEFORE = timedelta(days=60)
"""So long before the last year of the calendar ends somebody is asked for the next one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """The terms that count now, and the digest of the policy that gives them."""

    terms: Terms
    policy: bytes


class TermsSource(Protocol):
    """Where terms come from."""

    def current(self) -> InForce:
        """The latest; cheap, and the very same value while nothing changed."""
        ...


class TermsFiles:
    """Policy file and directory, looked at again every two seconds.

    What cannot be used is reported and not taken: what was in force before goes on.
    """

    def __init__(
        self,
        policy: Path,
        directory: Callable[[Directory | None], Directory],
        monotonic: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        """Read both.

        Args:
            policy: the policy file.
            directory: gives the newest version; the very one that it is given when there is no newer one.
            monotonic: seconds that only grow.
            clock: only to ask for the calendar's next year in time.

        Raises:
            ConfigurationError: `policy-missing`, `policy-invalid`, or the directory cannot be used.
        """
        self._file = policy
        self._newest = directory
        self._monotonic = monotonic
        self._looked = monotonic()
        self._data = self._read()
        self._directory = directory(None)
        self._in_force = _made(self._data, self._directory)
        self._clock = clock
        self._asked: date | None = None
        self._ask()

    def current(self) -> InForce:
        """The latest usable terms."""
        now = self._monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                self._look()
            except ConfigurationError as error:
                log.warning("policy or directory not taken, those before stay: %s: %s", error.code, error)
            self._ask()
        return self._in_force

    def _ask(self) -> None:
        """Ask for the calendar's next year, once a day, before deadlines cannot be reckoned any more."""
        calendar, now = self._in_force.terms.policy.calendar, self._clock()
        if calendar is None or self._asked == now.date():
            return
        if calendar.end is None or calendar.end - now < ASK_BEFORE:
            self._asked = now.date()
            last = "gives no year" if calendar.end is None else f"ends on {calendar.end:%Y-%m-%d}"
            log.warning("the policy's calendar %s: add the next [calendar.years.…], %s", last, CalendarEnded.code)

    def _look(self) -> None:
        data, directory = self._read(), self._newest(self._directory)
        if data != self._data or directory is not self._directory:
            self._in_force = _made(data, directory)
            self._data, self._directory = data, directory

    def _read(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError as error:
            message = f"{self._file} cannot be read ({error.strerror}): check [policy] file of the tracker"
            raise ConfigurationError(message, code="policy-missing") from error


def _made(data: bytes, directory: Directory) -> InForce:
    policy = parse_policy(data)
    require_known_bodies(policy)
    return InForce(Terms(policy.deadlines, directory.bodies), policy.digest)
