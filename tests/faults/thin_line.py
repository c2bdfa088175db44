"""A thin line that breaks, before a broker: rate, delay, loss, and everything cut off now and then.

Above TCP a lost segment is one that comes late and was sent twice: all behind it on its connection wait for a way
there and back. A cut loses what is under way. Either it is sent again once the line is whole and TCP has tried once
more, as over a line that keeps its address (or a tunnel that does, like WireGuard); or every connection is reset, as
by a modem that comes back with another one.

Only connections of the process that is named are shaped, those of the exchange's own services are not. Counted is
what was put on the line: segments with the 40 bytes of their TCP and IP headers, those sent twice too, and an
acknowledgement of 40 bytes for every other one.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from exchange.embedded.ports import HOST
from tests.chaos.sockets import dialler

SEGMENT_BYTES = 1400
HEADER_BYTES = 40
_RESET = struct.pack("ii", 1, 0)
_SHAPED = "shaped"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the line is.

    Attributes:
        bytes_per_second: each way, shared by all connections.
        delay: seconds on the way, each way.
        loss: share of the segments that must be sent again.
        cut_every: seconds between cuts.
        cut_for: seconds that a cut lasts.
        resets: whether a cut breaks all connections.
    """

    bytes_per_second: float
    delay: float
    loss: float
    cut_every: float
    cut_for: float
    resets: bool = False

    def faster(self, times: float) -> "Shape":
        """The same line in a time that runs faster: as many bytes between two cuts."""
        return replace(
            self,
            bytes_per_second=self.bytes_per_second * times,
            delay=self.delay / times,
            cut_every=self.cut_every / times,
            cut_for=self.cut_for / times,
        )


RURAL = Shape(bytes_per_second=8000, delay=0.8, loss=0.05, cut_every=60, cut_for=5)
"""64 kbit/s, 800 ms each way, 5 % loss, a cut every minute."""


@dataclass
class _Way:
    """One direction."""

    shape: Shape
    random: Random
    taken: asyncio.Lock = field(default_factory=asyncio.Lock)
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    cut_at: float = 0.0
    sent: int = 0

    async def carry(self, size: int) -> float:
        """Put a segment on the line, again while it is lost; when it will arrive unless the line is cut."""
        while True:
            async with self.taken:
                self.sent += size + HEADER_BYTES + HEADER_BYTES // 2
                await asyncio.sleep((size + HEADER_BYTES) / self.shape.bytes_per_second)
            if self.whole.is_set() and self.random.random() >= self.shape.loss:
                return asyncio.get_running_loop().time() + self.shape.delay
            await self._tried_again()

    async def arrive(self, size: int, due: float) -> None:
        """Wait until it has arrived; what a cut caught on its way is sent again."""
        while True:
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            if not due - self.shape.delay <= self.cut_at <= due:
                return
            await self._tried_again()
            due = await self.carry(size)

    async def _tried_again(self) -> None:
        """After a way there and back; after a cut later, for TCP tries ever more rarely."""
        if self.whole.is_set():
            await asyncio.sleep(2 * self.shape.delay)
            return
        await self.whole.wait()
        await asyncio.sleep(self.random.uniform(0, self.shape.cut_for))


class ThinLine:
    """Runs in a thread of its own; `process` is whose connections are shaped, 0: nobody's."""

    def __init__(self, shape: Shape, seed: int) -> None:
        """Nothing listens; `seed` decides what is lost."""
        self._shape = shape
        self._random = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._up = _Way(shape, self._random)
        self._down = _Way(shape, self._random)
        self.process = 0
        self.cuts = 0
        self.connections = 0

    @property
    def sent(self) -> tuple[int, int]:
        """Bytes put on the line so far: from the process, and to it."""
        return self._up.sent, self._down.sent

    @contextmanager
    def running(self) -> Iterator[None]:
        """Work while the context lasts."""
        self._mend()
        thread = threading.Thread(target=self._loop.run_forever, name="thin line", daemon=True)
        thread.start()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def front(self, upstream: int) -> int:
        """Stand before a port; the port where it listens."""
        return asyncio.run_coroutine_threadsafe(self._listen(upstream), self._loop).result()

    @contextmanager
    def cutting(self) -> Iterator[None]:
        """Cut the line as its shape says while the context lasts."""
        future = asyncio.run_coroutine_threadsafe(self._cut(), self._loop)
        try:
            yield
        finally:
            future.cancel()

    async def _listen(self, upstream: int) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self._is_shaped(writer):
                await _join(reader, writer, upstream)
                return
            task = asyncio.ensure_future(self._carry(reader, writer, upstream))
            self._tasks.add(task)
            await asyncio.wait([task])
            self._tasks.discard(task)

        server = await asyncio.start_server(serve, HOST, 0, limit=SEGMENT_BYTES)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        """End everything that this loop has."""
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _is_shaped(self, writer: asyncio.StreamWriter) -> bool:
        try:
            return dialler(writer.get_extra_info("socket"), {_SHAPED: self.process}) == _SHAPED
        except (OSError, ValueError):  # it has gone again
            return False

    async def _cut(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._shape.cut_every - self._shape.cut_for)
                self.cuts += 1
                for way in (self._up, self._down):
                    way.whole.clear()
                    way.cut_at = self._loop.time()
                for task in self._tasks if self._shape.resets else ():
                    task.cancel()
                await asyncio.sleep(self._shape.cut_for)
                self._mend()
        finally:
            self._mend()

    def _mend(self) -> None:
        for way in (self._up, self._down):
            way.whole.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
        """One connection, until an end closes it or the line is cut."""
        with suppress(OSError):
            async with _resetting(writer):
                if self._shape.resets and not self._up.whole.is_set():
                    return
                self.connections += 1
                await self._up.whole.wait()
                await asyncio.sleep(2 * self._shape.delay)
                behind = await asyncio.open_connection(HOST, upstream, limit=SEGMENT_BYTES)
                async with _resetting(behind[1]):
                    ways = [self._pass(reader, behind[1], self._up), self._pass(behind[0], writer, self._down)]
                    await _first(ways)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way) -> None:
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def load() -> None:
            while data := await reader.read(SEGMENT_BYTES):
                arriving.put_nowait((await way.carry(len(data)), data))
            arriving.put_nowait((await way.carry(0), b""))
            await asyncio.Event().wait()

        async def deliver() -> None:
            while True:
                due, data = await arriving.get()
                await way.arrive(len(data), due)
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        await _first([load(), deliver()])


async def _first(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Until one of them ends; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
    """A connection that nothing happens to."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()

    with suppress(OSError):
        async with _resetting(writer):
            behind = await asyncio.open_connection(HOST, upstream)
            async with _resetting(behind[1]):
                await _first([copy(reader, behind[1]), copy(behind[0], writer)])


@asynccontextmanager
async def _resetting(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Both ends see a reset in the end, and nothing of what still lay there."""
    writer.transport.set_write_buffer_limits(high=0)
    try:
        yield
    finally:
        if not writer.transport.is_closing():
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
