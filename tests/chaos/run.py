"""A run: traffic, faults, healing, quiet, and then the checker's word."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager
from random import Random
from typing import Any

from exchange import system
from exchange.agent.drafts import Drafting
from exchange.domain.policy import parse_policy
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.keys import load_certificates
from tests.chaos.client import Correspondent
from tests.chaos.faults import every_fault
from tests.chaos.history import Recorder, read_history
from tests.chaos.nemesis import Nemesis, plan
from tests.chaos.site import BODIES, CLUSTER, Site
from tests.checker import Checker, Violation, observe, unfinished, violations, waits

WARM_SECONDS = 10.0
"""Of traffic before the first fault."""
QUIET_SECONDS = 200.0
"""After the last fault everything comes to rest in so long; longer than any bound of the checker."""
SETTLE_SECONDS = 150.0
"""After that, for what nobody waits for, the tracker and the positions of spools; longer than their bounds too."""
LOOK_SECONDS = 3.0


class Run:
    """One run on a site."""

    def __init__(self, site: Site, seed: int, faults: int) -> None:
        """Nothing happens yet."""
        self.site = site
        self.seed = seed
        self.faults = faults
        self.clients: dict[str, Correspondent] = {}
        self.histories = site.folder / "histories"
        self.quiet_after = 0.0
        """Seconds from the end of the last fault until nobody waited for anything."""

    async def carry_out(self) -> list[Violation]:
        """All of it; what the checker found."""
        self.histories.mkdir()
        with ExitStack() as files:
            nemesis = Nemesis(self.site, self.clients, files.enter_context(self._recorder("nemesis")), self.seed)
            self.clients |= {body: self._client(body, files) for body in BODIES}
            closing = asyncio.Event()
            async with _background(self.site.keeper.run(), *(client.run(closing) for client in self.clients.values())):
                await asyncio.sleep(WARM_SECONDS)
                await nemesis.run(plan(every_fault(self.site), self.faults, self.seed))
                closing.set()
                await self._rest()
                return await self._verdict()

    async def _rest(self) -> None:
        """Wait until clients wait for nothing; the checker says what is late."""
        began = time.monotonic()
        while self.quiet_after < QUIET_SECONDS:
            lines = await asyncio.to_thread(read_history, self.histories.iterdir())
            left = sum(wait.until == float("inf") for wait in waits(lines))
            owed = sum(client.owes for client in self.clients.values())
            self.quiet_after = time.monotonic() - began
            if not left and not owed:
                return
            print(f"{self.quiet_after:7.1f}s at rest: waiting for {left}, to be handed in {owed}", flush=True)
            await asyncio.sleep(LOOK_SECONDS)

    async def _verdict(self) -> list[Violation]:
        spools = {body: self.site.spool(body) / "spool.sqlite" for body in BODIES}
        checker = Checker(self.site.settings(), BODIES, CLUSTER.lanes, CLUSTER.journal_partitions)
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            seen = await observe(
                checker,
                at=time.time(),
                spools=spools,
                tracker=self.site.postgres.url,
                history=self.histories.iterdir(),
            )
            found = violations(seen)
            if not (found or unfinished(seen)) or time.monotonic() > deadline:
                return found
            await asyncio.sleep(LOOK_SECONDS)

    def _recorder(self, name: str) -> Recorder:
        return Recorder(self.histories / f"{name}.jsonl")

    def _client(self, body: str, files: ExitStack) -> Correspondent:
        others = [other for other in BODIES if other != body]
        random = Random(f"{self.seed} {body}")
        history = files.enter_context(self._recorder(body))
        spool = self.site.spool(body) / "spool.sqlite"
        return Correspondent(spool, body, others, _drafting(self.site), history, random)


def _drafting(site: Site) -> Drafting:
    folder = site.installation.folder
    directory = DirectoryFolder(folder / "directory", load_certificates(site.authority.statement_root)).latest()
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
