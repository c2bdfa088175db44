"""A console over the seeded database in which everybody is the same person."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request

from exchange.console.app import create_app
from exchange.console.auth.acts import Act
from exchange.console.auth.visitor import Visitor
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import Hub, StoreReader
from exchange.domain.user import Role, User
from exchange.services.tasks.office import TaskOffice
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from tests.console.seed import NOW, seeded_directory
from tests.console.seeded_checks import seeded_checks

URL = "http://console.example"
OPERATOR = User("aigul", "Айгүл Токтогулова", frozenset({Role.OPERATOR}))
AUDITOR = User("bakyt", "Бакыт Осмонов", frozenset({Role.AUDITOR}))
ADMINISTRATOR = User("cholpon", "Чолпон Асанова", frozenset({Role.BODY_ADMINISTRATOR}), "minjust")
EVERYTHING = User("talant", "Талант Эшимбеков", frozenset({Role.OPERATOR, Role.AUDITOR}))


@dataclass
class KeptActs:
    """Keeps acts in memory."""

    kept: list[Act] = field(default_factory=list)

    async def record(self, act: Act) -> None:
        """Keep one."""
        self.kept.append(act)


def client(
    store: Store, user: User | None = OPERATOR, language: str = "en", tasks: DeskStore | None = None
) -> httpx.AsyncClient:
    """A browser in which `user` is signed in."""
    headers = {"Accept": "text/html", "Accept-Language": language}
    transport = httpx.ASGITransport(seeded_console(store, user, tasks=tasks))
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)


def seeded_desk(store: Store, user: User | None = OPERATOR, url: str = URL, *, tasks: DeskStore | None = None) -> Desk:
    """What a console answers with; it is always the same moment.

    Args:
        store: the tracker's, seeded.
        user: who everybody is.
        url: how browsers reach it.
        tasks: where tasks are kept, and what people wrote down; None: this console has neither.
    """
    directory = seeded_directory()

    async def identify(_: Request) -> Visitor:
        return Visitor(user, csrf="the-token")

    return Desk(
        store=store,
        directory=lambda: directory,
        now=lambda: NOW,
        new_id=_ids().__next__,
        identify=identify,
        site=Site(url),
        acts=KeptActs(),
        hub=Hub(StoreReader(store), lambda: NOW, CollectorRegistry()),
        tasks=None if tasks is None else TaskOffice(tasks, store, lambda: NOW),
        checks=seeded_checks(NOW),
        own=tasks,
    )


def seeded_console(
    store: Store, user: User | None = OPERATOR, url: str = URL, *, tasks: DeskStore | None = None
) -> Starlette:
    """The application."""
    return create_app(seeded_desk(store, user, url, tasks=tasks), CollectorRegistry())


def _ids() -> Iterator[str]:
    return (f"request-{number}" for number in count(1))
