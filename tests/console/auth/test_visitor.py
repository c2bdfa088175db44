"""Who is asking, and what each role may."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.visitor import NOBODY, Visitor, enter, require, visitor_of
from exchange.domain.user import RIGHTS, Right, Role, User


def requests() -> Iterator[tuple[Role, Request]]:
    """A request of each role."""
    for role in Role:
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
        enter(request, Visitor(User("aida", "Aida", frozenset({role}), "mfa"), csrf="token"))
        yield role, request


@pytest.mark.parametrize("right", [None, *Right])
async def test_the_table_of_roles(right: Right | None) -> None:
    """A route's right lets in whose role has it, and no other."""

    @require(right)
    async def route(_: Request) -> Response:
        return PlainTextResponse("in")

    for role, request in requests():
        if right is None or right in RIGHTS[role]:
            assert (await route(request)).body == b"in"
        else:
            with pytest.raises(AccessRefused) as caught:
                await route(request)
            assert (caught.value.code, caught.value.status) == ("right-missing", 403)


async def test_nobody() -> None:
    """A request that came past the entrance is nobody's."""
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    assert visitor_of(request) == NOBODY

    @require()
    async def route(_: Request) -> Response:
        return PlainTextResponse("in")

    with pytest.raises(AccessRefused) as caught:
        await route(request)
    assert (caught.value.code, caught.value.status) == ("sign-in-needed", 401)
