"""What the bench of the stream measures, each in a process of its own: the console, and a bare writer of bytes.

`python -m bench.stream_served console URL` and `python -m bench.stream_served bare BYTES` print their port.
"""

import asyncio
import sys
import time

import uvloop
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from bench.crypto import NOW
from exchange import system
from exchange.console.app import create_api
from exchange.console.auth.visitor import Visitor
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import POLL_SECONDS, Hub, StoreReader
from exchange.domain.directory import Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.user import Role, User
from exchange.services.http.listening import Address, listening, serve
from exchange.store.database import Store

CONNECTIONS = 1024


async def console(url: str) -> None:
    """The console over a database, in which everybody is somebody else."""
    registry, callers = CollectorRegistry(), iter(range(1_000_000))

    async def identify(_: Request) -> Visitor:
        """Somebody new."""
        login = f"caller-{next(callers)}"
        return Visitor(User(login, login, frozenset({Role.OPERATOR})))

    with Store(url) as store, listening(Address("127.0.0.1", 0, table="console")) as listener:
        port = listener.getsockname()[1]
        hub = Hub(StoreReader(store), system.now, registry)
        desk = Desk(
            store=store,
            directory=lambda: Directory(ZERO_DIGEST, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 1, 1, (), {}),
            now=system.now,
            new_id=system.random_id,
            identify=identify,
            site=Site(f"http://127.0.0.1:{port}"),
            hub=hub,
        )
        print(port, flush=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(hub.run())
            group.create_task(serve(create_api(desk, registry), listener, None, hub.end, CONNECTIONS))


async def bare(size: int) -> None:
    """As many bytes to everybody, in the same rhythm; each message begins with the time."""
    writers: list[asyncio.StreamWriter] = []

    async def come(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One more to be written to."""
        writers.append(writer)

    server = await asyncio.start_server(come, "127.0.0.1", 0, backlog=CONNECTIONS)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        while True:
            message = f"id: 0:{time.monotonic_ns()}\n".encode().ljust(size, b".") + b"\n\n"
            for writer in writers:
                writer.write(message)
            await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    uvloop.run(console(sys.argv[2]) if sys.argv[1] == "console" else bare(int(sys.argv[2])))
