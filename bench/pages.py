"""How long the console's pages take at ten million deliveries: the database, the real application, no browser.

Each address is asked again and again by an operator, an auditor and the administrators of the largest body and of a
small one; filters that leave few rows, and pages in the middle of a list, among them. Beside each page's time stands
what of it the database's answers took. The database is the one of `bench.deliveries`.
"""

import gc
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from itertools import count, product
from pathlib import Path
from random import Random
from typing import Any

import httpx
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from bench.deliveries import PARTITIONS, country, filled
from bench.report import Figure, report
from bench.weeks import NOW, WEEK
from exchange import system
from exchange.console.app import create_app
from exchange.console.auth.visitor import Visitor
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import MOST_CHANGES, POLL_SECONDS, Hub, StoreReader
from exchange.domain.directory import Body, CertificateUse, Directory, ListedCertificate
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.user import Role, User
from exchange.store.database import Store
from exchange.store.lists import Cursor, Order, Vector
from exchange.store.rows import micros
from exchange.store.schema import facts, letters

ASKED = 40
GOAL_SECONDS = 0.05
SAMPLES = 40
SMALL = 600
"""The rank of the body that is called small."""

_URL = "https://console.example"
_ROLE = "x-role"
_ANSWERED = {HTTPStatus.OK, HTTPStatus.SEE_OTHER, HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}
"""Some roles may not see what others may."""
_FILTERS = (
    "state=failing",
    "state=waiting",
    "state=registered",
    "state=accepted",
    "state=refused&kind=REPLY",
    "next=operator",
    "stage=register",
    "stage=reply",
    "late=yes",
    "late=now",
    "late=no",
    "kind=REPLY",
    "urgency=IMMEDIATE",
    "age=1d",
    "age=%3E300d",
    "state=failing&moved=7d",
    "state=in-work&age=%3E100d",
    "reason=hand-over-failed",
    "order=longest-waiting",
    "order=longest-waiting&stage=reply",
    "from={large}",
    "to={large}",
    "from={large}&state=registered",
    "to={small}&state=registered&urgency=IMMEDIATE",
    "from={small}&to={large}",
    "to={large}&state=refused&late=yes",
    "to={small}&kind=ADDITION&urgency=IMMEDIATE",
    "state=hand-over-failed&reason=hand-over-failed&from={large}&to={small}&moved=7d",
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one request took, in seconds.

    Attributes:
        whole: until the answer was there.
        database: of it, until the database had answered.
        cpu: of this process and of those that the database answered in.
    """

    whole: float
    database: float
    cpu: float


async def run() -> None:
    """Ask for everything."""
    with filled() as url, Store(url) as store:
        bodies = {body.code: body for body in _certified(country())}
        codes = list(bodies)
        users = _users(large=codes[0], small=codes[SMALL])
        addresses = _addresses(store, large=codes[0], small=codes[SMALL])
        app = create_app(_desk(store, bodies, users), CollectorRegistry())
        gc.freeze()  # as every process does when it begins its work
        worst: dict[str, float] = {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=_URL, timeout=600) as client:
            for role, name in product(users, addresses):
                spent = await _asked(client, store, role, addresses[name])
                worst[name] = max(worst.get(name, 0.0), _report(f"pages.{role}.{name}", spent))
        worst["stream"] = _report("pages.stream", _polled(store))
    slow = [name for name, seconds in worst.items() if seconds >= GOAL_SECONDS]
    report(Figure("pages.in-time", len(worst) - len(slow), "pages", 1 - len(slow) / len(worst), "all pages"))


async def _asked(client: httpx.AsyncClient, store: Store, role: str, variants: Sequence[str]) -> list[Spent]:
    """The first round is not measured: it fills caches, as the first visitor of a morning does."""
    found = []
    with watched(store) as clock:
        for number in range(len(variants) + max(ASKED, len(variants))):
            address = variants[number % len(variants)]
            begun = clock.now()
            answer = await client.get(address, headers={_ROLE: role, "accept": "text/html"})
            found.append(clock.since(begun))
            if answer.status_code not in _ANSWERED:
                message = f"{role} asked {address}: {answer.status_code} {answer.text[:300]}"
                raise RuntimeError(message)
    return found[len(variants) :]


def _polled(store: Store) -> list[Spent]:
    """The stream's question, at five hundred facts a second."""
    found, reader = [], StoreReader(store)
    end = reader.reached()
    facts_behind = round(500 * POLL_SECONDS)
    behind = Vector({each: offset - 2 * facts_behind // PARTITIONS for each, offset in end.offsets.items()})
    with watched(store) as clock:
        for _ in range(ASKED):
            begun = clock.now()
            reader.changes(behind, MOST_CHANGES)
            found.append(clock.since(begun))
    return found


class Clock:
    """What was spent so far; the database's processes are those that its connections answered from."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.database = 0.0
        self.processes: dict[int, float] = {}

    def now(self) -> Spent:
        """Up to now."""
        own = sum(_cpu_of(process) - before for process, before in self.processes.items())
        return Spent(time.perf_counter(), self.database, time.process_time() + own)

    def since(self, before: Spent) -> Spent:
        """Since then."""
        now = self.now()
        return Spent(now.whole - before.whole, now.database - before.database, now.cpu - before.cpu)


@contextmanager
def watched(store: Store) -> Iterator[Clock]:
    """Watch what a store's questions cost."""
    clock, begun = Clock(), [0.0]

    def before(connection: sa.Connection, *_: Any) -> None:
        driver: Any = connection.connection.driver_connection
        process = driver.info.backend_pid
        clock.processes.setdefault(process, _cpu_of(process))
        begun[0] = time.perf_counter()

    def after(*_: Any) -> None:
        clock.database += time.perf_counter() - begun[0]

    listeners = {"before_cursor_execute": before, "after_cursor_execute": after}
    for name, listener in listeners.items():
        sa.event.listen(store._engine, name, listener)
    try:
        yield clock
    finally:
        for name, listener in listeners.items():
            sa.event.remove(store._engine, name, listener)


def _cpu_of(process: int) -> float:
    """Seconds on a processor, by the kernel's own count; a connection's process that ended counts no more."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        return 0.0


def _addresses(store: Store, **codes: str) -> Mapping[str, Sequence[str]]:
    """By name of the page what is asked for in turn."""
    large, small = codes["large"], codes["small"]
    found, several = _some_letters(store)
    deep = Cursor(Order.YOUNGEST, micros(NOW - 50 * WEEK), 0)
    waiting = Cursor(Order.LONGEST_WAITING, micros(NOW - timedelta(days=20)), 0)
    texts = [text for row in found[:10] for text in (row.message_id, row.document_id, row.reg_number)]
    pages = {
        "now": ["/"],
        "letters": ["/letters"],
        **{f"letters?{filters}": [f"/letters?{filters.format(**codes)}"] for filters in _FILTERS},
        "letters, deep": [f"/letters?after={deep}", f"/letters?after={deep}&state=registered"],
        "letters, deep, waiting": [f"/letters?order=longest-waiting&after={waiting}"],
        "letters?to={large}, deep": [f"/letters?to={large}&after={deep}", f"/letters?from={large}&after={deep}"],
        "letters?q=": [f"/letters?q={text}" for text in texts],
        "letter": [f"/letters/{row.digest.hex()}" for row in found],
        "letter to many": [f"/letters/{row.digest.hex()}" for row in several],
        "search": [f"/search?q={text}" for text in [*texts, "no-such", *(row.digest.hex()[:8] for row in found[:9])]],
        **{f"failures {age}": [f"/failures?age={age}"] for age in ("1d", "7d", "30d", "365d")},
        **{f"routes {age}": [f"/routes?age={age}"] for age in ("1d", "7d", "30d")},
        "report": ["/report", "/report?month=2026-10", "/report?month=2026-02&kind=REPLY"],
        "report of a body": [f"/report?body={code}" for code in (large, small)],
        "bodies": ["/bodies", "/bodies?silent=yes", "/bodies?q=салык", f"/bodies?after={small}"],
        "body": [f"/bodies/{large}", f"/bodies/{small}"],
    }
    asked = {
        "letters": [
            "letters",
            "letters?limit=500",
            "letters?state=failing&count=true",
            f"letters?to={large}&count=true",
        ],
        "letter": [f"letters/{row.digest.hex()}" for row in found],
        "overview": [f"overview?from={small}", f"overview?from={large}"],
        "find": [f"find?q={text}" for text in texts],
        "now": ["now"],
        "failures": ["failures", "failures?days=30"],
        "routes": ["routes", "routes?days=1", "routes?days=30"],
        "report": ["report"],
        "bodies": ["bodies"],
        "body": [f"bodies/{code}" for code in (large, small)],
    }
    pages |= {f"api {name}": [f"/api/v1/{each}" for each in paths] for name, paths in asked.items()}
    return {name: paths for name, paths in pages.items() if paths}


def _some_letters(store: Store) -> tuple[Sequence[Any], Sequence[Any]]:
    """Letters from all of the time, and some to many."""
    columns = (letters.c.digest, letters.c.message_id, letters.c.document_id, letters.c.reg_number, letters.c.place)
    random = Random(11)
    with store.reading() as connection:
        found = [
            connection.execute(
                sa.select(*columns)
                .where(letters.c.journalled >= micros(NOW - random.random() * 103 * WEEK))
                .order_by(letters.c.journalled)
                .limit(1)
            ).one()
            for _ in range(SAMPLES)
        ]
        several = connection.execute(
            sa.select(*columns)
            .join(facts, facts.c.letter == letters.c.place)
            .where(letters.c.journalled >= micros(NOW - timedelta(days=1)))
            .group_by(*columns)
            .having(sa.func.count() > SAMPLES)
            .limit(5)
        ).all()
    return found, several


def _desk(store: Store, bodies: Mapping[str, Body], users: Mapping[str, User]) -> Desk:
    numbers = count()

    async def identify(request: Request) -> Visitor:
        """In the role that the request names; somebody else each time, whom no limit of requests concerns."""
        user = users[request.headers[_ROLE]]
        return Visitor(replace(user, login=f"{user.login}-{next(numbers)}"))

    directory = Directory(ZERO_DIGEST, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 8, PARTITIONS, (), bodies)
    return Desk(
        store=store,
        directory=lambda: directory,
        now=lambda: NOW,
        new_id=system.random_id,
        identify=identify,
        site=Site(_URL),
        hub=Hub(StoreReader(store), lambda: NOW, CollectorRegistry()),
    )


def _users(large: str, small: str) -> Mapping[str, User]:
    return {
        "operator": User("operator", "", frozenset({Role.OPERATOR})),
        "auditor": User("auditor", "", frozenset({Role.AUDITOR})),
        "largest": User("largest", "", frozenset({Role.BODY_ADMINISTRATOR}), large),
        "small": User("small", "", frozenset({Role.BODY_ADMINISTRATOR}), small),
    }


def _certified(bodies: Sequence[Body]) -> Iterator[Body]:
    """With the certificates that pages tell of; one key for all, nothing is signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    for body in bodies:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, body.code)])
        built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        dated = built.not_valid_before(NOW - 40 * WEEK).not_valid_after(NOW + 12 * WEEK)
        certificates = (
            ListedCertificate(dated.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), use)
            for use in (CertificateUse.STATEMENT, CertificateUse.TRANSPORT)
        )
        yield replace(body, certificates=tuple(certificates))


def _report(name: str, spent: Sequence[Spent]) -> float:
    """The time of the slowest but one in twenty."""
    for share, word in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        whole, database = _of(spent, "whole", share), _of(spent, "database", share)
        report(Figure(f"{name}.{word}", whole * 1000, "ms", database / whole, "of it the database's answers"))
        report(Figure(f"{name}.cpu.{word}", _of(spent, "cpu", share) * 1000, "ms of processors"))
    return _of(spent, "whole", 0.95)


def _of(spent: Sequence[Spent], what: str, share: float) -> float:
    values = sorted(getattr(one, what) for one in spent)
    return float(values[math.ceil(share * len(values)) - 1])
