"""The log of heads, read and verified up to a signed checkpoint."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from exchange.domain.errors import ExchangeError
from exchange.services.audit.findings import TreeCode, Wrong
from exchange.services.audit.pieces import file_of, unlike_tile
from exchange.services.audit.ports import HEADS, Log, entries_between, entry_at, journal_log
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.frontier import Frontier
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, verify_consistency

BUNDLES = 4096
Tell = Callable[[Wrong], None]


@dataclass(frozen=True, slots=True)
class Span:
    """Entries of the log of heads: from `first`, to before `end`."""

    first: int
    end: int

    def behind(self, done: int) -> "Span":
        """What is left of it when so many entries are done."""
        return Span(done, max(done, self.end))


def span_between(log: Log, size: int, since: datetime | None, until: datetime | None) -> Span:
    """Which heads have been made in a time; those before them are believed to be what the roots say.

    Raises:
        ExchangeError: the log of heads cannot be read.
    """

    def time_at(index: int) -> float:
        return Heads.parse(entry_at(log, HEADS, index, size)).time

    times = range(size)
    first = 0 if since is None else bisect_left(times, since.timestamp(), key=time_at)
    end = size if until is None else bisect_right(times, until.timestamp(), key=time_at)
    return Span(first, max(first, end))


class HeadsReading:
    """Reads heads one after the other; each is to continue the one before."""

    def __init__(self, log: Log, checkpoint: Checkpoint, span: Span, kept: Frontier | None, tell: Tell) -> None:
        """Begin at the span's first, or go on from where an earlier run stopped.

        Args:
            log: where they lie.
            checkpoint: up to which.
            span: which of them.
            kept: the tree up to the span's first, from an earlier run.
            tell: takes what is found.
        """
        self._log = log
        self._checkpoint = checkpoint
        self._span = span
        self._tell = tell
        self._tree = log.tree(HEADS, checkpoint.size)
        self.frontier = kept or Frontier.of(span.first, self._tree.hashes)
        self.before = self._at(span.first - 1) if span.first else None

    def _at(self, index: int) -> Heads:
        return Heads.parse(entry_at(self._log, HEADS, index, self._checkpoint.size))

    def read(self) -> Iterator[tuple[int, Heads]]:
        """Each with its index; what cannot be read is told and left out."""
        while (first := self.frontier.size) < self._span.end:
            yield from self._read(first, min(self._span.end, first + BUNDLES))
            if self.frontier.size == first:
                return  # nothing could be read: what comes behind leads nowhere

    def _read(self, first: int, end: int) -> Iterator[tuple[int, Heads]]:
        index, entries = first, entries_between(self._log, HEADS, first, end, self._checkpoint.size)
        try:
            for index, entry in enumerate(entries, first):
                self._compare(index, leaf_hash(entry))
                heads = self._parsed(index, entry)
                if heads is not None and self._continues(index, heads):
                    yield index, heads
        except ExchangeError as error:
            self._found(TreeCode.FILE_UNREADABLE, index, f"{error.code}: {error}")

    def _compare(self, index: int, found: bytes) -> None:
        stored = self._tree.hashes(0, index)
        if found != stored:
            self._found(TreeCode.ENTRY_ALTERED, index, unlike_tile(HEADS, index, self._checkpoint.size))
        self.frontier.add(stored)

    def _parsed(self, index: int, entry: bytes) -> Heads | None:
        try:
            return Heads.parse(entry)
        except LogRefused as error:
            self._found(TreeCode.HEADS_INVALID, index, str(error))
            return None

    def _continues(self, index: int, heads: Heads) -> bool:
        before, self.before = self.before, heads
        if before is None:
            return True
        if len(before.logs) != len(heads.logs):
            self._found(
                TreeCode.HEADS_WENT_BACK, index, f"{len(heads.logs)} logs, {len(before.logs)} before: fixed (5.2)"
            )
            self.before = before
            return False
        if heads.time < before.time or heads.after is not None:
            self._found(TreeCode.HEADS_WENT_BACK, index, f"time {heads.time} after {before.time}")
        for partition, (old, new) in enumerate(zip(before.logs, heads.logs, strict=True)):
            if new.size < old.size or (new.size == old.size and new.root != old.root):
                self._found(TreeCode.HEADS_WENT_BACK, index, _step(partition, old, new))
        return True

    def end(self) -> None:
        """Look whether the heads that were read are those of the checkpoint."""
        size, checkpoint = self.frontier.size, self._checkpoint
        root = self.frontier.root if size else EMPTY_ROOT
        try:
            path = consistency_proof(size, checkpoint.size, self._tree.hashes)
            verify_consistency(size, root, checkpoint.size, checkpoint.root, path)
        except ExchangeError as error:
            self._found(TreeCode.CHECKPOINT_ROOT, checkpoint.size - 1, f"{error.code}: {error}")

    def _found(self, code: TreeCode, index: int, detail: str) -> None:
        file = file_of(HEADS, max(0, index), self._checkpoint.size)
        self._tell(Wrong(code, HEADS, index, file, detail))


def _step(partition: int, old: Head, new: Head) -> str:
    if new.size < old.size:
        return f"{journal_log(partition)} has {new.size} entries after {old.size}"
    return f"{journal_log(partition)} has two roots of {old.size} entries"
