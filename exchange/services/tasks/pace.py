"""How many letters a task may say now: its pace, and nothing saved up from when it could say none."""


class Pace:
    """A bucket that fills at a pace and holds what two seconds bring: as long as a round may take."""

    def __init__(self, now: float) -> None:
        """Begin empty.

        Args:
            now: seconds that only grow.
        """
        self._filled = 0.0
        self._at = now

    def allowed(self, now: float, pace: float) -> int:
        """How many may be said now, at so many letters a second since it was last asked; 0: none, and none saved."""
        most = max(1.0, 2 * pace) if pace else 0.0
        self._filled = min(most, self._filled + (now - self._at) * pace)
        self._at = now
        return int(self._filled)

    def used(self, number: int) -> None:
        """So many were said."""
        self._filled -= number
