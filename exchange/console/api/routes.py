"""Addresses of the API: each operation's, and the documentation's."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from exchange.console.api import ROOT
from exchange.console.api.asking import PRIVATE, asked
from exchange.console.api.document import openapi_document
from exchange.console.api.operations import OPERATIONS, Operation
from exchange.console.api.rates import Rates
from exchange.console.api.streaming import stream
from exchange.console.auth.visitor import signed_in
from exchange.console.desk import desk_of
from exchange.console.stream.following import Following
from exchange.services.http.openapi import JSON, encoded
from exchange.services.http.page import PAGE_POLICY, page

Endpoint = Callable[[Request], Awaitable[Response]]


def api_routes(following: Following, rates: Rates) -> list[BaseRoute]:
    """All addresses below /api/v1.

    Args:
        following: streams of changes.
        rates: how much each caller may ask for.
    """
    routes = [Route(each.path, _endpoint(each, following, rates), methods=[each.method]) for each in OPERATIONS]
    return [*routes, *_documented()]


def _endpoint(operation: Operation, following: Following, rates: Rates) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        user = signed_in(request)
        rates.ask(user.login, asyncio.get_running_loop().time())
        wanted = asked(request, desk_of(request), user, operation.query)
        if operation.handle is None:
            return await stream(wanted, following, rates)
        return await operation.handle(wanted)

    return endpoint


def _documented() -> list[Route]:
    """Documentation, for everybody who signed in."""

    async def openapi(request: Request) -> Response:
        signed_in(request)
        return Response(_document_and_page()[0], headers=PRIVATE, media_type=JSON)

    async def docs(request: Request) -> Response:
        signed_in(request)
        return HTMLResponse(_document_and_page()[1], headers={"Content-Security-Policy": PAGE_POLICY})

    return [Route(f"{ROOT}/openapi.json", openapi), Route(f"{ROOT}/docs", docs)]


@cache
def _document_and_page() -> tuple[bytes, str]:
    """Made when somebody asks: commands put these routes together, and nobody ever does."""
    described = openapi_document()
    return encoded(described), page(described, f"{ROOT}/openapi.json")
