"""Stretches of the journal's partitions, replayed without what stands before. Pure: records in, lines out.

`exchange.journal.replay` proves the whole journal from the trust root; that takes reading it from its beginning. A
stretch is checked as far as it can be by itself, with versions of the directory that were proven elsewhere:

1. Each record is one of the journal, and its entry decodes.
2. A decision names the digest of its statement, and stands in the partition of its letter.
3. Directory versions are those that the decisions name, by number and digest.
4. The signature holds, as of the decision's time and directory (rule 3.2), and is the body's own: what is signed
   otherwise is never journalled. Issuers' revocation lists are left to the whole replay.
5. What an accepted statement carries is what it committed to, unless it was lawfully deleted (rule 1.5).
6. Numbers of a lane grow in each partition, none is there twice, and of two neighbours the later names the digest of
   the earlier (rule 3.1), in whichever order and partitions they are read.

Whether policy and order gave the verdict, and whether an entry is missing, only the whole replay says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from exchange.domain.decision import Basis, Decided, Journalled, Place, Tick
from exchange.domain.delivery import Position
from exchange.domain.errors import WireError
from exchange.domain.ids import digest, journal_partition
from exchange.domain.statement import (
    Command,
    Content,
    Deadline,
    Open,
    Statement,
    Void,
    commitment_digest,
    concerned,
)
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import Finding, FindingCode, Report
from exchange.security.errors import DirectoryRefused, SignatureRefused
from exchange.security.trust import Trust
from exchange.wire.records import decode, decode_statement, kind_of, read_head

Trusts = Callable[[int], Trust]
"""What a version of the directory says about signatures; raises `DirectoryRefused` without such a version."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a record of the journal says; never content.

    Attributes:
        kind: of the entry, lower case: `letter`, `receipt`, `command`, `basis`, `tick`, …; empty when it is unreadable.
        lane: -1 when it is unreadable, as `number` is 0.
        about: digest of the letter concerned, or of the statement itself; empty without one.
        body: whose statement it is.
        reason: code of its refusal; empty when it was accepted.
        found: what is wrong with it.
    """

    position: Position
    journalled: datetime
    kind: str
    lane: int
    number: int
    about: bytes
    body: str
    reason: str
    found: tuple[FindingCode, ...]


class StretchReplay:
    """A replay of stretches in progress, a few thousand records; not shared between threads."""

    def __init__(self, trusts: Trusts, partitions: int) -> None:
        """Nothing is read yet.

        Args:
            trusts: of versions of the directory that were proven.
            partitions: of the journal.
        """
        self.report = Report()
        self._trusts = trusts
        self._partitions = partitions
        self._known: dict[int, Trust | None] = {}
        self._entries: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self._last: dict[tuple[int, int], int] = {}

    def feed(self, record: JournalRecord) -> Line:
        """The next record of its partition."""
        self.report.records += 1
        try:
            return self._read(record)
        except WireError as error:
            self.report.add(Finding(FindingCode.UNREADABLE, record.position, -1, 0, str(error)))
            return Line(record.position, record.journalled, "", -1, 0, b"", "", "", (FindingCode.UNREADABLE,))

    def _read(self, record: JournalRecord) -> Line:
        """Step 1."""
        carried = decode(Journalled, record.value)
        entry, kind = carried.entry, kind_of(carried.entry)
        if kind is Decided:
            return self._decided(record, carried, decode(Decided, entry))
        said = decode(Basis, entry) if kind is Basis else decode(Tick, entry)
        name = type(said).__name__.lower()
        self.report.kinds[name] += 1
        found = self._chained(record, said.place, entry)
        return _line(record, name, said.place, found=found)

    def _decided(self, record: JournalRecord, carried: Journalled, decided: Decided) -> Line:
        """Steps 2 to 6 of a decision."""
        decision, said = decided.decision, digest(decided.statement)
        head = read_head(decided.statement)
        try:
            statement = decode_statement(decided.statement)
        except WireError:
            statement = None
        kind = "statement" if statement is None else type(statement).__name__.lower()
        about = concerned(statement, said)
        self.report.kinds[kind] += 1
        self.report.decisions[decision.reason] += 1
        found: list[FindingCode] = []
        if decision.statement != said:
            found.append(self._find(record, decision.place, FindingCode.STATEMENT_DIGEST, f"it is {said.hex()}"))
        if record.position.partition != (due := journal_partition(about, self._partitions)):
            found.append(self._find(record, decision.place, FindingCode.MISPLACED, f"partition {due} is due"))
        found += self._signed(record, decided, head.body)
        if statement is not None and not decision.reason and _altered(statement, carried.contents):
            found.append(self._find(record, decision.place, FindingCode.CONTENTS_DIFFER, kind))
        found += self._chained(record, decision.place, carried.entry)
        return _line(record, kind, decision.place, about, head.body, decision.reason, tuple(found))

    def _signed(self, record: JournalRecord, decided: Decided, body: str) -> list[FindingCode]:
        """Steps 3 and 4."""
        decision = decided.decision
        version = decision.directory_version
        trust = self._trust(version)
        if trust is None or trust.directory.digest != decision.directory_digest:
            code = FindingCode.BASIS_UNKNOWN if trust is None else FindingCode.BASIS_INVALID
            return [self._find(record, decision.place, code, f"directory version {version}")]
        try:
            signer = trust.verify_statement(decided.statement, decided.signature, decision.decided)
        except SignatureRefused as error:
            return [self._find(record, decision.place, FindingCode.NOT_TAKABLE, error.reason.value)]
        if signer != body:
            return [self._find(record, decision.place, FindingCode.NOT_TAKABLE, f"{signer} signed for {body}"[:200])]
        return []

    def _trust(self, version: int) -> Trust | None:
        if version not in self._known:
            try:
                self._known[version] = self._trusts(version)
            except DirectoryRefused:
                self._known[version] = None
        return self._known[version]

    def _chained(self, record: JournalRecord, place: Place, entry: bytes) -> tuple[FindingCode, ...]:
        """Step 6."""
        lane, number, said = place.lane, place.number, digest(entry)
        where = (record.position.partition, lane)
        last = self._last.get(where, 0)
        self._last[where] = max(number, last)
        if number <= last or (lane, number) in self._entries:
            return (self._find(record, place, FindingCode.LANE_REPEAT, f"number {max(number, last)} was there before"),)
        self._entries[lane, number] = (said, place.previous)
        before, behind = self._entries.get((lane, number - 1)), self._entries.get((lane, number + 1))
        if (before is not None and before[0] != place.previous) or (behind is not None and behind[1] != said):
            return (self._find(record, place, FindingCode.LANE_CHAIN_BROKEN, "its neighbour is another"),)
        return ()

    def _find(self, record: JournalRecord, place: Place, code: FindingCode, detail: str) -> FindingCode:
        self.report.add(Finding(code, record.position, place.lane, place.number, detail))
        return code


def _altered(statement: Statement, contents: tuple[Content, ...]) -> bool:
    """Whether contents are others than an accepted statement's; a redrive's stand elsewhere in the journal."""
    if isinstance(statement, Open | Void | Deadline) or (isinstance(statement, Command) and not contents):
        return bool(contents)
    if len(contents) != len(statement.contents):
        return True
    pairs = zip(contents, statement.contents, strict=True)
    return any(content.salt and commitment_digest(content) != committed.digest for content, committed in pairs)


def _line(
    record: JournalRecord,
    kind: str,
    place: Place,
    about: bytes = b"",
    body: str = "",
    reason: str = "",
    found: tuple[FindingCode, ...] = (),
) -> Line:
    return Line(record.position, record.journalled, kind, place.lane, place.number, about, body, reason, found)
