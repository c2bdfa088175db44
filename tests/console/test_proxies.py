"""Whose address counts: the caller's behind proxies of ours, and of everybody else the one that he comes from."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from exchange.console.proxies import behind

OURS = ("10.1.2.3", "10.9.0.0/16", "::1")


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the caller's address."""
    client = Request(scope).client
    await PlainTextResponse("" if client is None else client.host)(scope, receive, send)


async def seen(peer: str, *forwarded: str, proxies: tuple[str, ...] = OURS) -> str:
    """The address of a request that comes from `peer` with these headers."""
    transport = httpx.ASGITransport(behind(proxies, who), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        return (await client.get("/", headers=[("X-Forwarded-For", each) for each in forwarded])).text


@pytest.mark.parametrize("peer", ["10.1.2.3", "10.9.8.7", "::1"])
async def test_a_proxy_of_ours_says_whose_request_it_is(peer: str) -> None:
    """By address and by network."""
    assert await seen(peer, "203.0.113.7") == "203.0.113.7"
    assert await seen(peer, "203.0.113.7:51234") == "203.0.113.7"
    assert await seen(peer) == peer


@pytest.mark.parametrize("forwarded", [["1.1.1.1, 203.0.113.7"], ["1.1.1.1", "203.0.113.7"], ["10.1.2.3, 203.0.113.7"]])
async def test_a_caller_does_not_choose_an_address(forwarded: list[str]) -> None:
    """A header that was there when the proxy got the request stands before what it adds, and does not count."""
    assert await seen("10.1.2.3", *forwarded) == "203.0.113.7"


async def test_two_proxies_of_ours() -> None:
    """The caller is who came to the first of them."""
    assert await seen("10.1.2.3", "1.1.1.1, 203.0.113.7, 10.9.8.7") == "203.0.113.7"


@pytest.mark.parametrize("peer", ["10.1.2.4", "203.0.113.9", "::2"])
async def test_nobody_else_is_believed(peer: str) -> None:
    """Whoever reaches the console past the proxies is counted by his own address."""
    assert await seen(peer, "203.0.113.7") == peer


async def test_without_proxies_no_header_is_read() -> None:
    """As it is when nothing is set."""
    assert await seen("127.0.0.1", "203.0.113.7", proxies=()) == "127.0.0.1"
