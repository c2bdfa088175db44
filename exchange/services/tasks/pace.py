"""How many letters a task may say now: its rate, and nothing saved up from when it could say none."""


class Pace:
    """A bucket that fills at a rate and holds what a second brings."""

    def __init__(self, rate: int, now: float) -> None:
        """Begin empty.

        Args:
            rate: letters a second.
            now: seconds that only grow.
        """
        self._rate = rate
        self._filled = 0.0
        self._at = now

    def allowed(self, now: float) -> int:
        """How many may be said now."""
        self._filled = min(float(self._rate), self._filled + (now - self._at) * self._rate)
        self._at = now
        return int(self._filled)

    def used(self, number: int) -> None:
        """So many were said."""
        self._filled -= number
