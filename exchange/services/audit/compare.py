"""`exchange audit compare`: whether two signed checkpoints are of one log that only grew, all logs below it included.

1. Both are signed by the log's key, and say how many witnesses saw them.
2. The older one's tree is the beginning of the newer one's: a consistency proof out of the archive's tiles.
3. Each partition's log in the older one's last heads is the beginning of the one in the newer one's.

Two checkpoints that contradict one another are the proof by themselves, whatever the archive has: the log's key signed
both. Where step 2 fails, what the archive has says which of them it stands by.
"""

from dataclasses import dataclass

from exchange.domain.errors import ExchangeError
from exchange.services.audit.ports import HEADS, Tiles, entry_at, journal_log
from exchange.tlog.checkpoint import Checkpoint, hash_text
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    root_by_inclusion,
    verify_consistency,
)
from exchange.tlog.policy import LogPolicy, Seen


@dataclass(frozen=True, slots=True)
class Compared:
    """What two checkpoints are to one another.

    Attributes:
        older: the smaller one.
        newer: the other.
        logs: partitions' logs that were compared; 0 when it did not come to that.
        contradictions: what is wrong, each in words; none: they are consistent.
    """

    older: Seen
    newer: Seen
    logs: int
    contradictions: tuple[str, ...]

    @property
    def consistent(self) -> bool:
        """Whether the log only grew from one to the other."""
        return not self.contradictions


def compare(log: Tiles, policy: LogPolicy, first: bytes, second: bytes) -> Compared:
    """Compare two signed checkpoints, in either order.

    Raises:
        LogRefused: one of them is not the log's, or was altered.
        ArchiveError: the archive lacks the tiles.
    """
    older, newer = sorted((policy.open(first), policy.open(second)), key=_order)
    old, new = older.checkpoint, newer.checkpoint
    if old.size == new.size:
        same = old.root == new.root
        found = () if same else (f"two roots of {old.size} heads: {hash_text(old.root)} and {hash_text(new.root)}",)
        return Compared(older, newer, 0, found)
    tree = log.tree(HEADS, new.size)
    try:
        verify_consistency(old.size, old.root, new.size, new.root, consistency_proof(old.size, new.size, tree.hashes))
    except LogRefused:
        return Compared(older, newer, 0, (_told(old, new, root(old.size, tree.hashes), root(new.size, tree.hashes)),))
    if not old.size:
        return Compared(older, newer, 0, ())
    before, after = _last_heads(log, old, new.size), _last_heads(log, new, new.size)
    return Compared(older, newer, len(before.logs), tuple(_partitions(log, before, after)))


def _told(old: Checkpoint, new: Checkpoint, old_root: bytes, new_root: bytes) -> str:
    if new_root == new.root:
        stands = f"the archive has the newer one's log, and another root of its first {old.size} heads"
    elif old_root == old.root:
        stands = f"the archive has the older one's log, and another root of {new.size} heads"
    else:
        stands = "the archive has a third log"
    return f"the {old.size} heads of the older one are not the first of the {new.size} of the newer one: {stands}"


def _order(seen: Seen) -> tuple[int, bytes]:
    return seen.checkpoint.size, seen.checkpoint.root


def _last_heads(log: Tiles, checkpoint: Checkpoint, size: int) -> Heads:
    """Proven to be the last under a checkpoint; read out of the log as it was at a size not below that."""
    last = checkpoint.size - 1
    entry = entry_at(log, HEADS, last, size)
    path = inclusion_proof(last, checkpoint.size, log.tree(HEADS, size).hashes)
    if root_by_inclusion(leaf_hash(entry), last, checkpoint.size, path) != checkpoint.root:
        message = f"the archive's heads {last} do not lead to the checkpoint over {checkpoint.size}: it was altered"
        raise LogRefused(message, code="log-inconsistent")
    return Heads.parse(entry)


def _partitions(log: Tiles, before: Heads, after: Heads) -> list[str]:
    if len(before.logs) != len(after.logs):
        return [f"{len(before.logs)} partitions in the older one, {len(after.logs)} in the newer one"]
    found = []
    for partition, (old, new) in enumerate(zip(before.logs, after.logs, strict=True)):
        name = journal_log(partition)
        try:
            if old.size <= new.size:
                path = consistency_proof(old.size, new.size, log.tree(name, new.size).hashes)
                verify_consistency(old.size, old.root, new.size, new.root, path)
                continue
            found.append(f"{name} went back from {old.size} entries to {new.size}")
        except ExchangeError as error:
            found.append(f"{name} of {new.size} entries does not begin with the {old.size} before: {error.code}")
    return found
