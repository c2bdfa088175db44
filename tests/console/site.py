"""A console over a small story, asked without a socket."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from exchange.console.app import create_app
from exchange.console.auth.entrance import machines
from exchange.console.auth.people import People
from exchange.console.auth.tokens import ConsoleTokens, make_console_token, user_of
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import Hub, StoreReader
from exchange.domain.user import Role
from exchange.services.tasks.office import TaskOffice
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from tests.journal.synthetic import SyntheticJournal
from tests.world import NOW

URL = "https://console.example"
OPERATOR = "olga"
AUDITOR = "aida"


@dataclass
class ConsoleSite:
    """A console, its journal, and a token for everybody.

    Attributes:
        tokens: `olga` is operator, `aida` auditor; each body's code is the login of its administrator.
    """

    desk: Desk
    registry: CollectorRegistry
    application: Starlette
    tokens: dict[str, str]

    @asynccontextmanager
    async def client(self, login: str = "", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """Asks as somebody; as nobody by default."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if login:
            sent["Authorization"] = f"Bearer {self.tokens[login]}"
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=sent) as client:
            yield client

    def with_people(self, people: People) -> "ConsoleSite":
        """The same console, where people sign in."""
        registry = CollectorRegistry()
        desk = replace(self.desk, people=people)
        return ConsoleSite(desk, registry, create_app(desk, registry), self.tokens)

    def with_route(self, route: BaseRoute) -> None:
        """One more route, before all others."""
        self.application.router.routes.insert(0, route)


def console_site(
    store: Store, journal: SyntheticJournal, folder: Path, url: str = URL, *, tasks: DeskStore | None = None
) -> ConsoleSite:
    """A console over a filled store; `tasks` is where it keeps tasks, None for a console without any."""
    tokens = ConsoleTokens(folder / "console-tokens")
    made = dict(_made(tokens, journal.world.bodies))
    registry = CollectorRegistry()
    desk = Desk(
        store=store,
        directory=lambda: journal.world.directory,
        now=lambda: journal.now,
        new_id=iter_ids().__next__,
        identify=machines(tokens),
        site=Site(url),
        hub=Hub(StoreReader(store), lambda: journal.now, registry),
        tasks=None if tasks is None else TaskOffice(tasks, store, lambda: journal.now),
    )
    return ConsoleSite(desk, registry, create_app(desk, registry), made)


def elsewhere(site: ConsoleSite, url: str) -> ConsoleSite:
    """The same console, reached otherwise."""
    registry = CollectorRegistry()
    desk = replace(site.desk, site=Site(url))
    return ConsoleSite(desk, registry, create_app(desk, registry), site.tokens)


def iter_ids() -> Iterator[str]:
    """Ids that tests can foretell."""
    number = 0
    while True:
        number += 1
        yield f"request-{number}"


def _made(tokens: ConsoleTokens, bodies: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    random = Random(11)
    people = [(OPERATOR, Role.OPERATOR, ""), (AUDITOR, Role.AUDITOR, "")]
    for login, role, body in [*people, *((code, Role.BODY_ADMINISTRATOR, code) for code in bodies)]:
        token, grant = make_console_token(
            user_of(login, frozenset({role}), body), NOW.date(), "tests", random.randbytes
        )
        tokens.add(grant)
        yield login, token
