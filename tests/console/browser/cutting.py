"""A wire between a browser and a console, of which single connections are cut as a network would."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 64 * 1024


@dataclass
class Wire:
    """Lets everything through to `port`; `cut` ends what goes to an address, and new connections come through again.

    Attributes:
        url: by which browsers come.
        port: of the console.
    """

    url: str
    port: int = 0
    _last: dict[asyncio.StreamWriter, bytes] = field(default_factory=dict)

    def cut(self, path: str) -> int:
        """Reset the connections whose last request was for a path; how many there were."""
        found = [writer for writer, said in self._last.items() if f" {path}".encode() in said.partition(b"\r\n")[0]]
        for writer in found:
            writer.transport.abort()
        return len(found)

    async def through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a browser, until either side ends it."""
        self._last[writer] = b""
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        ways = {
            asyncio.create_task(self._carry(reader, back, writer)),
            asyncio.create_task(self._carry(there, writer, None)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._last[writer]
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (back, writer):
                end.close()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, said_by: asyncio.StreamWriter | None
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(_CHUNK):
                if said_by is not None:
                    self._last[said_by] = chunk
                sink.write(chunk)
                await sink.drain()


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """A wire that leads nowhere yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
        async with await asyncio.start_server(made.through, sock=listener):
            yield made
