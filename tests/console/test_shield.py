"""What every request goes through, whatever it asks for."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exchange.console import shield
from exchange.console.desk import Site
from exchange.domain.errors import ExchangeError
from tests.console.site import OPERATOR, ConsoleSite, elsewhere


async def answering(_: Request) -> Response:
    """Nothing special."""
    return PlainTextResponse("fine")


async def failing(_: Request) -> Response:
    """A bug, whose text quotes a letter."""
    message = "Dear minister"
    raise RuntimeError(message)


async def refusing(_: Request) -> Response:
    """Something that may pass."""
    message = "the database is away: wait"
    raise ExchangeError(message, code="store-unavailable", retriable=True)


async def dawdling(_: Request) -> Response:
    """Takes its time."""
    await asyncio.sleep(10)
    return PlainTextResponse("late")


async def taking(request: Request) -> Response:
    """Reads all that is sent."""
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def shielded(site: ConsoleSite) -> ConsoleSite:
    """A console with a few routes more."""
    for name in (answering, failing, refusing, dawdling):
        site.with_route(Route(f"/{name.__name__}", name))
    site.with_route(Route("/taking", taking, methods=["POST"]))
    return site


async def test_every_answer_is_guarded(shielded: ConsoleSite) -> None:
    """Nothing from elsewhere, in nobody's frame, kept by nobody, with an id; whether it went well or not."""
    async with shielded.client(OPERATOR) as client:
        for path in ("/answering", "/failing", "/nothing"):
            headers = (await client.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'self'; ")
            assert "unsafe" not in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
            assert headers["strict-transport-security"].startswith("max-age=")
            assert headers["x-request-id"].startswith("request-")


async def test_without_tls_nothing_is_said_of_it(shielded: ConsoleSite) -> None:
    """A browser would never come back to http://127.0.0.1."""
    plain = elsewhere(shielded, "http://127.0.0.1:9180")
    async with plain.client(OPERATOR) as client:
        client.base_url = "http://127.0.0.1:9180"
        assert "strict-transport-security" not in (await client.get("/nothing")).headers


async def test_programs_get_problems_and_people_pages(shielded: ConsoleSite) -> None:
    """By what they ask for; below /api/ always a problem."""
    async with shielded.client(OPERATOR) as client:
        problem = await client.get("/nothing")
        page = await client.get("/nothing", headers={"Accept": "text/html,*/*;q=0.1"})
        below = await client.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert problem.headers["content-type"] == below.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "console-page-unknown"
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/")


async def test_a_bug_gives_nothing_away(shielded: ConsoleSite, caplog: pytest.LogCaptureFixture) -> None:
    """Neither answer, page nor log have its words; all have the id."""
    async with shielded.client(OPERATOR) as client:
        answer = await client.get("/failing")
        page = await client.get("/failing", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    told = answer.json()
    assert told["code"] == "console-failed"
    assert answer.headers["x-request-id"] in told["detail"]
    assert page.headers["x-request-id"] in page.text
    assert "minister" not in answer.text + page.text + caplog.text
    assert "RuntimeError in failing" in caplog.text


async def test_what_may_pass_says_so(shielded: ConsoleSite) -> None:
    """503 with a time after which to ask again."""
    async with shielded.client(OPERATOR) as client:
        answer = await client.get("/refusing")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_slow_answers_are_cut(shielded: ConsoleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """504, and the work is given up."""
    monkeypatch.setattr(shield, "REQUEST_SECONDS", 0.02)
    async with shielded.client(OPERATOR) as client:
        answer = await client.get("/dawdling")
    assert (answer.status_code, answer.json()["code"]) == (504, "console-too-slow")


async def test_other_hosts_are_refused(shielded: ConsoleSite) -> None:
    """Links of ours never lead where a stranger's Host header says."""
    async with shielded.client(OPERATOR) as client:
        answers = [await client.get("/answering", headers={"Host": host}) for host in ("evil.example", "")]
        port = await client.get("/answering", headers={"Host": "CONSOLE.example"})
    assert [answer.json()["code"] for answer in answers] == ["host-unknown"] * 2
    assert port.status_code == 200


async def test_oversized_requests(shielded: ConsoleSite) -> None:
    """Long queries, large contents: whether their length is said or not."""

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 100_000

    async with shielded.client(OPERATOR) as client:
        long = await client.get("/answering?" + "a" * shield.QUERY_BYTES + "=1")
        large = await client.post("/taking", content=b"x" * (shield.CONTENT_BYTES + 1))
        unsaid = await client.post("/taking", content=drops())
        fits = await client.post("/taking", content=b"x" * shield.CONTENT_BYTES)
    assert (long.status_code, long.json()["code"]) == (414, "query-too-long")
    assert {(each.status_code, each.json()["code"]) for each in (large, unsaid)} == {(413, "console-too-large")}
    assert fits.text == str(shield.CONTENT_BYTES)


async def test_requests_are_counted_by_area(shielded: ConsoleSite) -> None:
    """A stranger's path makes no label of its own."""
    async with shielded.client(OPERATOR) as client:
        for path in ("/answering", "/any/thing", "/api/any"):
            await client.get(path)
    found = {
        (sample.labels["area"], sample.labels["status"]): sample.value
        for metric in shielded.registry.collect()
        for sample in metric.samples
        if sample.name == "exchange_console_requests_total"
    }
    assert found == {("pages", "200"): 1, ("pages", "404"): 1, ("api", "404"): 1}


async def test_headers_cannot_be_injected(shielded: ConsoleSite) -> None:
    """What a request says comes back in no header, and only as JSON in the content."""
    async with shielded.client(OPERATOR) as client:
        answer = await client.get("/api/%0d%0aSet-Cookie:%20a=b", headers={"X-Request-Id": "mine"})
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-request-id"] != "mine"
    assert json.loads(answer.text)["status"] == 404


@pytest.mark.parametrize(
    ("url", "host", "is_secure"),
    [
        ("https://Console.example", "console.example", True),
        ("https://console.example:443", "console.example", True),
        ("https://console.example:8443", "console.example:8443", True),
        ("http://127.0.0.1:80", "127.0.0.1", False),
        ("http://[::1]:9180", "[::1]:9180", False),
    ],
)
def test_the_site(url: str, host: str, *, is_secure: bool) -> None:
    """Host and scheme of the address that browsers use."""
    assert (Site(url).host, Site(url).is_secure) == (host, is_secure)
