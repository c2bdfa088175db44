"""Waiting until the exchange lets a body in, so that an agent can be started on the day of the request.

    requested ─ certificates installed ─ directory here ─ a body listed as testing or connected ─▶ the agent works

What is merely not there yet is waited for and said; what is wrong ends the process as ever.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from exchange.domain.directory import Directory

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0

Look = Callable[[], str]
"""What is still waited for, in words; empty when nothing is. Reads files."""


class Admission:
    """Looks until nothing is waited for any more."""

    def __init__(self, look: Look) -> None:
        """Nothing is looked at yet."""
        self._look = look
        self.waiting_for = "a first look at what is there"

    async def wait(self) -> None:
        """Return once nothing is missing; raises as the look."""
        told = ""
        while True:
            self.waiting_for = await asyncio.to_thread(self._look)
            if not self.waiting_for:
                return
            if self.waiting_for != told:  # at once: somebody has just started it, and looks
                told = self.waiting_for
                log.warning("the agent waits for %s", told)
            await asyncio.sleep(LOOK_SECONDS)


def not_admitted(directory: Directory, codes: Iterable[str]) -> str:
    """Why none of an agent's bodies may speak yet; empty when one may: the others then wait beside it."""
    reasons = []
    for code in codes:
        body = directory.bodies.get(code)
        if body is not None and body.reachable:
            return ""
        told = "does not list it" if body is None else f"lists it as {body.status}"
        reasons.append(f"{code} to be let in: version {directory.version} of the directory {told}")
    return "; ".join(reasons)
