"""What a witness cannot do."""

import sqlite3
from pathlib import Path

from exchange.domain.errors import ExchangeError


class WitnessFailed(ExchangeError):
    """The witness's own disk, or the log's tiles, cannot be read or written now: nothing was cosigned."""

    code = "witness-state-failed"
    retriable = True


def state_failed(path: Path, error: sqlite3.Error | OSError) -> WitnessFailed:
    """What the disk said of the witness's state."""
    message = f"{path}: {error}: make room or mend the disk; never put an older copy there"
    return WitnessFailed(message)


def tiles_away(place: str, error: Exception) -> WitnessFailed:
    """What reading a log's tiles came to."""
    message = f"{place}: tiles cannot be read ({type(error).__name__}): check the address, and ask the log's holder"
    return WitnessFailed(message, code="log-tiles-away")
