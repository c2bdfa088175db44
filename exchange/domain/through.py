"""Up to when a journal partition is complete: the time by which deadlines pass (rule 4.3).

A receipt may wait behind a stopped router, so a deadline has not passed because a clock says so. Each lane
journals ticks, and from those in one partition follows what stands in it before them:

    a tick's `arrived`    what the lane's source took before that is decided
    an idle tick          what it took before the lane's tick before was journalled is decided

What a lane has decided stands before its next tick in every partition, so both hold for the partition that the
ticks are read from. A deadline has passed when every lane is through a later moment. Times are the brokers'
alone; a lane of which no tick was read counts as never, so whoever begins to read in the middle knows
within two ticks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from exchange.domain.fact import TickFact


@dataclass(frozen=True, slots=True)
class LaneReach:
    """How far a lane has come in a journal partition.

    Attributes:
        ticked: when the journal took its last tick there.
        through: everything that its source took before this stands in the partition; None while nobody knows.
    """

    ticked: datetime
    through: datetime | None = None


def ticked(before: LaneReach | None, tick: TickFact) -> LaneReach:
    """How far a lane has come with its next tick; a broker's clock that goes back takes nothing back.

    Args:
        before: what its ticks before came to; None: there was none.
        tick: the next one in the partition's order.
    """
    told = [tick.arrived]
    if before is not None:
        told += [before.through, before.ticked if tick.idle else None]
    known = [moment for moment in told if moment is not None]
    return LaneReach(tick.journalled, max(known, default=None))


def complete(reached: Mapping[int, LaneReach], lanes: int) -> datetime | None:
    """Everything that any lane's source took before this stands in the partition; None while nobody knows.

    Args:
        reached: by lane.
        lanes: of the bodies. That of commands says nothing of receipts: its ticks do not count.
    """
    moments = [reached[lane].through for lane in range(lanes) if lane in reached]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == lanes else None
