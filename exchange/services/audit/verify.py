"""`exchange audit verify`: the archive's logs, from a signed checkpoint down to every signature.

1. The checkpoint is signed by the log's key, and cosigned by as many witnesses as the policy asks for.
2. The log of heads is the one that it was signed over; each of its entries continues the one before.
3. Each partition's log has, at every head, the root that the head states; its tiles are what its bundles give.
4. Every entry holds by itself (`exchange.journal.single`), and was not decided after it stood in the log.
5. Lanes and origins are unbroken chains (`exchange.journal.chains`).

Heads are read in order, and between them pieces of all partitions side by side, by as many processes as there are.
What is kept between pieces is as large as there are lanes and origins, not as long as the log.
"""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from exchange.domain.delivery import Position
from exchange.domain.errors import ExchangeError
from exchange.journal.chains import SKEW, Chains
from exchange.journal.findings import FindingCode
from exchange.journal.links import Link
from exchange.services.audit.crew import Check
from exchange.services.audit.findings import TreeCode, Verified, Wrong
from exchange.services.audit.heads import HeadsReading, Span
from exchange.services.audit.pieces import PIECE_ENTRIES, Material, Outcome, Piece, file_of, wrong_at
from exchange.services.audit.ports import HEADS, Log, entry_at, journal_log
from exchange.services.audit.state import Standing
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.frontier import Frontier
from exchange.tlog.heads import Heads
from exchange.tlog.policy import LogPolicy, Seen
from exchange.tlog.tiles import WIDTH, TiledTree

STEPS = (32 * PIECE_ENTRIES, 1024)
"""Pieces are made of so many entries, or so many heads, at least, whichever comes first."""
KEPT_EVERY = 20_000
UNREADABLE = 1_000
"""After so many files that cannot be read the rest is not asked for."""
Progress = Callable[[int, int], None]
Keep = Callable[[Standing], None]


@dataclass(frozen=True, slots=True)
class Bound:
    """What heads say of a partition's log."""

    size: int
    root: bytes
    heads: int
    time: datetime


@dataclass(frozen=True, slots=True)
class _Mark:
    """Heads that are done when so many pieces are."""

    pieces: int
    heads: Frontier
    until: datetime
    wrong: tuple[Wrong, ...]


def open_checkpoint(log: Log, policy: LogPolicy) -> tuple[Seen | None, list[Wrong]]:
    """Step 1; without a checkpoint that is the log's nothing can be said."""
    file = f"log/{HEADS}/checkpoint"
    try:
        seen = policy.open(log.checkpoint())
    except ExchangeError as error:
        return None, [Wrong(TreeCode.CHECKPOINT_REFUSED, "", -1, file, f"{error.code}: {error}")]
    if seen.witnessed:
        return seen, []
    return seen, [Wrong(TreeCode.CHECKPOINT_UNWITNESSED, "", -1, file, f"{len(seen.witnesses)} cosigned it")]


def goes_on(standing: Standing, checkpoint: Checkpoint) -> list[Wrong]:
    """Whether the log is one that may continue what was verified before; if it does, its root will show."""
    kept = standing.report.log
    if kept in {"", checkpoint.origin} and standing.heads.size <= checkpoint.size:
        return []
    detail = f"{kept} with {standing.heads.size} heads before, {checkpoint.origin} with {checkpoint.size} now"
    return [Wrong(TreeCode.LOG_WENT_BACK, HEADS, checkpoint.size - 1, f"log/{HEADS}/checkpoint", detail)]


class Verification:
    """Steps 2 to 5 in progress."""

    def __init__(
        self, material: Material, checkpoint: Checkpoint, span: Span, standing: Standing, steps: tuple[int, int] = STEPS
    ) -> None:
        """Go on from `standing`, a fresh one at the beginning.

        Args:
            material: the archive, opened here.
            checkpoint: up to which.
            span: heads to verify; its first is where `standing` is.
            standing: where an earlier run stopped; changed.
            steps: entries and heads that are read before pieces are made of them.

        Raises:
            ExchangeError: the last heads cannot be read.
        """
        self._log = material.log
        self._standing = standing
        self._steps = steps
        self._report = standing.report
        self._ahead: list[Wrong] = []
        self._size = checkpoint.size
        newest = self._heads_at(checkpoint.size - 1)
        self._sizes = [head.size for head in newest.logs]
        self._trees = [self._log.tree(journal_log(number), size) for number, size in enumerate(self._sizes)]
        self._heads = HeadsReading(self._log, checkpoint, span, standing.heads, self._ahead.append)
        if not standing.logs:
            standing.logs = self._begin(self._heads.before)
        last = self._heads_at(span.end - 1) if span.end > span.first else None
        self._total = 0 if last is None else sum(head.size for head in last.logs)
        self._bounds: list[deque[Bound]] = [deque() for _ in self._sizes]
        self._issued = [log.size for log in standing.logs]
        self._marks: deque[_Mark] = deque()
        self._off: set[int] = set()
        self._pieces_issued = self._pieces_done = 0
        self._chains = Chains(
            self._tell_link, standing.lanes, ranged=standing.begun > 0, older=material.entries.older_lists
        )
        self._chains.restore(self._links(material, standing.waiting))

    @property
    def is_hopeless(self) -> bool:
        """Whether so much cannot be read that nobody asks for the rest: sizes are the log's own word."""
        return self._report.found[TreeCode.FILE_UNREADABLE] > UNREADABLE

    @property
    def trees(self) -> tuple[TiledTree, ...]:
        """Of each partition's log, as its tiles have it."""
        return tuple(self._trees)

    def _heads_at(self, index: int) -> Heads:
        return Heads.parse(entry_at(self._log, HEADS, index, self._size))

    def _begin(self, before: Heads | None) -> list[Frontier]:
        """The partitions' logs as the heads before a range have them, out of their tiles."""
        if before is None:
            return [Frontier() for _ in self._sizes]
        return [Frontier.of(head.size, tree.hashes) for head, tree in zip(before.logs, self._trees, strict=True)]

    def _links(self, material: Material, places: Iterable[tuple[int, int]]) -> Iterator[Link]:
        for partition, index in sorted(places):
            entry = entry_at(self._log, journal_log(partition), index, self._sizes[partition])
            link = material.entries.check(Position(partition, index), entry).link
            if link is not None:
                yield link

    def run(self, check: Check, on_progress: Progress, keep: Keep, every: int = KEPT_EVERY) -> None:
        """Verify; `keep` is called after so many entries and when all is done, with a standing to go on from."""
        kept = self._done()
        for outcome in check(self._pieces()):
            self._take(outcome)
            if self._done() - kept >= every:
                on_progress(self._done(), self._total)
                keep(self._stand())
                kept = self._done()
        self._pass_marks()
        self._heads.end()
        for wrong in self._ahead:
            self._report.add(wrong)
        on_progress(self._done(), self._total)
        keep(self._stand())

    def end(self) -> Verified:
        """Nothing more comes: gaps that entries wait for are gaps."""
        self._report.lanes = self._chains.end()
        return self._report

    def _done(self) -> int:
        return sum(log.size for log in self._standing.logs)

    def _stand(self) -> Standing:
        self._standing.lanes = self._chains.lanes
        self._standing.waiting = [(link.partition, link.place) for link in self._chains.waiting()]
        return self._standing

    def _pieces(self) -> Iterator[Piece]:
        """Pieces between heads, in the order in which heads have them."""
        count, last = 0, None
        for index, heads in self._heads.read():
            count, last = count + 1, heads
            for bounds, head in zip(self._bounds, heads.logs, strict=True):
                bounds.append(Bound(head.size, head.root, index, _time(heads)))
            waiting = sum(head.size - issued for head, issued in zip(heads.logs, self._issued, strict=True))
            if waiting >= self._steps[0] or count >= self._steps[1]:
                yield from self._step(heads)
                count, last = 0, None
                if self.is_hopeless:
                    return
        if last is not None:
            yield from self._step(last)

    def _step(self, heads: Heads) -> Iterator[Piece]:
        cuts = [
            (partition, issued, head.size)
            for partition, (issued, head) in enumerate(zip(self._issued, heads.logs, strict=True))
        ]
        pieces = [_cut(partition, first, end, self._sizes[partition]) for partition, first, end in cuts]
        self._issued = [max(issued, head.size) for issued, head in zip(self._issued, heads.logs, strict=True)]
        self._pieces_issued += sum(_number(first, end) for _, first, end in cuts)
        frontier = self._heads.frontier
        mark = _Mark(self._pieces_issued, Frontier(frontier.size, frontier.subtrees), _time(heads), tuple(self._ahead))
        self._ahead.clear()
        self._marks.append(mark)
        for _, piece in heapq.merge(*pieces, key=itemgetter(0)):
            if self.is_hopeless:
                return
            yield piece

    def _take(self, outcome: Outcome) -> None:
        partition, report = outcome.piece.partition, self._report
        for wrong in outcome.wrong:
            report.add(wrong)
        report.kinds.update(outcome.kinds)
        report.decisions.update(outcome.decisions)
        report.unjudged += outcome.unjudged
        report.kept += outcome.kept
        report.deleted += outcome.deleted
        self._look_at_times(partition, outcome.links)
        self._look_at_roots(partition, outcome)
        self._chains.feed(outcome.links)
        self._chains.advance()
        self._pieces_done += 1
        self._pass_marks()

    def _look_at_times(self, partition: int, links: Iterable[Link]) -> None:
        """Nothing was decided after it stood in the log."""
        bounds = list(self._bounds[partition])
        sizes = [bound.size for bound in bounds]
        for link in links:
            at = bounds[bisect_right(sizes, link.place)].time
            if link.decided - at > SKEW:
                self._tell_link(link, FindingCode.DECISION_TIME, f"decided {link.decided}, in the log by {at}")

    def _look_at_roots(self, partition: int, outcome: Outcome) -> None:
        """The tree of the leaves so far is the one that heads state, wherever heads state one."""
        log, bounds = self._standing.logs[partition], self._bounds[partition]
        self._compare(partition)
        for leaf in outcome.hashes:
            log.add(leaf)
            if bounds and bounds[0].size <= log.size:
                self._compare(partition)
        self._report.entries += len(outcome.hashes)
        if log.size != outcome.piece.last:
            self._standing.logs[partition] = self._stored(partition, outcome.piece.last)

    def _compare(self, partition: int) -> None:
        log, bounds = self._standing.logs[partition], self._bounds[partition]
        while bounds and bounds[0].size <= log.size:
            bound = bounds.popleft()
            if bound.size < log.size:
                continue  # compared by an earlier run
            if log.root == bound.root:
                self._off.discard(partition)
            elif partition not in self._off:
                self._off.add(partition)
                name, size = journal_log(partition), self._sizes[partition]
                detail = f"heads {bound.heads} of {bound.time} state another root of {bound.size} entries"
                index = max(0, bound.size - 1)
                self._report.add(Wrong(TreeCode.ROOT_DIFFERS, name, index, file_of(name, index, size, 0), detail))

    def _stored(self, partition: int, size: int) -> Frontier:
        """Behind what could not be read: believed, and compared with the next root."""
        try:
            return Frontier.of(size, self._trees[partition].hashes)
        except ExchangeError:
            return Frontier(size, [bytes(32)] * size.bit_count())

    def _pass_marks(self) -> None:
        while self._marks and self._marks[0].pieces <= self._pieces_done:
            mark = self._marks.popleft()
            for wrong in mark.wrong:
                self._report.add(wrong)
            for partition in range(len(self._bounds)):
                self._compare(partition)
            self._standing.heads, self._report.until = mark.heads, mark.until

    def _tell_link(self, link: Link, code: FindingCode, detail: str) -> None:
        name = journal_log(link.partition)
        place = f"lane {link.lane} number {link.number}: {detail}"
        self._report.add(wrong_at(code, name, link.place, self._sizes[link.partition], place))


def _time(heads: Heads) -> datetime:
    return datetime.fromtimestamp(heads.time, UTC)


def _cut(partition: int, first: int, end: int, size: int) -> Iterator[tuple[float, Piece]]:
    """Pieces of a partition, each with the share of it that is before: side by side, lanes find what they wait for."""
    at = first
    while at < end:
        last = min(end, (at // WIDTH) * WIDTH + PIECE_ENTRIES)
        yield (at - first) / (end - first), Piece(partition, at, last, size)
        at = last


def _number(first: int, end: int) -> int:
    """Of the pieces that `_cut` makes."""
    return -(-(end - first // WIDTH * WIDTH) // PIECE_ENTRIES) if end > first else 0


def look_at_tiles(tree: TiledTree, log: str) -> Iterator[Wrong]:
    """Tiles above those of the leaves that are not what the tiles below them give."""
    level = 16
    while tree.size >> level:
        for index in range(tree.size >> level):
            below = Frontier()
            try:
                for each in range(index * WIDTH, (index + 1) * WIDTH):
                    below.add(tree.hashes(level - 8, each))
                stored = tree.hashes(level, index)
            except ExchangeError as error:
                yield Wrong(TreeCode.FILE_UNREADABLE, log, index << level, f"log/{log}/tile/{level // 8}", str(error))
                continue
            if below.root != stored:
                file = f"log/{log}/tile/{level // 8 - 1}"
                yield Wrong(TreeCode.TILE_ALTERED, log, index << level, file, "the tile above has another hash for it")
        level += 8
