"""What all parts of one agent share."""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.agent.drafts import Clock, Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing

Wake = Callable[[], None]
"""Tells another part that there is something new for it in the spool."""


@dataclass(frozen=True, slots=True)
class Office:
    """The spool and what the parts do their work with.

    Attributes:
        monotonic: seconds that only grow: pauses must not depend on a clock that people set.
    """

    spool: Spool
    drafting: Drafting
    history: TrustHistory
    timing: Timing
    counters: Counters
    monotonic: Callable[[], float]

    @property
    def clock(self) -> Clock:
        """The present time, UTC."""
        return self.drafting.clock
