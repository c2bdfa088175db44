"""Stands before servers and breaks what passes through: connections between any two participants.

TCP has no losses above it, so a lossy line is one whose connections are reset now and then. A line that is
cut loses nothing that the kernel would send again once it is whole: bytes wait, as they would there.

This is what happens in the proxy's own process (`proxy_process.py`), which nobody else's work slows down.
"""

import asyncio
import socket
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import Enum
from random import Random

from exchange.embedded.ports import HOST
from tests.chaos.sockets import dialler

CHUNK_BYTES = 64 * 1024
SLOW_SECONDS = 0.15
SLOW_BYTES_PER_SECOND = 200_000
LOSSY_SHARE = 0.02
"""Of the pieces that pass, each of which then resets its connection."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST."""

Line = tuple[str, str]
"""Who dialled, and who was dialled."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


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
            if not writer.transport.is_closing():
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
    """Listens for servers that are named; belongs to one event loop."""

    def __init__(self, random: Random) -> None:
        """Nothing listens before `listen`; `random` decides which pieces a lossy line loses."""
        self._random = random
        self._processes: Mapping[str, int] = {}
        self._weather: dict[Line, Weather] = {}
        self._connections: defaultdict[Line, set[_Connection]] = defaultdict(set)
        self._servers: list[asyncio.Server] = []

    def know(self, processes: Mapping[str, int]) -> None:
        """Who may dial from now on, by name and number; connections of others are never harmed."""
        self._processes = processes

    async def listen(self, name: str, port: int, upstream: int) -> None:
        """Stand before the server `name`: listen on `port`, pass on to the port `upstream`."""
        serve = self._serving(name, lambda: asyncio.open_connection(HOST, upstream))
        self._servers.append(await asyncio.start_server(serve, HOST, port))

    async def listen_unix(self, name: str, path: str, upstream: str) -> None:
        """Stand before the server `name`, both of us at Unix sockets."""
        serve = self._serving(name, lambda: asyncio.open_unix_connection(upstream))
        self._servers.append(await asyncio.start_unix_server(serve, path))

    def turn(self, line: Line, weather: Weather) -> None:
        """Change the weather of a line, of its open connections too."""
        self._weather[line] = weather
        for connection in list(self._connections[line]):
            connection.turn(weather)

    def _serving(
        self, name: str, answering: Callable[[], Awaitable[Streams]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = (self._dialler(writer), name)
            connection = _Connection(writer, self._weather.get(line, Weather.FAIR), self._random)
            self._connections[line].add(connection)
            try:
                await connection.carry((reader, writer), answering)
            except OSError:
                connection.reset()
            finally:
                self._connections[line].discard(connection)

        return serve

    def _dialler(self, writer: asyncio.StreamWriter) -> str:
        try:
            return dialler(writer.get_extra_info("socket"), self._processes)
        except (OSError, ValueError):  # it has gone again
            return ""
