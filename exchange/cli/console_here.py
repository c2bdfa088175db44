"""The console's API in this process, for commands on a machine that has the tracker's database.

The same questions and the same answers as over HTTP: the same application asks the database, in the name of whoever
may read it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from exchange import system
from exchange.cli.console_api import ConsoleApi, asking
from exchange.console.app import create_api
from exchange.console.auth.visitor import NOBODY, Visitor
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import Hub, StoreReader
from exchange.domain.user import Role, User
from exchange.security.token_file import new_token
from exchange.services.http.listening import Address, listening, serve
from exchange.services.tasks.office import TaskOffice
from exchange.settings import OperatorSettings
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.wiring.directory import latest_directory
from exchange.wiring.standing import standing_in

MACHINE = User("this machine", "this machine", frozenset({Role.OPERATOR, Role.AUDITOR}))
"""Who reads the database has every right to read already."""


@asynccontextmanager
async def local_api(settings: OperatorSettings, *, follows: bool) -> AsyncIterator[ConsoleApi]:
    """One in this process.

    Args:
        settings: the operator's.
        follows: whether `events` will be asked for.

    Raises:
        StoreError: `store-url-invalid`.
    """
    with Store(settings.store) as store, DeskStore(settings.desk) as own:
        desk = _desk(settings, store, own)
        async with _served(desk) if follows else _in_process(desk) as client:
            yield ConsoleApi(client)


@dataclass(frozen=True, slots=True)
class _OwnDesk:
    """A console of this process, and the token that it knows."""

    desk: Desk
    registry: CollectorRegistry
    token: str


def _desk(settings: OperatorSettings, store: Store, own: DeskStore) -> _OwnDesk:
    token, registry = new_token("", system.random_bytes), CollectorRegistry()
    desk = Desk(
        store=store,
        directory=lambda: latest_directory(settings.directory),
        now=system.now,
        new_id=system.random_id,
        identify=lambda request: _identified(request, token),
        site=Site("http://127.0.0.1"),
        hub=Hub(StoreReader(store), system.now, registry),
        tasks=TaskOffice(own, store, system.now),  # what it lets run, the console's process does
        standing=standing_in(settings.log),
    )
    return _OwnDesk(desk, registry, token)


@asynccontextmanager
async def _in_process(own: _OwnDesk) -> AsyncIterator[httpx.AsyncClient]:
    """Asks an application of this process."""
    transport = httpx.ASGITransport(create_api(own.desk, own.registry))
    async with asking(own.desk.site.url, own.token, transport=transport) as client:
        yield client


@asynccontextmanager
async def _served(own: _OwnDesk) -> AsyncIterator[httpx.AsyncClient]:
    """Asks it over a socket of this machine: a stream does not go in one piece."""
    with listening(Address("127.0.0.1", 0, table="console")) as listener:
        desk = replace(own.desk, site=Site(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        serving = serve(create_api(desk, own.registry), listener, None, desk.hub.end)
        work = [asyncio.create_task(desk.hub.run()), asyncio.create_task(serving)]
        try:
            async with asking(desk.site.url, own.token) as client:
                yield client
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


async def _identified(request: Request, token: str) -> Visitor:
    return Visitor(MACHINE) if request.headers.get("authorization") == f"Bearer {token}" else NOBODY
