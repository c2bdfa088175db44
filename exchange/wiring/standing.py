"""Who says how far a letter stands in the log: whoever has the archive's folder at hand."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from exchange.services.evidence.standing import LogStanding, log_standing
from exchange.settings.tables import LogSettings


def standing_in(log: LogSettings | None) -> Callable[[bytes], LogStanding] | None:
    """How far a letter, by its digest, stands in the log; None where no archive's folder is at hand."""
    if log is None or not isinstance(log.place, Path):
        return None
    return partial(log_standing, log.place, log.policy)
