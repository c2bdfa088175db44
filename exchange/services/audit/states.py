"""Where every delivery stood, folded out of the archive's log: now, or as the log had it at an instant.

What is folded is what the checkpoint fixes: the log of heads is hashed to its root, and each partition's entries to the
root that the last heads state. Verdicts and signatures are `exchange.services.audit.service`'s to verify.

The log does not say when Kafka took an entry. Its time here is that of the heads under which it came into the log,
which witnesses saw: no earlier, and a checkpoint's pause later at most.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from exchange.domain.deadline import NO_TERMS, Terms
from exchange.domain.decision import Basis, Decided
from exchange.domain.delivery import Position, State
from exchange.journal.deliveries import Deliveries, Standing
from exchange.journal.facts import JournalRecord, decided_fact
from exchange.services.audit.pieces import Material
from exchange.services.audit.ports import HEADS, Log, entries_between, entry_at, journal_log
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.frontier import Frontier
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import leaf_hash
from exchange.tlog.policy import LogPolicy
from exchange.tlog.tiles import WIDTH
from exchange.wire.records import decode, kind_of

TOLD_EVERY = 1000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Folded:
    """States of all deliveries.

    Attributes:
        until: time of the last heads that counted; None: there were none.
        states: deliveries by state.
        flags: facts that change nothing, counted by code.
        deliveries: of the body that was asked for.
    """

    until: datetime | None
    states: Counter[State]
    flags: Counter[str]
    deliveries: tuple[Standing, ...]


def fold(
    material: Material, policy: LogPolicy, on_progress: Progress, *, at: datetime | None = None, body: str = ""
) -> Folded:
    """Fold the log.

    Args:
        material: the archive, opened here.
        policy: whose word about the log counts.
        on_progress: told how many of how many heads are done.
        at: heads that were made later are left out.
        body: whose deliveries are listed; empty: none.

    Raises:
        LogRefused: `log-inconsistent`: what is given is not what the checkpoint fixes; the checkpoint is not the log's.
        ArchiveError: the archive cannot be read.
        WireError: an entry is none.
    """
    checkpoint = policy.open(material.log.checkpoint()).checkpoint
    folding = _Folding(material, checkpoint)
    last: Heads | None = None
    is_over = False
    for index, heads in folding.heads():
        is_over = is_over or (at is not None and heads.time > at.timestamp())
        if not is_over:
            folding.take(heads)
            last = heads
        if not index % TOLD_EVERY:
            on_progress(index, checkpoint.size)
    if last is not None:
        folding.require(last)
    flags, states = folding.flags, dict(folding.deliveries.folded(folding.terms()))
    listed = (
        Standing(letter, folding.deliveries.sender((letter, recipient)), recipient, delivery)
        for (letter, recipient), delivery in states.items()
    )
    return Folded(
        None if last is None else datetime.fromtimestamp(last.time, UTC),
        Counter(delivery.state for delivery in states.values()),
        flags,
        tuple(each for each in listed if body and body in {each.sender, each.recipient}),
    )


class _Folding:
    """Entries in the order in which heads have them."""

    def __init__(self, material: Material, checkpoint: Checkpoint) -> None:
        self._material = material
        self._log: Log = material.log
        self._checkpoint = checkpoint
        size = checkpoint.size
        newest = Heads.parse(entry_at(self._log, HEADS, size - 1, size)) if size else None
        self._sizes = [] if newest is None else [head.size for head in newest.logs]
        self._trees = [Frontier() for _ in self._sizes]
        self._bundles: dict[int, tuple[int, list[bytes]]] = {}
        self._basis: Basis | None = None
        self.flags: Counter[str] = Counter()
        self.deliveries = Deliveries(self.flags)

    def heads(self) -> Iterator[tuple[int, Heads]]:
        """All of them; that they are the checkpoint's shows at their end."""
        size, tree = self._checkpoint.size, Frontier()
        for index, entry in enumerate(entries_between(self._log, HEADS, 0, size, size)):
            tree.add(leaf_hash(entry))
            yield index, Heads.parse(entry)
        if tree.root != self._checkpoint.root:
            raise _inconsistent(f"the {size} heads are not those that the checkpoint was signed over")

    def take(self, heads: Heads) -> None:
        """Entries up to these heads."""
        if len(heads.logs) != len(self._trees):
            raise _inconsistent(f"heads of {len(heads.logs)} logs beside others of {len(self._trees)}")
        time = datetime.fromtimestamp(heads.time, UTC)
        for partition, (tree, head) in enumerate(zip(self._trees, heads.logs, strict=True)):
            if head.size > self._sizes[partition]:
                raise _inconsistent(f"{journal_log(partition)} had {head.size} entries, and has fewer now")
            while tree.size < head.size:
                entry = self._entry(partition, tree.size)
                self._feed(Position(partition, tree.size), entry, time)
                tree.add(leaf_hash(entry))

    def _entry(self, partition: int, index: int) -> bytes:
        """Heads come more often than bundles are full: the last one read of each partition is kept."""
        number, inner = divmod(index, WIDTH)
        kept = self._bundles.get(partition)
        if kept is None or kept[0] != number:
            kept = (number, self._log.bundle(journal_log(partition), number, self._sizes[partition]))
            self._bundles[partition] = kept
        return kept[1][inner]

    def _feed(self, position: Position, entry: bytes, time: datetime) -> None:
        kind = kind_of(entry)
        if kind is Decided:
            self.deliveries.add(decided_fact(JournalRecord(position, time, b""), decode(Decided, entry), ()))
        elif kind is Basis:
            basis = decode(Basis, entry)
            if self._basis is None or basis.decided >= self._basis.decided:
                self._basis = basis

    def require(self, last: Heads) -> None:
        """What was folded is what the last heads state."""
        for partition, (tree, head) in enumerate(zip(self._trees, last.logs, strict=True)):
            if (tree.size, tree.root) != (head.size, head.root):
                raise _inconsistent(f"the {head.size} entries of {journal_log(partition)} have another root")

    def terms(self) -> Terms:
        """The deadlines that are in force in the end."""
        ground = None if self._basis is None else self._material.entries.ground(self._basis)
        return NO_TERMS if ground is None else Terms(ground.policy.deadlines, ground.directory.bodies)


def _inconsistent(what: str) -> LogRefused:
    return LogRefused(f"{what}: `exchange audit verify` says where", code="log-inconsistent")
