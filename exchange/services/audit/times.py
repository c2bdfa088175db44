"""`exchange audit times`: what outsiders' time-stamps say of the archive's log, and whether their evidence lasts.

1. Each kept time-stamp holds for its checkpoint, by an authority that is trusted.
2. Each of these checkpoints is the log's own, and the log only grew from it to the newest: so nothing under it was
   changed since the time that the time-stamp states.
3. The archive's own times agree: the last heads under a stamped checkpoint are not later than its time-stamp, and the
   next ones not earlier, but for minutes. Who writes into the log as of yesterday is contradicted here.
4. Each batch's evidence holds now (RFC 4998), and no time-stamp outside ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from exchange.archive.reading import LogReader
from exchange.archive.renewals import Batch, Renewals
from exchange.domain.errors import ExchangeError
from exchange.security.timestamps import Authorities, Stamp
from exchange.services.audit.ports import HEADS
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import consistency_proof, verify_consistency
from exchange.tlog.policy import LogPolicy
from exchange.tlog.tiles import TiledTree

SKEW = timedelta(minutes=5)
"""As far apart as the archive's clock and an authority's may be when it stamps."""


class TimeCode(StrEnum):
    """What can be wrong with time-stamps."""

    STAMP_INVALID = "stamp-invalid"
    STAMPED_OTHER = "stamped-other-log"
    TIME_DIFFERS = "heads-time-differs"
    EVIDENCE_INVALID = "evidence-invalid"


TIME_TEXTS: dict[TimeCode, str] = {
    TimeCode.STAMP_INVALID: "a time-stamp does not hold for its checkpoint",
    TimeCode.STAMPED_OTHER: "a stamped checkpoint is not of this log, or the log did not only grow since",
    TimeCode.TIME_DIFFERS: "the archive's own times contradict an outsider's: it backdated, or its clock was wrong",
    TimeCode.EVIDENCE_INVALID: "evidence on time ended, or files under it were changed",
}


@dataclass(frozen=True, slots=True)
class WrongTime:
    """Something wrong with a time-stamp; `file` is in the archive's folder, `detail` what was found."""

    code: TimeCode
    file: str
    detail: str


@dataclass(slots=True)
class Times:
    """What time-stamps prove.

    Attributes:
        stamps: time-stamps that hold.
        batches: batches whose evidence holds.
        first: time of the first time-stamp; None without one.
        last: of the last one.
        until: when the first of all evidence ends.
        findings: what is wrong.
    """

    stamps: int = 0
    batches: int = 0
    first: datetime | None = None
    last: datetime | None = None
    until: datetime | None = None
    findings: list[WrongTime] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class Timing:
    """Checks an archive's folder; only reads."""

    def __init__(self, archive: Path, policy: LogPolicy, authorities: Authorities, now: datetime) -> None:
        """Trust `policy` about the log and `authorities` about time.

        Raises:
            ArchiveError, LogRefused: there is no checkpoint, or it is not the log's.
        """
        self._renewals, self._policy, self._authorities, self._now = Renewals(archive), policy, authorities, now
        self._log = LogReader(archive)
        self._newest = policy.open(self._log.checkpoint()).checkpoint
        self._tree: TiledTree = self._log.tree(HEADS, self._newest.size)
        self._report = Times()

    def check(self) -> Times:
        """Steps 1 to 4.

        Raises:
            ArchiveError: the folder, or the list of a batch, cannot be read.
        """
        batches = self._renewals.batches()
        taken = {size for batch in batches for size in batch.sizes}
        for size in self._renewals.kept.sizes():
            self._check_stamp(size, alone=size not in taken)
        for batch in batches:
            self._check_batch(batch)
        return self._report

    def _check_stamp(self, size: int, *, alone: bool) -> None:
        report, file = self._report, f"tokens/{self._renewals.kept.file(size, 'tsr').name}"
        try:
            kept = self._renewals.kept.read(size)
            stamp = self._authorities.verify_response(kept.response, kept.note)
        except ExchangeError as error:
            self._tell(TimeCode.STAMP_INVALID, file, f"{error.code}: {error}")
            return
        try:
            checkpoint = self._policy.open(kept.note).checkpoint
            self._require_grown(checkpoint)
            for wrong in self._contradictions(checkpoint, stamp):
                self._tell(TimeCode.TIME_DIFFERS, file, wrong)
        except ExchangeError as error:
            self._tell(TimeCode.STAMPED_OTHER, file, f"{error.code}: {error}")
            return
        if alone and stamp.until < self._now:
            self._tell(TimeCode.EVIDENCE_INVALID, file, f"it held until {stamp.until:%Y-%m-%d}, and is in no batch")
        report.stamps += 1
        report.first = min(report.first or stamp.token.at, stamp.token.at)
        report.last = max(report.last or stamp.token.at, stamp.token.at)
        if alone:
            self._ends(stamp.until)

    def _require_grown(self, old: Checkpoint) -> None:
        """The newest checkpoint continues an old one.

        Raises:
            ExchangeError: it does not.
        """
        new, hashes = self._newest, self._tree.hashes
        path = consistency_proof(old.size, new.size, hashes) if 0 < old.size < new.size else []
        verify_consistency(old.size, old.root, new.size, new.root, path)

    def _contradictions(self, checkpoint: Checkpoint, stamp: Stamp) -> Iterator[str]:
        at, apart = stamp.token.at, SKEW + stamp.token.accuracy
        if checkpoint.size and (made := self._time_of(checkpoint.size - 1)) > at + apart:
            yield f"stamped at {at.isoformat()}, and its last heads say {made.isoformat()}"
        if checkpoint.size < self._newest.size and (made := self._time_of(checkpoint.size)) < at - apart:
            yield f"stamped at {at.isoformat()}, and the heads after it say {made.isoformat()}"

    def _time_of(self, index: int) -> datetime:
        return datetime.fromtimestamp(Heads.parse(self._log.entry(HEADS, index)).time, UTC)

    def _check_batch(self, batch: Batch) -> None:
        try:
            first = self._renewals.kept.read(batch.sizes[0])
            record = batch.record(first.size)
            evidence = record.verify([first.note, first.response], self._authorities, self._now)
        except ExchangeError as error:
            self._tell(TimeCode.EVIDENCE_INVALID, f"renewals/{batch.folder.name}", f"{error.code}: {error}")
            return
        self._report.batches += 1
        self._ends(evidence.until)

    def _ends(self, until: datetime) -> None:
        self._report.until = min(self._report.until or until, until)

    def _tell(self, code: TimeCode, file: str, detail: str) -> None:
        self._report.findings.append(WrongTime(code, file, detail))
