"""Chains of lanes and origins over the links of a log, which come from its partitions in any interleaving.

1. Places of a lane are numbered without gap or repeat, each naming the digest of the entry before (rule 3.1).
2. A lane's times go forward, but for the clocks' skew: who backdates a decision breaks them.
3. A decision stands on its lane's last basis, and bases only go forward, everywhere to one history (rule 5.3).
4. In each partition a lane's places only grow: what is said of a letter stands in the order in which it was decided.
5. Submissions are decided in their order, and statements are their origins' next ones (rules 2.2, 2.3, 4.3).

What a lane is still to say before an entry may stand in another partition: entries wait, a bounded number of them; the
last of them go when the log ends. A range begins somewhere: there a lane and an origin are believed as they first
appear.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from exchange.domain.decision import Basis, Tick
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.origin import OriginBook, in_order
from exchange.domain.statement import Head
from exchange.journal.findings import FindingCode, LaneEnd
from exchange.journal.links import Link, Taken

WAITING = 100_000
"""So many entries of all lanes together wait for those before them; then a gap is taken for one."""
SKEW = timedelta(minutes=5)
"""Clocks of routers may differ so much."""

Tell = Callable[[Link, FindingCode, str], None]
Ground = tuple[int, bytes, bytes]
"""Version and digest of a directory, digest of a policy."""

Older = Callable[[Ground | None, Basis], Iterable[str]]
"""Says where a lane's basis goes back behind its ground before."""


def _none_is_older(_before: Ground | None, _basis: Basis) -> Iterable[str]:
    """Nobody looks."""
    return ()


@dataclass(slots=True)
class Lane:
    """A lane as far as it was followed.

    Attributes:
        begun: number before the first that a range has of it; -1 of a lane that is followed from its beginning.
        number: of its last entry.
        digest: of that; None where it is not known: behind a gap, at the beginning of a range.
        offset: of submissions, that it came to.
        decided: latest time.
        ground: what it stands on; None before it said so.
        origins: of the bodies that speak in it.
        reached: number of its last entry in each partition.
        waiting: entries that wait for those before them, by number.
    """

    begun: int = -1
    number: int = 0
    digest: bytes | None = ZERO_DIGEST
    offset: int = -1
    decided: datetime | None = None
    ground: Ground | None = None
    origins: OriginBook = field(default_factory=OriginBook)
    reached: dict[int, int] = field(default_factory=dict)
    waiting: dict[int, Link] = field(default_factory=dict)


class Chains:
    """Chains in progress."""

    def __init__(
        self,
        tell: Tell,
        lanes: Mapping[int, Lane],
        *,
        ranged: bool,
        waiting: int = WAITING,
        older: Older = _none_is_older,
    ) -> None:
        """Go on from where lanes stand.

        Args:
            tell: takes what is found.
            lanes: from an earlier run; none at the beginning.
            ranged: whether the log is read from its middle on.
            waiting: how many entries may wait.
            older: looks whether a basis goes back to older revocation lists.
        """
        self.lanes = dict(lanes)
        self._tell = tell
        self._older = older
        self._ranged = ranged
        self._most = waiting
        self._waiting = sum(len(lane.waiting) for lane in self.lanes.values())
        self._versions = {lane.ground[0]: lane.ground[1] for lane in self.lanes.values() if lane.ground is not None}

    def feed(self, links: Iterable[Link]) -> None:
        """The next links, in the order of each partition."""
        for link in links:
            lane = self.lanes.get(link.lane)
            if lane is None:
                lane = self.lanes[link.lane] = Lane(number=-1, digest=None) if self._ranged else Lane()
            if 0 <= link.number <= lane.begun:
                continue  # a range begins behind it
            if link.number <= lane.number or link.number in lane.waiting:
                self._tell(link, FindingCode.LANE_REPEAT, "this number was there before")
                continue
            reached = lane.reached.get(link.partition, 0)
            if link.number < reached:
                detail = f"number {link.number} stands behind number {reached}"
                self._tell(link, FindingCode.SUBMISSION_DISORDER, detail)
            lane.reached[link.partition] = max(reached, link.number)
            lane.waiting[link.number] = link
            self._waiting += 1

    def restore(self, links: Iterable[Link]) -> None:
        """Links that waited in an earlier run."""
        for link in links:
            self.lanes[link.lane].waiting[link.number] = link
            self._waiting += 1

    def advance(self) -> None:
        """Follow every lane as far as it goes; whatever waits beyond the bound waits for a gap."""
        for lane in self.lanes.values():
            self._begin(lane)
            self._follow(lane)
        while self._waiting > self._most:
            lane = max(self.lanes.values(), key=lambda each: len(each.waiting))
            self._pass(lane)

    def end(self) -> dict[int, LaneEnd]:
        """Nothing more comes: what still waits, waits for a gap. Where every lane ended."""
        for lane in self.lanes.values():
            while lane.waiting:
                self._pass(lane)
        return {number: LaneEnd(lane.number, lane.digest or ZERO_DIGEST) for number, lane in self.lanes.items()}

    def waiting(self) -> Iterator[Link]:
        """What waits for what comes before it."""
        for lane in self.lanes.values():
            yield from lane.waiting.values()

    def _begin(self, lane: Lane) -> None:
        """A range's first look at a lane."""
        if lane.number < 0 and lane.waiting:
            lane.number = lane.begun = min(lane.waiting) - 1

    def _follow(self, lane: Lane) -> None:
        while (link := lane.waiting.pop(lane.number + 1, None)) is not None:
            self._waiting -= 1
            self._step(lane, link)

    def _pass(self, lane: Lane) -> None:
        link = lane.waiting[min(lane.waiting)]
        self._tell(link, FindingCode.LANE_GAP, f"missing: {lane.number + 1} to {link.number - 1}")
        lane.number, lane.digest = link.number - 1, None
        self._follow(lane)

    def _step(self, lane: Lane, link: Link) -> None:
        if lane.digest is not None and link.previous != lane.digest:
            self._tell(link, FindingCode.LANE_CHAIN_BROKEN, f"before it stands {lane.digest.hex()}")
        lane.number, lane.digest = link.number, link.digest
        if lane.decided is not None and lane.decided - link.decided > SKEW:
            detail = f"decided {link.decided}, an entry before it in its lane {lane.decided}"
            self._tell(link, FindingCode.DECISION_TIME, detail)
        lane.decided = link.decided if lane.decided is None else max(lane.decided, link.decided)
        said = link.said
        if isinstance(said, Basis):
            self._stand(lane, link, said)
        elif isinstance(said, Tick):
            self._move_on(lane, link, said)
        else:
            self._take(lane, link, said)

    def _stand(self, lane: Lane, link: Link, basis: Basis) -> None:
        version, named = basis.directory_version, basis.directory_digest
        known = self._versions.setdefault(version, named)
        before, lane.ground = lane.ground, (version, named, basis.policy_digest)
        if known != named:
            detail = f"version {version} is {known.hex()} elsewhere, {named.hex()} here"
            self._tell(link, FindingCode.BASIS_ROLLED_BACK, detail)
        elif before is not None and before[1] != named and version <= before[0]:
            self._tell(link, FindingCode.BASIS_ROLLED_BACK, f"version {version} after {before[0]}")
        for detail in self._older(before, basis):
            self._tell(link, FindingCode.BASIS_ROLLED_BACK, detail)

    def _move_on(self, lane: Lane, link: Link, tick: Tick) -> None:
        if tick.offset <= lane.offset:
            detail = f"a tick before submission {tick.offset} after offset {lane.offset}"
            self._tell(link, FindingCode.SUBMISSION_DISORDER, detail)
        lane.offset = max(lane.offset, tick.offset - 1)

    def _take(self, lane: Lane, link: Link, said: Taken) -> None:
        named = (said.version, said.directory, said.policy)
        if lane.ground != named and not (self._ranged and lane.ground is None):
            self._tell(link, FindingCode.BASIS_NOT_IN_FORCE, f"directory version {said.version}")
        if said.partition != link.lane or said.offset <= lane.offset:
            detail = f"submission {said.partition}/{said.offset} after offset {lane.offset}"
            self._tell(link, FindingCode.SUBMISSION_DISORDER, detail)
        lane.offset = max(lane.offset, said.offset)
        self._move_origin(lane, link, said)

    def _move_origin(self, lane: Lane, link: Link, said: Taken) -> None:
        """The number moves in any case, so that one disorder is found once."""
        head, opens = Head(*said.head), said.opens
        known = lane.origins[head.body, head.origin] is not None
        disorder = in_order(lane.origins, head, opens)
        if disorder is not None and (known or not self._ranged):
            self._tell(link, FindingCode.ORIGIN_DISORDER, f"{disorder.reason}: {disorder.detail}")
        lane.origins.take(head, opens if disorder is None else None, said.statement)
