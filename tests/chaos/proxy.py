"""Stands before servers and breaks what passes through: connections between any two participants.

TCP has no losses above it, so a lossy line is one whose connections are reset now and then. A line that is
cut loses nothing that the kernel would send again once it is whole: bytes wait, as they would there.
"""

import asyncio
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from enum import Enum
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

from exchange.embedded.ports import HOST

CHUNK_BYTES = 64 * 1024
SLOW_SECONDS = 0.15
SLOW_BYTES_PER_SECOND = 200_000
LOSSY_SHARE = 0.02
"""Of the pieces that pass, each of which then resets its connection."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST."""

Line = tuple[str, str]
"""Who dialled, and who was dialled."""
Dialler = Callable[[socket.socket], str]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Result = TypeVar("Result")


class Weather(Enum):
    """How a line is.

    The last two are half-open: bytes one way vanish, those the other way arrive.
    """

    FAIR = "fair"
    CUT = "cut"
    REFUSED = "refused"
    SLOW = "slow"
    LOSSY = "lossy"
    DEAF = "what the dialler says vanishes"
    MUTE = "what the dialler is told vanishes"


class _Connection:
    """One connection through the proxy; belongs to the proxy's event loop."""

    def __init__(self, writer: asyncio.StreamWriter, weather: Weather, random: Random) -> None:
        self._writers = [writer]
        self._random = random
        self._weather = weather
        self._changed = asyncio.Event()
        self._has_holes = False

    def turn(self, weather: Weather) -> None:
        """Change its weather; what lost bytes, or is refused now, is reset."""
        self._weather = weather
        self._changed.set()
        if weather is Weather.REFUSED or self._has_holes:
            self.reset()

    def reset(self) -> None:
        """Break both halves off."""
        for writer in self._writers:
            with suppress(OSError):  # closed already
                writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def carry(self, dialled: Streams, answering: Callable[[], Awaitable[Streams]]) -> None:
        """Pass bytes both ways until either end closes."""
        await self._until_whole()
        if self._weather is Weather.REFUSED:
            self.reset()
            return
        behind = await answering()
        self._writers.append(behind[1])
        ways = [self._pass(dialled[0], behind[1], Weather.DEAF), self._pass(behind[0], dialled[1], Weather.MUTE)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in self._writers:
                writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallowed: Weather) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self._weather is Weather.SLOW:
                    await asyncio.sleep(SLOW_SECONDS + len(data) / SLOW_BYTES_PER_SECOND)
                await self._until_whole()
                if self._weather is swallowed:
                    self._has_holes = True
                    continue
                if self._weather is Weather.LOSSY and self._random.random() < LOSSY_SHARE:
                    self.reset()
                    return
                writer.write(data)
                await writer.drain()

    async def _until_whole(self) -> None:
        while self._weather is Weather.CUT:
            self._changed.clear()
            await self._changed.wait()


class Proxy:
    """Listens for servers that are named; a thread of its own keeps it from being slowed down by its users."""

    def __init__(self, dialler: Dialler, random: Random) -> None:
        """Nothing listens before `listen`.

        Args:
            dialler: names who is at the other end of an accepted connection; empty: nobody to be harmed.
            random: decides which pieces a lossy line loses.
        """
        self._dialler = dialler
        self._random = random
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._weather: dict[Line, Weather] = {}
        self._connections: defaultdict[Line, set[_Connection]] = defaultdict(set)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def listen(self, name: str, port: int, upstream: Callable[[], int]) -> None:
        """Stand before the server `name`: listen on `port`, pass on to the port that `upstream` says by then."""

        async def answering() -> Streams:
            return await asyncio.open_connection(HOST, upstream())

        async def start() -> None:
            self._servers.append(await asyncio.start_server(self._serving(name, answering), HOST, port))

        self._run(start())

    def listen_unix(self, name: str, path: Path, upstream: Path) -> None:
        """Stand before the server `name`, both of us at Unix sockets."""

        async def answering() -> Streams:
            return await asyncio.open_unix_connection(upstream)

        async def start() -> None:
            self._servers.append(await asyncio.start_unix_server(self._serving(name, answering), path))

        self._run(start())

    def turn(self, line: Line, weather: Weather) -> None:
        """Change the weather of a line, of its open connections too."""

        async def turn() -> None:
            self._weather[line] = weather
            for connection in list(self._connections[line]):
                connection.turn(weather)

        self._run(turn())

    def _serving(
        self, name: str, answering: Callable[[], Awaitable[Streams]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = (self._dialler(writer.get_extra_info("socket")), name)
            weather = self._weather.get(line, Weather.FAIR)
            connection = _Connection(writer, weather, self._random)
            self._connections[line].add(connection)
            try:
                await connection.carry((reader, writer), answering)
            except OSError:
                connection.reset()
            finally:
                self._connections[line].discard(connection)

        return serve

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for connections in self._connections.values():
            for connection in list(connections):
                connection.reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
