"""Replay: the auditor's reading of a journal, from the trust root alone.

Pure: records in, a report out; nothing is looked up elsewhere. Every record is checked by itself as
it comes, and again where it stands in its lane once the lane's entries before it are there:

by itself
1. It is a record of the journal, and its entry decodes.
2. A basis proves its directory, policy and revocation lists under the root (rule 5.3); all that is proven,
   in whatever lane, belongs to one past of the directory.
3. A decision names the digest of its statement, a time near those around it, and the partition of
   its letter.
4. The signature holds, as of the decision's time and directory (rule 3.2); the statement is canonical
   and its signer's own; judged again, the verdict and the recipients are the same (rule 3.1).
5. What it says goes into the deliveries' states, as the tracker has it (rules 4.1, 4.2).

in its lane
6. Places are numbered without gap or repeat, each naming the digest of the entry before, and grow in each partition.
7. The decision stands on the lane's last basis, and bases only go forward.
8. Submissions are decided in their order, and statements are their origins' next ones (rule 2.3);
   nothing is decided behind a tick that was to be decided before it (rule 4.3).

Records of the partitions may come in any order of interleaving; by journal time is best, because
entries wait in memory for those before them in their lane, a bounded number of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from exchange.domain.deadline import NO_TERMS, Terms
from exchange.domain.decision import Basis, Decided, Journalled, Place, Tick
from exchange.domain.delivery import Delivery
from exchange.domain.errors import ConfigurationError, WireError
from exchange.domain.fact import FlagCode
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.origin import OriginBook, in_order
from exchange.domain.reason import Reason
from exchange.domain.statement import Content
from exchange.journal.deliveries import Deliveries, DeliveryKey
from exchange.journal.examine import Examined, Ground
from exchange.journal.facts import JournalRecord, decided_fact
from exchange.journal.findings import Finding, FindingCode, LaneEnd, Report
from exchange.journal.grounds import Grounds
from exchange.journal.recheck import about, examined_again, misplaced, unlike, untimely
from exchange.security.crl import older_ones
from exchange.security.errors import SignatureRefused
from exchange.wire.records import decode, kind_of, read_head

WAITING = 100_000
"""So many entries of one lane wait for those before them; then the gap is taken for one."""


@dataclass(slots=True)
class _Entry:
    """An entry on its way to its place in the lane.

    `record` comes without its value, and contents are kept only until they are examined: entries may
    wait long. `ground` is a basis's own, None until the files that prove it are there.
    """

    record: JournalRecord
    place: Place
    digest: bytes
    said: Basis | Decided | Tick
    contents: tuple[Content, ...] = ()
    ground: Ground | None = None
    invalid: bool = False
    examined: Examined | None = None


@dataclass(slots=True)
class _Lane:
    """A lane as far as it was replayed; `digest` is None right behind a gap."""

    number: int = 0
    digest: bytes | None = ZERO_DIGEST
    offset: int = -1
    basis: Basis | None = None
    origins: OriginBook = field(default_factory=OriginBook)
    reached: dict[int, int] = field(default_factory=dict)
    waiting: dict[int, _Entry] = field(default_factory=dict)


class Replay:
    """A replay in progress; not shared between threads."""

    def __init__(self, root: bytes, waiting: int = WAITING) -> None:
        """Start from nothing but the auditor's own copy of the exchange's first root file.

        Args:
            root: the file's bytes.
            waiting: how many entries of one lane may wait for those before them.
        """
        self.report = Report()
        self._waiting = waiting
        self._grounds = Grounds(root)
        self._lanes: dict[int, _Lane] = {}
        self._deliveries = Deliveries(self.report.flags)

    def feed(self, record: JournalRecord) -> None:
        """The next record of its partition."""
        self.report.records += 1
        try:
            entry = self._read(record)
        except WireError as error:
            self.report.flags[FlagCode.UNREADABLE] += 1
            self.report.add(Finding(FindingCode.UNREADABLE, record.position, -1, 0, str(error)))
            return
        self._find_contradictions(entry)
        lane = self._lanes.setdefault(entry.place.lane, _Lane())
        if entry.place.number <= lane.number or entry.place.number in lane.waiting:
            self._find(entry, FindingCode.LANE_REPEAT, "this number was there before")
            return
        self._find_disorder(lane, entry)
        lane.waiting[entry.place.number] = entry
        self._advance(lane, self._waiting)

    def _find_disorder(self, lane: _Lane, entry: _Entry) -> None:
        """In each partition a lane's places only grow: contradictory events count in the journal's order (rule 4.2)."""
        partition, number = entry.record.position.partition, entry.place.number
        reached = lane.reached.get(partition, 0)
        if number < reached:
            self._find(entry, FindingCode.SUBMISSION_DISORDER, f"number {number} stands behind number {reached}")
        lane.reached[partition] = max(reached, number)

    def finish(self, *, cut: bool = False) -> tuple[Report, Mapping[DeliveryKey, Delivery]]:
        """Take what still waits for a gap to be one; the report and every delivery's state.

        Args:
            cut: whether reading stopped at a moment: then entries may wait for what is behind it, which is no gap.
        """
        for number, lane in self._lanes.items():
            if not cut:
                self._advance(lane, 0)
            self.report.lanes[number] = LaneEnd(lane.number, lane.digest or ZERO_DIGEST)
        states = dict(self._deliveries.folded(self._terms()))
        self.report.states.update(delivery.state for delivery in states.values())
        return self.report, states

    def sender(self, key: DeliveryKey) -> str:
        """Who sent a delivery's letter; empty when the exchange refused it."""
        return self._deliveries.sender(key)

    def _terms(self) -> Terms:
        """The deadlines that are in force in the end: those of the basis that was decided last."""
        bases = [lane.basis for lane in self._lanes.values() if lane.basis is not None]
        last = max(bases, key=lambda basis: basis.decided, default=None)
        if last is None:
            return NO_TERMS
        ground = self._grounds.get(last.place.lane, (last.directory_digest, last.policy_digest))
        return NO_TERMS if ground is None else Terms(ground.policy.deadlines, ground.directory.bodies)

    def _read(self, record: JournalRecord) -> _Entry:
        """Steps 1 and 5, and those between as far as they can be done now."""
        carried = decode(Journalled, record.value)
        bare = replace(record, value=b"")
        kind = kind_of(carried.entry)
        if kind is Tick:
            self.report.kinds["tick"] += 1
            tick = decode(Tick, carried.entry)
            return _Entry(bare, tick.place, digest(carried.entry), tick)
        if kind is Basis:
            basis = decode(Basis, carried.entry)
            entry = _Entry(bare, basis.place, digest(carried.entry), basis)
            self.report.kinds["basis"] += 1
            self._prove(entry, basis, carried.contents)
            return entry
        decided = decode(Decided, carried.entry)
        self._deliveries.add(decided_fact(record, decided, carried.contents))
        entry = _Entry(bare, decided.decision.place, digest(carried.entry), decided, carried.contents)
        self.report.decisions[decided.decision.reason] += 1
        self._examine(entry, decided)
        return entry

    def _prove(self, entry: _Entry, basis: Basis, contents: tuple[Content, ...]) -> None:
        """Step 2, once all files are there that the lane journalled before."""
        try:
            entry.ground = self._grounds.prove(basis, contents)
        except (ConfigurationError, SignatureRefused) as error:
            entry.invalid = True
            self._find(entry, FindingCode.BASIS_INVALID, f"{error.code}: {error}")
            return
        if entry.ground is None:
            return
        self.report.directory_versions.add(entry.ground.directory.version)
        for code, detail in misplaced(entry.record, basis.directory_digest, entry.ground):
            self._find(entry, code, detail)

    def _examine(self, entry: _Entry, decided: Decided) -> None:
        """Steps 3 and 4, once the ground is known."""
        decision = decided.decision
        ground = self._grounds.get(decision.place.lane, (decision.directory_digest, decision.policy_digest))
        if ground is None:
            return
        examined = examined_again(decided, entry.contents, ground)
        if examined.refusal is not None and examined.refusal.reason is Reason.GROUP_VERSION_MISSING:
            return  # what proves it may be in another partition, and be read later
        entry.examined, entry.contents = examined, ()
        self.report.kinds["statement" if examined.statement is None else type(examined.statement).__name__.lower()] += 1
        for code, detail in (
            *unlike(decision, examined),
            *untimely(decision, entry.record, ground),
            *misplaced(entry.record, about(examined), ground),
        ):
            self._find(entry, code, detail)

    def _advance(self, lane: _Lane, waiting: int) -> None:
        """Replay what is next in the lane; take a gap for one when more than `waiting` entries wait."""
        while lane.waiting:
            entry = lane.waiting.pop(lane.number + 1, None)
            if entry is None:
                if len(lane.waiting) <= waiting:
                    return
                entry = lane.waiting.pop(min(lane.waiting))
                missing = f"{lane.number + 1} to {entry.place.number - 1}"
                self._find(entry, FindingCode.LANE_GAP, f"missing: {missing}")
                lane.digest = None
            self._step(lane, entry)

    def _step(self, lane: _Lane, entry: _Entry) -> None:
        """Steps 6 to 8."""
        if lane.digest is not None and entry.place.previous != lane.digest:
            self._find(entry, FindingCode.LANE_CHAIN_BROKEN, f"before it stands {lane.digest.hex()}")
        lane.number, lane.digest = entry.place.number, entry.digest
        if isinstance(entry.said, Basis):
            self._stand(lane, entry, entry.said)
        elif isinstance(entry.said, Tick):
            self._move_on(lane, entry, entry.said)
        else:
            self._follow(lane, entry, entry.said)
        self._find_contradictions(entry)

    def _stand(self, lane: _Lane, entry: _Entry, basis: Basis) -> None:
        """Step 7: from here on the lane stands on another basis."""
        if entry.ground is None and not entry.invalid:
            self._prove(entry, basis, ())
        before, lane.basis = lane.basis, basis
        if before is not None and not _forward(before, basis):
            detail = f"version {basis.directory_version} after {before.directory_version}"
            self._find(entry, FindingCode.BASIS_ROLLED_BACK, detail)
        if entry.ground is None:
            return
        for crl in older_ones(() if before is None else self._grounds.crls(before), self._grounds.crls(basis)):
            detail = f"revocation list {crl.number} of {crl.issuer}, {crl.this_update}, after a newer one"
            self._find(entry, FindingCode.BASIS_ROLLED_BACK, detail)

    def _move_on(self, lane: _Lane, entry: _Entry, tick: Tick) -> None:
        """Step 8: so far the lane has come, and never further back."""
        if tick.offset <= lane.offset:
            detail = f"a tick before submission {tick.offset} after offset {lane.offset}"
            self._find(entry, FindingCode.SUBMISSION_DISORDER, detail)
        lane.offset = max(lane.offset, tick.offset - 1)

    def _follow(self, lane: _Lane, entry: _Entry, decided: Decided) -> None:
        """Steps 7 and 8: the decision's basis, its submission and its origin are the next ones."""
        decision = decided.decision
        named = (decision.directory_version, decision.directory_digest, decision.policy_digest)
        basis = lane.basis
        if basis is None or named != (basis.directory_version, basis.directory_digest, basis.policy_digest):
            self._find(entry, FindingCode.BASIS_NOT_IN_FORCE, f"directory version {decision.directory_version}")
        if decision.partition != decision.place.lane or decision.offset <= lane.offset:
            detail = f"submission {decision.partition}/{decision.offset} after offset {lane.offset}"
            self._find(entry, FindingCode.SUBMISSION_DISORDER, detail)
        lane.offset = max(lane.offset, decision.offset)
        if entry.examined is None:
            self._examine(entry, decided)
        if entry.examined is None:
            self._find(entry, FindingCode.BASIS_UNKNOWN, f"directory version {decision.directory_version}")
        self._move_origin(lane, entry, decided)

    def _move_origin(self, lane: _Lane, entry: _Entry, decided: Decided) -> None:
        """Step 8: the number moves in any case, so that one disorder is found once."""
        head = read_head(decided.statement)
        statement = None if entry.examined is None else entry.examined.statement
        disorder = in_order(lane.origins, head, statement)
        if disorder is not None and entry.examined is not None:
            self._find(entry, FindingCode.ORIGIN_DISORDER, f"{disorder.reason}: {disorder.detail}")
        lane.origins.take(head, statement if disorder is None else None, digest(decided.statement))

    def _find_contradictions(self, entry: _Entry) -> None:
        """Step 2, over all lanes: the entry told of another past of the directory than those before it."""
        for detail in self._grounds.contradictions():
            self._find(entry, FindingCode.BASIS_ROLLED_BACK, detail)

    def _find(self, entry: _Entry, code: FindingCode, detail: str) -> None:
        self.report.add(Finding(code, entry.record.position, entry.place.lane, entry.place.number, detail))


def _forward(before: Basis, basis: Basis) -> bool:
    """Whether a basis may follow another in its lane: a later version, or the same with another policy or part."""
    same = basis.directory_digest == before.directory_digest
    return same or basis.directory_version > before.directory_version
