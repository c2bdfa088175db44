"""Whom a gateway carries: those that the directory gives to it, from when their keys lie there until they leave.

Nobody restarts anything: each version of the directory, and each certificate that is put in place, is seen
within seconds, and a body comes or goes without the others noticing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from exchange.agent.agent import Agent, Member
from exchange.domain.errors import ConfigurationError, SpoolError

LOOK_SECONDS = 5.0

log = logging.getLogger(__name__)

Given = Callable[[], Mapping[str, Callable[[], Member]]]
"""Bodies by code, by the newest version of the directory, each to be opened once its keys are there.

Opening raises `ConfigurationError` while they are not.
"""


class Membership:
    """Makes an agent's members what the directory says; `run` is its task, in the agent's event loop."""

    def __init__(self, agent: Agent, given: Given, registry: CollectorRegistry) -> None:
        """Register metrics on `registry`; nobody is carried yet."""
        self._agent = agent
        self._given = given
        self._carried: set[str] = set()
        self._told: dict[str, str] = {}
        gauge = Gauge("exchange_gateway_bodies", "Bodies of the gateway, by state", ["state"], registry=registry)
        gauge.labels("carried").set_function(lambda: len(self._carried))
        gauge.labels("waiting").set_function(lambda: len(self._told))

    async def run(self) -> None:
        """Keep looking until cancelled."""
        while True:
            try:
                await self.look()
            except SpoolError as error:
                if not error.retriable:
                    raise
                log.warning("bodies cannot be taken on now: %s (%s)", error, error.code)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Let those go who left, take on those who can be served."""
        given = self._given()
        for body in sorted(self._carried - given.keys()):
            self._carried.discard(body)
            await self._agent.remove(body)
            log.info("%s is carried no longer: the directory does not give it to this gateway", body)
        for body in sorted(given.keys() - self._carried):
            await self._take_on(body, given[body])
        self._told = {body: code for body, code in self._told.items() if body in given}

    async def _take_on(self, body: str, member: Callable[[], Member]) -> None:
        """A body whose keys are not there yet, or are wrong, keeps nobody else waiting; it is said once."""
        try:
            await self._agent.add(member())
        except ConfigurationError as error:
            if self._told.get(body) != error.code:
                self._told[body] = error.code
                log.warning("%s waits: %s (%s)", body, error, error.code)
            return
        self._told.pop(body, None)
        self._carried.add(body)
        log.info("%s is carried", body)
