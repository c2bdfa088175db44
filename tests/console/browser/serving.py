"""A console on a socket of this machine, for a browser: people sign in there, and news are told."""

import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from exchange.console.app import create_app
from exchange.console.auth.visitor import NOBODY, Visitor
from exchange.domain.user import Role
from exchange.store.database import Store
from tests.console.auth.people import Staff
from tests.console.seed import NOW
from tests.console.seeded import seeded_desk
from tests.console.served import Made, Reached, reached
from tests.console.written import SameForAll

EVERYTHING, OPERATOR, ADMINISTRATOR, AUDITOR = "talant", "aigul", "cholpon", "bakyt"
BODY = "minjust"


def people_of(staff: Staff) -> Staff:
    """Somebody who may everything, an operator, an auditor, and a body's administrator."""
    staff.now = NOW
    staff.add(EVERYTHING, *Role, body=BODY)
    staff.add(OPERATOR, Role.OPERATOR)
    staff.add(AUDITOR, Role.AUDITOR)
    staff.add(ADMINISTRATOR, Role.BODY_ADMINISTRATOR, body=BODY)
    return staff


def serving(store: Store, staff: Staff, port: int = 0, through: str = "") -> AbstractAsyncContextManager[Reached]:
    """Serve until the context is left.

    Args:
        store: the tracker's, seeded.
        staff: who may sign in, and the desk with their tasks.
        port: 0 takes any free one.
        through: the address by which browsers come, when it is not the console's own.
    """

    def make(url: str) -> Made:
        """The console of the seeded letters."""
        site = through or url
        desk = seeded_desk(store, None, site, tasks=staff.desk)
        people = staff.people(site)
        desk = replace(desk, identify=no_program, people=people, acts=staff.acts, contents=SameForAll())
        return desk, create_app(desk, CollectorRegistry())

    return reached(make, port)


def copied(store: Store, file: Path) -> Path:
    """The same database in a file of its own, to be written to."""
    with store.reading(10) as connection, closing(sqlite3.connect(file)) as copy:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        source.backup(copy)
    return file


async def no_program(_: Request) -> Visitor:
    """Only people come, with their browsers."""
    return NOBODY
