"""Looks through the exchange's logs (ADR 0018): that each partition's log only grew, from heads to heads.

What `tlog-witness` asks for shows that the log of heads only grew. Here its new entries are read, and for each two
neighbours and each partition it is proven, out of the tiles, that the later root continues the earlier one. Nothing
that is read is believed: heads must lead to the signed checkpoint's root, and a proof of consistency says itself
whether it is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol

from exchange.services.witness.state import Looked
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Heads
from exchange.tlog.merkle import (
    Hashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_by_inclusion,
    verify_consistency,
)
from exchange.tlog.tiles import WIDTH, TiledTree

HEADS = "heads"


class Tiles(Protocol):
    """An archive's logs, read from wherever they are served; for one thread at a time.

    Every method may raise `ExchangeError`: it cannot be read now, or is torn.
    """

    def tree(self, log: str, size: int) -> TiledTree:
        """A log's tree: `heads`, `journal/<partition>`."""

    def bundle(self, log: str, index: int, size: int) -> list[bytes]:
        """Entries of a bundle in a log of a size."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Heads with their way up to the checkpoint that was refused."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]


class Rewritten(LogRefused):
    """Two heads of one log contradict one another.

    Attributes:
        pair: both, each proven to be in the log; empty where what is served does not lead to the checkpoint at all.
    """

    code = "log-inconsistent"

    def __init__(self, message: str, pair: Sequence[Placed] = ()) -> None:
        """Keep the two beside what is said of them."""
        super().__init__(message)
        self.pair = tuple(pair)


def look(looked: Looked, checkpoint: Checkpoint, tiles: Tiles) -> Looked:
    """Look through the rest of one bundle of heads, as far as the checkpoint goes.

    Args:
        looked: how far that was done before.
        checkpoint: signed by the log, and larger than that.
        tiles: the logs.

    Returns:
        How far it is done now.

    Raises:
        Rewritten: `log-inconsistent`.
        LogRefused: `heads-invalid`, `tile-invalid`.
    """
    size = checkpoint.size
    stored = tiles.tree(HEADS, size).hashes
    index, inner = divmod(looked.size, WIDTH)
    entries = tiles.bundle(HEADS, index, size)[inner:]
    end = looked.size + len(entries)
    now = _root_after(looked, entries, stored)
    try:
        verify_consistency(end, now, size, checkpoint.root, consistency_proof(end, size, stored))
    except LogRefused as error:
        message = f"the heads up to {end} that are served are not those under the checkpoint: {error}"
        raise Rewritten(message) from error
    placed = [*enumerate(entries, looked.size)]
    if looked.size:
        placed.insert(0, (looked.size - 1, looked.heads))
    _compare(placed, _Above(checkpoint, stored), tiles)
    return Looked(end, now, entries[-1])


def _root_after(looked: Looked, entries: Sequence[bytes], stored: Hashes) -> bytes:
    """Root of the heads looked at and those behind them: the former by hashes that lead to their root, too."""
    if root(looked.size, stored) != looked.root:
        message = f"the first {looked.size} heads that are served are not those that were there before"
        raise Rewritten(message)
    leaves = [leaf_hash(entry) for entry in entries]

    def hashes(level: int, index: int) -> bytes:
        first, behind = index << level, (index + 1) << level
        if behind <= looked.size:
            return stored(level, index)
        if level == 0:
            return leaves[first - looked.size]
        return node_hash(hashes(level - 1, 2 * index), hashes(level - 1, 2 * index + 1))

    return root(looked.size + len(entries), hashes)


class _Above:
    """The log of heads under a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, stored: Hashes) -> None:
        self._checkpoint = checkpoint
        self._stored = stored
        self.last = checkpoint.size - 1

    def placed(self, index: int, entry: bytes) -> Placed:
        """Heads with their way up, which is seen to lead there."""
        size = self._checkpoint.size
        path = tuple(inclusion_proof(index, size, self._stored))
        if root_by_inclusion(leaf_hash(entry), index, size, path) != self._checkpoint.root:
            message = f"heads {index} that are served are not those under the checkpoint"
            raise Rewritten(message)
        return Placed(index, entry, path)


def _compare(placed: Sequence[tuple[int, bytes]], above: _Above, tiles: Tiles) -> None:
    """Each with the one before it: in numbers, the newest ones of all too, and then by proofs."""
    read = [(index, entry, Heads.parse(entry)) for index, entry in placed]
    newest = read[-1]
    if newest[0] != above.last:
        entry = tiles.bundle(HEADS, above.last // WIDTH, above.last + 1)[-1]
        newest = (above.last, above.placed(above.last, entry).entry, Heads.parse(entry))
    # Partial tiles are there for what a log has now, not for each size that it ever had.
    trees = [tiles.tree(f"journal/{number}", head.size).hashes for number, head in enumerate(newest[2].logs)]
    for faults, pairs in ((_numbers, pairwise([*read, newest])), (partial(_growth, trees), pairwise(read))):
        for (index, entry, before), (later, after_entry, after) in pairs:
            fault = faults(before, after)
            if fault:
                pair = (above.placed(index, entry), above.placed(later, after_entry))
                raise Rewritten(f"heads {later} do not continue heads {index}: {fault}", pair)


def _numbers(before: Heads, after: Heads) -> str:
    """What is wrong with the numbers of heads behind others; empty when nothing is."""
    if before is after:
        return ""
    if len(before.logs) != len(after.logs) or after.after is not None:
        return "they are of another number of logs, or begin anew"
    if after.time < before.time:
        return "their time is before that of the earlier ones"
    for number, (old, new) in enumerate(zip(before.logs, after.logs, strict=True)):
        if new.size < old.size or (new.size == old.size and new.root != old.root):
            return f"log {number} went back from {old.size} to {new.size} entries, or shows two roots of them"
    return ""


def _growth(trees: Sequence[Hashes], before: Heads, after: Heads) -> str:
    """Which log's later root does not continue its earlier one; empty when all do."""
    for number, (old, new) in enumerate(zip(before.logs, after.logs, strict=True)):
        try:
            proof = consistency_proof(old.size, new.size, trees[number])
            verify_consistency(old.size, old.root, new.size, new.root, proof)
        except LogRefused as error:
            if error.code == "tile-invalid":
                raise
            return f"log {number}: {error}"
    return ""
