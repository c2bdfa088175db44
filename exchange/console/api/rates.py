"""How much one caller may ask for."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from exchange.services.http.problems import ApiRefused

PER_SECOND = 20.0
BURST = 60.0
STREAMS = 30
"""Open streams of one login: a tab each."""
_REMEMBERED = 10_000


class Rates:
    """A bucket of requests for each login, and its open streams. For one event loop."""

    def __init__(self) -> None:
        """Every bucket is full."""
        self._buckets: dict[str, tuple[float, float]] = {}
        self._streams: dict[str, int] = {}

    def ask(self, login: str, now: float) -> None:
        """Take a request from a login's bucket.

        Args:
            login: who asks.
            now: seconds that only grow.

        Raises:
            ApiRefused: `api-busy`, retriable.
        """
        left, at = self._buckets.get(login, (BURST, now))
        left = min(BURST, left + (now - at) * PER_SECOND)
        if left < 1:
            message = f"more than {PER_SECOND:.0f} requests a second of '{login}': wait, then ask again"
            headers = {"Retry-After": "1"}
            status = HTTPStatus.TOO_MANY_REQUESTS
            raise ApiRefused(message, status=status, code="api-busy", retriable=True, headers=headers)
        if len(self._buckets) >= _REMEMBERED:
            self._buckets.clear()
        self._buckets[login] = (left - 1, now)

    def require_stream(self, login: str) -> None:
        """A login may open one more stream.

        Raises:
            ApiRefused: `api-busy`, retriable.
        """
        if self._streams.get(login, 0) >= STREAMS:
            message = f"{STREAMS} streams of '{login}' are open: close one, then open another"
            status = HTTPStatus.TOO_MANY_REQUESTS
            raise ApiRefused(message, status=status, code="api-busy", retriable=True)

    @contextmanager
    def streaming(self, login: str) -> Iterator[None]:
        """Count an open stream while the context lasts."""
        self._streams[login] = self._streams.get(login, 0) + 1
        try:
            yield
        finally:
            self._streams[login] -= 1
            if not self._streams[login]:
                del self._streams[login]
