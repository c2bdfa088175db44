"""What all parts of one agent share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from exchange.agent.drafts import Clock, Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing
from exchange.domain.trace import Traces

DESKS = 4
"""Bodies' document systems that are dealt with at once; each round holds up to `BYTES_AT_ONCE` of letters."""

Wake = Callable[[], None]
"""Tells another part that there is something new for it in the spool."""


@dataclass(frozen=True, slots=True)
class Office:
    """The spool and what the parts do their work with.

    Attributes:
        monotonic: seconds that only grow: pauses must not depend on a clock that people set.
        desks: whoever collects from a document system or hands over to one waits for a place here, in the order of
            asking. So hundreds of bodies take no more memory than a few, and a busy one keeps none waiting.
        traces: is told what is done with letters; None: nobody asks.
    """

    spool: Spool
    drafting: Drafting
    history: TrustHistory
    timing: Timing
    counters: Counters
    monotonic: Callable[[], float]
    desks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DESKS))
    traces: Traces | None = None

    @property
    def clock(self) -> Clock:
        """The present time, UTC."""
        return self.drafting.clock
