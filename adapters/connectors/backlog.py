"""What lies in a folder and waits for its turn, at a cost per round that does not depend on how much.

A name goes through three queues, none of which is ever sorted or gone through as a whole:

    fresh    seen in the folder, by age           `look` reads a bounded number of further entries
    again    looked at, not complete yet          in turns, so that what never ends delays nothing
    ready    complete, by age                     `next_ready` gives the oldest

In a folder with no more entries than one step everything is seen in each round, and the order is that
of age. In a larger one the oldest of those seen so far comes first.
"""

import contextlib
import heapq
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

STEP = 2_000
"""Entries of the folder that one round reads at most."""
LOOKS = 1_000
"""Packages that one round looks at for the first time, and again, at most; so many may be ready."""
KNOWN = 200_000
"""Names kept in memory at most: the rest of the folder is read when some of these are gone."""


class Backlog:
    """Names of one folder. Not for use by two threads at once."""

    def __init__(self, folder: Path, is_wanted: Callable[[str], bool], *, step: int = STEP, looks: int = LOOKS) -> None:
        """Names that `is_wanted` does not take are passed over in every round."""
        self._folder = folder
        self._is_wanted = is_wanted
        self._step = step
        self._looks = looks
        self._sweep: Iterator[os.DirEntry[str]] | None = None
        self._ages: dict[str, int] = {}
        self._fresh: list[tuple[int, str]] = []
        self._again: deque[str] = deque()
        self._ready: list[tuple[int, str]] = []

    def look(self) -> Iterator[str]:
        """Go on reading the folder; names to be looked at in this round, those looked at before first.

        Each must be given back by `later`, `ready` or `forget`. Those that are not asked for stay.
        """
        self._read_on()
        if len(self._ready) >= self._looks:
            return
        again, fresh = min(self._looks, len(self._again)), min(self._looks, len(self._fresh))
        yield from self._known(self._again.popleft() for _ in range(again))
        yield from self._known(heapq.heappop(self._fresh)[1] for _ in range(fresh))

    def next_ready(self) -> str | None:
        """Take the oldest that is complete; None when there is none."""
        while self._ready:
            _, name = heapq.heappop(self._ready)
            if name in self._ages:
                return name
        return None

    def later(self, name: str) -> None:
        """It is not complete: look at it again in a later round."""
        self._again.append(name)

    def ready(self, name: str) -> None:
        """It is complete."""
        heapq.heappush(self._ready, (self._ages.get(name, 0), name))

    def forget(self, name: str) -> None:
        """It is gone, or another one by now: should it be seen again, it is new."""
        self._ages.pop(name, None)

    def _known(self, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if name in self._ages)

    def _read_on(self) -> None:
        """One step of the sweep over the folder; the next sweep begins where this one ends."""
        if len(self._ages) >= KNOWN:
            return
        if self._sweep is None:
            self._sweep = _entries(self._folder)
        read = 0
        for entry in islice(self._sweep, self._step):
            read += 1
            if entry.name not in self._ages and self._is_wanted(entry.name):
                with contextlib.suppress(FileNotFoundError):
                    self._ages[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
                    heapq.heappush(self._fresh, (self._ages[entry.name], entry.name))
        if read < self._step:
            self._sweep = None


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """A generator, so that a sweep that is given up closes the folder."""
    with os.scandir(folder) as entries:
        yield from entries
