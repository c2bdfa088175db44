"""The stream of changes over a real socket: as browsers and `exchange letters --watch` have it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from exchange.console.api import streaming
from exchange.console.auth.door import IDLE, Caller
from exchange.console.stream import hub
from exchange.domain.user import Role
from exchange.store.database import Store
from exchange.store.desk import accounts, sessions
from tests.console.auth.people import PASSWORD, Staff
from tests.console.served import Served, serving_console
from tests.console.stream.stories import Heard
from tests.journal.synthetic import SyntheticJournal
from tests.patience import PATIENCE

pytestmark = pytest.mark.server  # of HTTP, on a socket of this machine
STREAM = "/api/v1/stream"


@pytest.fixture
async def served(told: SyntheticJournal, tracked: Store, tmp_path: Path) -> AsyncIterator[Served]:
    """A console that has just started, in the middle of the story."""
    async with serving_console(told, tracked, tmp_path) as made:
        yield made


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams ask about their callers, and give signs of life, many times a second."""
    monkeypatch.setattr(streaming, "ASKS_SECONDS", 0.01)
    monkeypatch.setattr(hub, "BEAT_SECONDS", 0.05)


@asynccontextmanager
async def hearing(served: Served, heard: Heard, login: str = "olga", query: str = "") -> AsyncIterator[None]:
    """A client that goes on from what it heard; cut off when the context ends, whatever is under way."""
    sent = served.headers(login, heard.last_id)

    async def hear() -> None:
        async with (
            httpx.AsyncClient(timeout=PATIENCE) as client,
            client.stream("GET", f"{served.url}{STREAM}{query}", headers=sent) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            async for chunk in answer.aiter_raw():
                heard.feed(chunk)

    before = heard.events.count("open")
    task = asyncio.create_task(hear())
    try:
        await until(lambda: heard.events.count("open") > before or task.done())
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become so."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - other tasks make it so
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("_quick")
async def test_cut_and_resumed(served: Served) -> None:
    """What is heard in pieces, over cut connections, is what is heard in one."""
    whole, pieces = Heard(), Heard()
    async with hearing(served, whole):
        while served.taken < len(served.journal.records):
            async with hearing(served, pieces):
                served.take(2)
                await asyncio.sleep(0.05)
            served.take(1)
        async with hearing(served, pieces):
            await until(lambda: served.told(whole) and served.told(pieces))
    assert len(whole.positions) == len(set(whole.positions)) > 5
    assert sorted(pieces.positions) == sorted(whole.positions)


@pytest.mark.usefixtures("_quick")
async def test_what_changes_no_delivery_is_behind_a_client_too(served: Served) -> None:
    """Else it would be read again at each return: a sign of life tells the place, as the story's last records do."""
    heard = Heard()
    async with hearing(served, heard):
        served.take(len(served.journal.records) - served.taken - 2)
        await until(lambda: served.told(heard))
        told = len(heard.positions)
        served.take(2)
        await until(lambda: served.told(heard))
    assert len(heard.positions) == told


def recipients(heard: Heard) -> set[str]:
    """Whose deliveries a client was told of."""
    return {recipient for _, recipient in heard.positions}


@pytest.mark.usefixtures("_quick")
async def test_filters_and_rights(served: Served) -> None:
    """Each client is told what it asked for, and what is its to see."""
    every, own, other, refused = Heard(), Heard(), Heard(), Heard()
    async with (
        hearing(served, every),
        hearing(served, own, "beta"),
        hearing(served, other, "beta", "?to=alpha"),
        hearing(served, refused, "olga", "?state=refused"),
    ):
        served.take(len(served.journal.records))
        await until(lambda: served.told(every) and recipients(every) == {"alpha", "beta", "gamma", "nobody"})
        await until(lambda: recipients(own) == {"beta"} and recipients(refused) == {"gamma"})
    assert other.positions == []


@pytest.mark.usefixtures("_quick")
async def test_a_place_in_the_address(served: Served) -> None:
    """A page knows how far its list was; the header goes before it."""
    first, second = Heard(), Heard()
    async with hearing(served, first):
        begun = first.last_id
        served.take(3)
        await until(lambda: served.told(first))
    async with hearing(served, second, query=f"?after={begun}"):
        await until(lambda: served.told(second))
    assert second.positions == first.positions != []


async def test_places_that_are_none(served: Served) -> None:
    """400 and no stream."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for last_id in ("nonsense", "0:-1", "0:1;DROP", "1:2," * 2000):
            answer = await client.get(f"{served.url}{STREAM}", headers=served.headers("olga", last_id))
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor-invalid")


async def test_so_many_streams_at_a_time(served: Served) -> None:
    """Of one login; those that were closed do not count."""
    heard = [Heard() for _ in range(30)]
    listeners = [hearing(served, each) for each in heard]
    for each in listeners:
        await each.__aenter__()
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.get(f"{served.url}{STREAM}", headers=served.headers("olga"))
        assert (answer.status_code, answer.json()["code"]) == (429, "api-busy")
        for each in listeners:
            await each.__aexit__(None, None, None)
        late = Heard()
        await until(lambda: "exchange_console_streams 0.0" in metrics(served))
        async with hearing(served, late):
            assert late.events[0] == "open"


async def test_a_stream_ends_by_and_by(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client comes back by itself, and is let in again only if it may be; asked without content it ends at once."""
    monkeypatch.setattr(streaming, "LASTS_SECONDS", 0.0)
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.get(f"{served.url}{STREAM}", headers=served.headers("olga"))
        assert answer.text == "retry: 1000\n\n"
        head = await client.head(f"{served.url}{STREAM}", headers=served.headers("olga"))
    assert head.headers["content-type"].startswith("text/event-stream")


def signed_out(staff: Staff) -> None:
    """Whoever it is ends the sessions elsewhere."""
    with staff.desk.writing() as connection:
        assert sessions.end_all(connection, "beate") == 1


def with_other_rights(staff: Staff) -> None:
    """The account is another body's from now on."""
    with staff.desk.writing() as connection:
        account = accounts.find(connection, "beate")
        assert account is not None
        accounts.refresh(connection, account, replace(account.user, body="gamma"), staff.now)


ENDS: dict[str, Callable[[Staff], None]] = {
    "signed out": signed_out,
    "locked": lambda staff: staff.lock("beate"),
    "with other rights": with_other_rights,
    "not used": lambda staff: staff.wait(IDLE / 2),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.usefixtures("_quick")
async def test_a_stream_ends_with_its_session(
    end: Callable[[Staff], None], staff: Staff, told: SyntheticJournal, tracked: Store, tmp_path: Path
) -> None:
    """However that ends; an open stream is no use of a session."""
    staff.add("beate", Role.BODY_ADMINISTRATOR, body="beta")
    heard = Heard()
    async with serving_console(told, tracked, tmp_path, staff) as served, httpx.AsyncClient(timeout=PATIENCE) as client:
        entered = await staff.door().sign_in("beate", PASSWORD, Caller("192.0.2.1"))
        client.cookies.set(staff.people(served.url).cookies.session, entered.session)
        async with asyncio.timeout(PATIENCE), client.stream("GET", f"{served.url}{STREAM}") as answer:
            chunks = answer.aiter_raw()
            await beats(chunks, heard)
            staff.wait(IDLE / 2)
            await beats(chunks, heard)
            end(staff)
            async for chunk in chunks:
                heard.feed(chunk)


@pytest.mark.usefixtures("_quick")
async def test_a_stream_ends_with_its_token(served: Served, tmp_path: Path) -> None:
    """Whoever withdraws a token withdraws what is open by it."""
    heard, tokens = Heard(), tmp_path / "console-tokens"
    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", f"{served.url}{STREAM}", headers=served.headers("olga")) as answer,
    ):
        chunks = answer.aiter_raw()
        await beats(chunks, heard)
        lines = tokens.read_text(encoding="utf-8").splitlines(keepends=True)
        tokens.write_text("".join(line for line in lines if not line.startswith("olga ")), encoding="utf-8")
        async for chunk in chunks:
            heard.feed(chunk)


@pytest.mark.usefixtures("_quick")
async def test_a_desk_that_is_away_ends_no_stream(
    staff: Staff, told: SyntheticJournal, tracked: Store, tmp_path: Path
) -> None:
    """It says neither that a session goes on nor that it is over."""
    staff.add("aida")
    heard = Heard()
    async with serving_console(told, tracked, tmp_path, staff) as served, httpx.AsyncClient(timeout=PATIENCE) as client:
        entered = await staff.door().sign_in("aida", PASSWORD, Caller("192.0.2.1"))
        client.cookies.set(staff.people(served.url).cookies.session, entered.session)
        async with asyncio.timeout(PATIENCE), client.stream("GET", f"{served.url}{STREAM}") as answer:
            chunks = answer.aiter_raw()
            await beats(chunks, heard)
            staff.desk.drop()
            await beats(chunks, heard)
            await beats(chunks, heard)


async def beats(chunks: AsyncIterator[bytes], heard: Heard) -> None:
    """Hear two signs of life more: the caller was asked about meanwhile."""
    before = heard.events.count("beat")
    while heard.events.count("beat") < before + 2:
        heard.feed(await anext(chunks))


async def test_who_leaves_is_let_go(served: Served) -> None:
    """At once, without anything having happened."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        lines = [f"GET {STREAM} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in served.headers("olga").items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        await until(lambda: "exchange_console_streams 1.0" in metrics(served))
    await until(lambda: "exchange_console_streams 0.0" in metrics(served))


async def test_the_end_of_the_process_ends_streams(served: Served) -> None:
    """Clients see an end, not a broken connection."""
    heard = Heard()
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", f"{served.url}{STREAM}", headers=served.headers("olga")) as answer,
    ):
        async for chunk in answer.aiter_raw():
            heard.feed(chunk)
            if "open" in heard.events:
                served.site.desk.hub.end()
    assert {*heard.events} - {"beat"} == {"open"}


def metrics(served: Served) -> str:
    """What the console counts."""
    samples = (sample for metric in served.site.registry.collect() for sample in metric.samples)
    return "\n".join(f"{sample.name} {sample.value}" for sample in samples)
