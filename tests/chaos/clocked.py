"""Runs a command of the exchange by a clock of its own: `python -m tests.chaos.clocked FILE router --config …`.

The file holds the seconds by which the clock is off, as eight bytes that anybody may change meanwhile. Only
`exchange.system.now` is off: what measures how long something took is another clock, on a machine too.
"""

import mmap
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exchange import system
from exchange.cli import main

_SECONDS = struct.Struct("d")


def step(file: Path, seconds: float) -> None:
    """Put a clock off by so many seconds; 0 puts it right."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(_SECONDS.pack(seconds))


class SteppedClock:
    """The present time as a file says; it is mapped, so reading it needs no file handle."""

    def __init__(self, file: Path) -> None:
        """Map the file, which stays so as long as the process."""
        with file.open("rb") as opened:
            self._offset = mmap.mmap(opened.fileno(), _SECONDS.size, prot=mmap.PROT_READ)

    def now(self) -> datetime:
        """The time, UTC."""
        (seconds,) = _SECONDS.unpack(self._offset)
        return datetime.now(UTC) + timedelta(seconds=seconds)


if __name__ == "__main__":
    system.now = SteppedClock(Path(sys.argv.pop(1))).now
    main()
