"""Waiting for an EDMS that is away: nothing is sent to it until some time has passed.

Exponential backoff with jitter, as a gate rather than a sleep: whoever comes meanwhile is told at once what is
the matter, so that an EDMS that hangs costs one request per wait, however many letters there are for it.
"""

from collections.abc import Callable

from adapters.connectors.durable import ConnectorError

FIRST_SECONDS, MOST_SECONDS = 0.5, 60.0
ASKED_SECONDS = 3600.0
"""What the EDMS asks for (Retry-After) is believed up to here."""


class Gate:
    """Open until something fails. For use by several threads: the worst that they do is one request more."""

    def __init__(self, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        """Take the time in seconds, and `random` from 0 to 1."""
        self._monotonic = monotonic
        self._random = random
        self._failures = 0
        self._until = 0.0
        self._last: ConnectorError | None = None

    def pass_through(self) -> None:
        """Nothing happens while the gate is open.

        Raises:
            ConnectorError: the last failure, while it is closed.
        """
        if self._last is not None and self._monotonic() < self._until:
            raise ConnectorError(str(self._last), code=self._last.code)

    def close(self, failure: ConnectorError, asked: float | None = None) -> None:
        """Something failed; `asked` are the seconds that the EDMS wants to be left alone."""
        backoff = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures, 20)) * (1 + self._random()) / 2
        wait = backoff if asked is None else min(asked, ASKED_SECONDS) + backoff
        self._failures += 1
        self._last = failure
        self._until = self._monotonic() + wait

    def open(self) -> None:
        """Something went well."""
        self._failures = 0
        self._last = None
