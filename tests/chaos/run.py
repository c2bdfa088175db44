"""A run: traffic, faults, healing, quiet, and then the checker's word."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from exchange import system
from exchange.agent.drafts import Drafting
from exchange.domain.errors import BusError
from exchange.domain.policy import parse_policy
from exchange.embedded.speakers import SERVICES
from exchange.security.directory.folder import DirectoryFolder
from tests.chaos.client import Correspondent
from tests.chaos.history import Recorder
from tests.chaos.nemesis import Nemesis, Planned
from tests.chaos.site import BODIES, CLUSTER, Site
from tests.checker import Checker, Observations, Rule, Violation, observe, unfinished, violations

WARM_SECONDS = 10.0
"""Of traffic before the first fault."""
QUIET_SECONDS = 300.0
"""After the last fault nothing waits any more in so long; longer than any bound of the checker."""
SETTLE_SECONDS = 60.0
"""When nothing waits any more: what still looks wrong then is wrong; longer than a process may stand still."""
LOOK_SECONDS = 4.0


class Run:
    """One run on a site."""

    def __init__(self, site: Site, planned: Sequence[Planned], seed: int) -> None:
        """Nothing happens yet."""
        self.site = site
        self.seed = seed
        self.planned = planned
        self.clients: dict[str, Correspondent] = {}
        self.histories = site.folder / "histories"
        self.quiet_after = 0.0
        """Seconds from the end of the last fault until nothing waited any more."""

    async def carry_out(self) -> list[Violation]:
        """All of it; what the checker found."""
        self.histories.mkdir()
        with ExitStack() as files:
            nemesis = Nemesis(self.site, self.clients, files.enter_context(self._recorder("nemesis")), self.seed)
            self.clients |= {body: self._client(body, files) for body in BODIES}
            closing = asyncio.Event()
            async with _background(self.site.keeper.run(), *(client.run(closing) for client in self.clients.values())):
                await asyncio.sleep(WARM_SECONDS)
                await nemesis.run(self.planned)
                closing.set()
                return await self._rest()

    async def _rest(self) -> list[Violation]:
        """Wait until nothing waits any more, or for too long; what the checker finds then."""
        checker = Checker(self.site.settings(), (*BODIES, *SERVICES), CLUSTER.lanes, CLUSTER.journal_partitions)
        began = time.monotonic()
        while True:
            seen = await self._look(checker)
            now = time.monotonic()
            found, left = violations(seen), len(unfinished(seen)) + self._owed
            if left or not self.quiet_after:
                self.quiet_after = now - began
            if left and now > began + QUIET_SECONDS:
                return [*found, Violation(Rule.LATE, "the end of the run", f"{left} things wait for ever")]
            if not left and (not found or now > began + self.quiet_after + SETTLE_SECONDS):
                return found
            print(f"{now - began:7.1f}s at rest: {left} things wait, {len(found)} look wrong", flush=True)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, checker: Checker) -> Observations:
        """Observe; brokers may still be coming back, and then the checker goes on from where it was.

        Raises:
            BusError: they did not.
        """
        deadline = time.monotonic() + QUIET_SECONDS
        while True:
            try:
                return await observe(
                    checker,
                    at=time.time(),
                    spools={body: self._spool(body) for body in BODIES},
                    tracker=self.site.postgres.url,
                    history=self.histories.iterdir(),
                )
            except BusError as error:
                if time.monotonic() > deadline:
                    raise
                print(f"the checker waits: {error.code}", flush=True)
                await asyncio.sleep(LOOK_SECONDS)

    @property
    def _owed(self) -> int:
        return sum(client.owes for client in self.clients.values())

    def _spool(self, body: str) -> Path:
        return self.site.spool(body) / "spool.sqlite"

    def _recorder(self, name: str) -> Recorder:
        return Recorder(self.histories / f"{name}.jsonl")

    def _client(self, body: str, files: ExitStack) -> Correspondent:
        others = [other for other in BODIES if other != body]
        random = Random(f"{self.seed} {body}")
        history = files.enter_context(self._recorder(body))
        return Correspondent(self._spool(body), body, others, _drafting(self.site), history, random)


def _drafting(site: Site) -> Drafting:
    folder = site.installation.folder
    directory = DirectoryFolder.at(folder / "directory", site.authority.directory.root).latest()
    policy = parse_policy((folder / "policy.toml").read_bytes())
    return Drafting(directory.exchange, policy.inline_bytes, system.now, system.random_bytes)


@asynccontextmanager
async def _background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run tasks beside the body; one that fails ends it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
