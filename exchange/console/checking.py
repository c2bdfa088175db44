"""What the console lets auditors check: the whole journal, or a stretch of it; read only, and bounded.

Both read as the console's own principal, which can write to `exchange.commands` only; nothing is sent or set going
by either. A whole verification costs reading the journal from its beginning and its deliveries in memory, so it is for
journals of up to `OFFSETS_AT_MOST` offsets. Of a longer one the newest part is replayed as a stretch is; the whole is
for `exchange audit replay` on the auditor's own machine.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from exchange.domain.delivery import Position
from exchange.domain.errors import ExchangeError
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import Report
from exchange.journal.stretch import Line, StretchReplay
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.trust import Trust
from exchange.services.audit.findings import Verified
from exchange.services.reading import OpenReader, journal_positions
from exchange.services.replay import Progress, audit
from exchange.services.tasks.letters import OpenRecords
from exchange.store.database import Store

OFFSETS_AT_MOST = 1_000_000
"""Of all partitions together, in a whole verification."""
STRETCH_AT_MOST = 500
"""Offsets of a stretch."""
NEWEST = 2_000
"""Offsets of each partition, of a journal that is too long."""
SECONDS_AT_MOST = 900
_STEP = 50
"""Offsets read at once: a record may have a megabyte."""


class CheckRefused(ExchangeError):
    """The journal cannot be checked here."""

    code = "check-out-of-time"


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many offsets of a partition of the journal from a first one on."""

    partition: int
    first: int
    count: int

    def __str__(self) -> str:
        """`3:1000-1099`."""
        return f"{self.partition}:{self.first}-{self.first + self.count - 1}"

    def batches(self, size: int) -> Iterator[list[tuple[int, int]]]:
        """Its places, in order, `size` at a time."""
        for begin in range(0, self.count, size):
            offsets = range(self.first + begin, self.first + min(self.count, begin + size))
            yield [(self.partition, offset) for offset in offsets]


@dataclass(frozen=True, slots=True)
class LogSpan:
    """What came to the archive's log in the last so many days."""

    days: int

    def __str__(self) -> str:
        """For the act."""
        return f"the log of the last {self.days} days"


VerifyLog = Callable[[datetime, Progress], Verified]
"""Verifies what came to the log since a time, up to its newest checkpoint; blocks, and stops when it is told to."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to.

    Attributes:
        report: of the journal.
        lines: of a stretch what its records say, ticks left out when nothing is wrong with them; else empty.
        differences: deliveries of which the tracker says something else; None when it was not compared.
        newest: so many offsets of each partition were looked at, for the journal is too long; 0: all that was asked.
        log: what was seen of the archive's log; None of a check of the journal.
    """

    report: Report
    lines: tuple[Line, ...] = ()
    differences: int | None = None
    newest: int = 0
    log: Verified | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return self.report.sound and not self.differences and (self.log is None or self.log.sound)


class Checker:
    """Reads and checks the journal. For one event loop, one check at a time."""

    def __init__(
        self,
        reader: OpenReader,
        records: OpenRecords,
        folder: Callable[[], DirectoryFolder],
        tracker: Store,
        verify_log: VerifyLog | None = None,
    ) -> None:
        """Nothing is opened.

        Args:
            reader: opens the journal to be read from its beginning.
            records: opens it to be read by places.
            folder: the console's copy of the directory, opened anew each time: it is for one thread.
            tracker: its database, to compare with.
            verify_log: None where no archive is at hand.
        """
        self._verify_log = verify_log
        self._reader = reader
        self._records = records
        self._folder = folder
        self._tracker = tracker

    async def verify(self, tell: Progress) -> Checked:
        """Replay the whole journal from the console's copy of the trust root, and compare the tracker.

        Of a journal that is too long, the newest part.

        Raises:
            CheckRefused: `check-out-of-time`.
            BusError, JournalIncomplete, StoreError: as `exchange.services.replay.audit`.
        """
        folder = self._folder()
        partitions = (await asyncio.to_thread(folder.latest)).journal_partitions
        async with _in_time():
            async with self._reader(journal_positions(range(partitions), {})) as reader:
                ends = {partition: end for (_, partition), end in (await reader.end_offsets()).items()}
            if sum(ends.values()) > OFFSETS_AT_MOST:
                newest = [Stretch(each, max(0, end - NEWEST), min(end, NEWEST)) for each, end in sorted(ends.items())]
                report, _ = await self._stretches(newest, folder, partitions, tell)
                return Checked(report, newest=NEWEST)
            found = await audit(self._reader, partitions, folder.root, self._tracker, tell)
        return Checked(found.report, differences=len(found.differences or ()))

    @property
    def has_log(self) -> bool:
        """Whether the archive's log is at hand."""
        return self._verify_log is not None

    async def verify_log(self, since: datetime, tell: Progress) -> Checked:
        """Verify what came to the archive's log since then, up to its newest checkpoint.

        Raises:
            CheckRefused: `check-out-of-time`; `check-log-missing`.
            ExchangeError: the archive cannot be read.
        """
        if self._verify_log is None:
            message = "no archive is at hand: set `[archive] folder` and `[log] policy` in the console's file"
            raise CheckRefused(message, code="check-log-missing")
        loop, late = asyncio.get_running_loop(), threading.Event()

        def told(done: int, of: int) -> None:
            """In the thread that verifies."""
            if late.is_set():
                raise _out_of_time()
            loop.call_soon_threadsafe(tell, done, of)

        timer = loop.call_later(SECONDS_AT_MOST, late.set)
        try:
            return Checked(Report(), log=await asyncio.to_thread(self._verify_log, since, told))
        finally:
            timer.cancel()
            late.set()

    async def replay(self, stretch: Stretch, tell: Progress) -> Checked:
        """Replay a stretch by itself, as far as the journal has it.

        Raises:
            CheckRefused: `check-out-of-time`.
            BusError: the journal cannot be read now.
            DirectoryRefused: the console's copy of the directory cannot be used.
        """
        folder = self._folder()
        partitions = (await asyncio.to_thread(folder.latest)).journal_partitions
        async with _in_time():
            report, lines = await self._stretches([stretch], folder, partitions, tell)
        return Checked(report, tuple(line for line in lines if line.kind != "tick" or line.found))

    async def _stretches(
        self, stretches: Sequence[Stretch], folder: DirectoryFolder, partitions: int, tell: Progress
    ) -> tuple[Report, list[Line]]:
        """Replay stretches together, a few records at a time."""
        replaying = StretchReplay(lambda version: Trust(folder.version(version)), partitions)
        lines: list[Line] = []
        done, of = 0, sum(stretch.count for stretch in stretches)
        async with self._records() as records:
            for places in (batch for stretch in stretches for batch in stretch.batches(_STEP)):
                found = await records.pick(places)
                there = [
                    JournalRecord(Position(*place), found[place].timestamp, found[place].value or b"")
                    for place in places
                    if place in found
                ]
                lines += await asyncio.to_thread(lambda batch: [replaying.feed(each) for each in batch], there)
                done += len(places)
                tell(done, of)
        return replaying.report, lines


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(SECONDS_AT_MOST):
            yield
    except TimeoutError as error:
        raise _out_of_time() from error


def _out_of_time() -> CheckRefused:
    message = f"the check took more than {SECONDS_AT_MOST} s and was ended: run `exchange audit replay`"
    return CheckRefused(message, code="check-out-of-time")
