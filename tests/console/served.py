"""A console on a socket of this machine; and one with a tracker that takes records when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from exchange.console.desk import Desk
from exchange.console.stream.hub import StoreReader
from exchange.services.http.listening import Address, listening, serve
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.lists import Vector
from tests.console.auth.people import Staff
from tests.console.site import ConsoleSite, console_site
from tests.console.stream.stories import Heard
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill

Made = tuple[Desk, Starlette]
BEFORE = 6
"""Records that the tracker has taken when the console starts."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A console that browsers reach."""

    url: str
    application: Starlette


@asynccontextmanager
async def reached(make: Callable[[str], Made], port: int = 0) -> AsyncIterator[Reached]:
    """Serve until the context is left; then nobody listens at the port any more.

    Args:
        make: what is served at an address.
        port: 0 takes any free one.
    """
    with listening(Address("127.0.0.1", port, table="console")) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        desk, application = make(url)
        work = [
            asyncio.create_task(desk.hub.run()),
            asyncio.create_task(serve(application, listener, None, desk.hub.end)),
        ]
        if desk.checks is not None:
            work.append(asyncio.create_task(desk.checks.run()))
        try:
            yield Reached(url, application)
        finally:
            for task in reversed(work):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@dataclass
class Served:
    """A console on a socket of this machine, with a tracker that takes records when it is told to."""

    site: ConsoleSite
    url: str
    store: Store
    journal: SyntheticJournal
    taken: int = 0

    def take(self, records: int) -> None:
        """The tracker takes some records more."""
        fill(self.store, self.journal.records[self.taken : self.taken + records], batch=1)
        self.taken += records

    def told(self, heard: Heard) -> bool:
        """Whether a client of the stream has got as far as the tracker."""
        return bool(heard.last_id) and Vector.read(heard.last_id) == StoreReader(self.store).reached()

    def headers(self, login: str, last_id: str = "") -> dict[str, str]:
        """What a client sends."""
        sent = {"Authorization": f"Bearer {self.site.tokens[login]}"}
        return sent | ({"Last-Event-ID": last_id} if last_id else {})


@asynccontextmanager
async def serving_console(
    journal: SyntheticJournal,
    store: Store,
    folder: Path,
    staff: Staff | None = None,
    tasks: DeskStore | None = None,
) -> AsyncIterator[Served]:
    """A console that has just started, in the middle of the story; `staff` may sign in, `tasks` are kept there."""
    sites: list[ConsoleSite] = []

    def make(url: str) -> Made:
        """The console of the story."""
        site = console_site(store, journal, folder, url, tasks=tasks)
        sites.append(site if staff is None else site.with_people(staff.people(url)))
        return sites[0].desk, sites[0].application

    async with reached(make) as console:
        made = Served(sites[0], console.url, store, journal)
        made.take(BEFORE)
        yield made
