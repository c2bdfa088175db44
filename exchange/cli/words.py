"""How values are shown to people."""

import os
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from exchange.domain.delivery import TABLE, State
from exchange.domain.reason import Reason, text

PROGRAM = "exchange"

DIGEST_CHARACTERS = 8
"""Enough of a letter's digest to name it among millions; commands take any beginning of 4 or more."""

STATE_STYLES: Mapping[State, str] = MappingProxyType(
    dict.fromkeys(State, "default")
    | dict.fromkeys((State.REGISTERED, State.IN_WORK, State.REPLY_PREPARED, State.ANSWERED), "green")
    | {rule.state: "red" for rule in TABLE.values() if rule.negative}
)
"""Colour beside the word, never instead of it."""


FEW = 8
"""Recipients of one letter that are shown one by one without being asked for."""


def counted(states: Mapping[State, int]) -> str:
    """How many deliveries are in which state, the furthest first."""
    known = [state for state in reversed(State) if state in states]
    return ", ".join(f"[{STATE_STYLES[state]}]{states[state]} {state}[/]" for state in known)


def short(digest: bytes) -> str:
    """The beginning of a digest."""
    return digest.hex()[:DIGEST_CHARACTERS]


def local(moment: datetime) -> str:
    """A time in the terminal's zone, to the second."""
    try:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:  # anybody's clock may say the last hour of the year 9999
        return moment.strftime("%Y-%m-%d %H:%M:%S")


def lasted(span: timedelta) -> str:
    """How long something took: `35 ms`, `2.4 s`, `14 min`, `3 h`, `2 d`."""
    seconds = span.total_seconds()
    for limit, unit, size in ((1.0, "ms", 0.001), (120.0, "s", 1.0), (7200.0, "min", 60.0), (172_800.0, "h", 3600.0)):
        if seconds < limit:
            return f"{seconds / size:.{1 if unit == 's' and seconds < 10 else 0}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def explained(code: str) -> str:
    """What happened and what to do next, by a reason's code; empty of one that is not of the list."""
    return text(Reason(code)) if code in {*Reason} else ""


def program_name(called_as: str) -> str:
    """How a person calls this program from here: by its path when the shell would not find it."""
    path = Path(called_as)
    if path.name != PROGRAM or shutil.which(PROGRAM):
        return PROGRAM
    return os.path.relpath(path)
