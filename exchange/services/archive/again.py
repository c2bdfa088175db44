"""When to try again what failed."""

AGAIN_SECONDS, AGAIN_SECONDS_MAX = 5.0, 300.0


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: each time twice as long as before, up to five minutes."""
    doublings = min(failures - 1, 10)
    return min(AGAIN_SECONDS * 2.0**doublings, AGAIN_SECONDS_MAX)
