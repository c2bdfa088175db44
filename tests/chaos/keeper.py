"""Starts again whatever ended, as systemd would (Restart=always, RestartSec=1), and remembers why it had ended."""

import asyncio
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from exchange.domain.errors import ExchangeError
from tests.chaos.servers import Server

LOOK_SECONDS = 0.3
PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class End:
    """A process ended, or could not be started.

    Attributes:
        wanted: the nemesis ended it; otherwise it did so itself.
        why: what the nemesis did, or what the log ends with.
    """

    at: float
    server: Server
    wanted: bool
    why: str


class Keeper:
    """Keeps servers running. Whoever ends one on purpose says so, and holds it meanwhile."""

    def __init__(self, tell: Callable[[Mapping[str, int]], None]) -> None:
        """Nothing is looked after yet.

        Args:
            tell: is told the numbers of all that run whenever they change.
        """
        self._tell = tell
        self.servers: dict[str, Server] = {}
        self.pids: dict[str, int] = {}
        """By name, when they were last looked at; 0 for what did not run."""
        self.ends: list[End] = []
        self._held: Counter[str] = Counter()
        self._down: set[str] = set()
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def add(self, server: Server) -> None:
        """Look after one more, from `run` on."""
        self.servers[server.name] = server
        self._down.add(server.name)

    async def run(self) -> None:
        """Look after all of them until cancelled."""
        async with asyncio.TaskGroup() as group:
            for server in self.servers.values():
                group.create_task(self._keep(server), name=server.name)

    @asynccontextmanager
    async def alone(self, *names: str) -> AsyncIterator[None]:
        """Only the caller breaks these meanwhile, and the keeper starts none of them; lines have names too."""
        async with AsyncExitStack() as stack:
            for name in sorted(names):
                await stack.enter_async_context(self._busy[name])
                self._held[name] += 1
                stack.callback(self._let_go, name)
            yield

    async def kill(self, name: str, why: str) -> None:
        """End one as a power cut would."""
        server = self.servers[name]
        await asyncio.to_thread(server.kill)
        self._note(server, why, wanted=True)

    async def stop(self, name: str, why: str) -> None:
        """End one in order."""
        server = self.servers[name]
        await asyncio.to_thread(server.stop)
        self._note(server, why, wanted=True)

    async def start(self, name: str) -> None:
        """Start one that is held; what it raises is noted, and the keeper tries again once it is let go."""
        server = self.servers[name]
        try:
            await asyncio.to_thread(server.start)
        except (OSError, ExchangeError, subprocess.SubprocessError) as error:
            self._note(server, f"could not be started: {error}"[:300], wanted=False)
        else:
            self._down.discard(name)

    async def _keep(self, server: Server) -> None:
        while True:
            if not await self._runs(server) and not self._held[server.name]:
                async with self._busy[server.name]:
                    await self._start_again(server)
            await asyncio.sleep(LOOK_SECONDS)

    async def _start_again(self, server: Server) -> None:
        if await self._runs(server):
            return
        if server.name not in self._down:
            self._note(server, server.last_words(), wanted=False)
        await asyncio.sleep(PAUSE_SECONDS)
        await self.start(server.name)

    async def _runs(self, server: Server) -> bool:
        pid = await asyncio.to_thread(lambda: server.pid)
        if pid != self.pids.get(server.name):
            self.pids |= {server.name: pid or 0}
            self._tell({name: pid for name, pid in self.pids.items() if pid})
        return pid is not None

    def _let_go(self, name: str) -> None:
        self._held[name] -= 1

    def _note(self, server: Server, why: str, *, wanted: bool) -> None:
        self._down.add(server.name)
        self.ends.append(End(time.time(), server, wanted, why))
