"""Where tests let agents live: a small exchange in memory, real spools, real signatures."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from exchange.agent.agent import Agent, Member
from exchange.agent.drafts import Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.intake import Edms
from exchange.agent.key_ring import NextKey
from exchange.agent.office import Office
from exchange.agent.ports import Connector, Format
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing
from exchange.domain.trace import Traces
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.tlog.policy import LogPolicy
from tests.agent.simulator import Simulator
from tests.patience import PATIENCE
from tests.world import World

QUICK = Timing(
    batch=50,
    window=200,
    resend_first=0.3,
    resend_after=0.3,
    resend_at_most=0.6,
    poll=0.02,
    edms_poll=0.02,
    retry_first=0.01,
    retry_at_most=0.05,
    directory_poll=0.05,
    log_poll=0.02,
)
"""An agent for tests does not wait long."""


class DocumentSystem(Connector, Protocol):
    """A document system: how its packages travel, and what they mean."""

    format: Format


class TickingClock:
    """The world's time, going on at the real pace."""

    def __init__(self, start: datetime) -> None:
        """Begin at `start`."""
        self._start = start
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        """The time in the world."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)


@dataclass
class Place:
    """Where an agent lives: a folder for its spool, its EDMSs, and the exchange that it speaks with."""

    world: World
    simulator: Simulator
    folder: Path
    directory: DirectoryFolder
    clock: TickingClock
    random: Random = field(default_factory=lambda: Random(11))
    ahead: timedelta = timedelta()
    backlog: int = 10_000
    following: dict[str, NextKey] = field(default_factory=dict)
    traces: Traces | None = None
    log_policy: LogPolicy | None = None

    def agents_clock(self) -> datetime:
        """What agents believe the time to be."""
        return self.clock() + self.ahead

    def spool(self, name: str) -> Path:
        """File of a spool."""
        return self.folder / f"{name}.spool"

    def office(self, spool: Spool, timing: Timing = QUICK) -> Office:
        """What an agent's parts share."""
        history = TrustHistory(self.directory)
        drafting = Drafting(
            history.directory.exchange,
            self.world.policy.inline_bytes,
            self.agents_clock,
            self.random.randbytes,
            self.backlog,
        )
        return Office(spool, drafting, history, timing, Counters(), time.monotonic, traces=self.traces)

    def present_key(self, body: str) -> Signer:
        """The key that lies in place for a body."""
        return self.world.signers[body]

    def members(self, *bodies: str, edms: Mapping[str, DocumentSystem] | None = None) -> list[Member]:
        """Bodies as an agent carries them."""
        systems = {body: Edms(system, system.format) for body, system in (edms or {}).items()}
        return [
            Member(body, partial(self.present_key, body), systems.get(body), self.following.get(body))
            for body in bodies
        ]

    @asynccontextmanager
    async def agent(
        self, *bodies: str, edms: Mapping[str, DocumentSystem] | None = None, spool: str = "", timing: Timing = QUICK
    ) -> AsyncIterator[Agent]:
        """A running agent for `bodies`; it is stopped, not killed, at the end."""
        members = self.members(*bodies, edms=edms)
        with Spool(self.spool(spool or bodies[0])) as opened:
            agent = Agent(self.office(opened, timing), members, self.simulator.transport, self.log_policy)
            task = asyncio.create_task(agent.run())
            try:
                yield agent
            finally:
                task.cancel()
                await asyncio.wait([task])
                if not task.cancelled():
                    task.result()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other tasks and threads
            await asyncio.sleep(0.005)


async def until_settled(agent: Agent) -> None:
    """Wait until nothing is unproven."""
    async with asyncio.timeout(PATIENCE):
        while any(status.drafts or status.unproven or status.waits_for for status in await agent.status()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def until_waiting(agent: Agent, for_what: str) -> None:
    """Wait until an agent of one body says that it waits for something."""
    async with asyncio.timeout(PATIENCE):
        while for_what not in (await agent.status())[0].waits_for:  # noqa: ASYNC110 - its own tasks find out
            await asyncio.sleep(0.01)


async def events(agent: Agent, message_id: str) -> list[tuple[str, str, str]]:
    """Actor, event and reason of what was heard about a letter of alpha's."""
    letter = await agent.mailbox("alpha").sent_letter(message_id)
    assert letter is not None
    return [(heard.actor, heard.event.value, heard.reason) for heard in letter.heard]


async def until_heard(agent: Agent, message_id: str, count: int) -> None:
    """Wait until so much was heard about a letter."""
    async with asyncio.timeout(PATIENCE):
        while len(await events(agent, message_id)) < count:  # noqa: ASYNC110 - other tasks make it so
            await asyncio.sleep(0.01)
