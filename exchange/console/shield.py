"""What every request goes through: an id, limits, headers, and the last word on what goes wrong."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.console.desk import Desk
from exchange.console.refusals import Refusals
from exchange.services.http.problems import ApiRefused

CONTENT_BYTES = 256 * 1024
"""Forms have a few fields."""
QUERY_BYTES = 8 * 1024
REQUEST_SECONDS = 30.0
"""Until the answer begins."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # with "no-referrer" forms would not say where they come from
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
)
"""Of every answer that does not say otherwise itself."""
TLS_HEADERS: Mapping[str, str] = MappingProxyType({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"})

_AREAS = ("api", "static", "sign-in")
"""First parts of paths that are counted apart; all others are pages. A path is the caller's text, and no label."""


class Shield:
    """ASGI middleware; the outermost of ours."""

    def __init__(self, app: ASGIApp, desk: Desk, refusals: Refusals, registry: CollectorRegistry) -> None:
        """Stand around `app`; register metrics on `registry`."""
        self._app = app
        self._desk = desk
        self._refusals = refusals
        self._headers = {**HEADERS, **(TLS_HEADERS if desk.site.is_secure else {})}
        self._requests = Counter(
            "exchange_console_requests", "Requests answered by the console", ["area", "status"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive, send)
        request.state.request_id = self._desk.new_id()
        has_begun = False

        async def beginning(message: Message) -> None:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                limit.reschedule(None)  # from here on it is the connection's business: streams last
            await self._send(request, message, send)

        try:
            async with asyncio.timeout(REQUEST_SECONDS) as limit:
                self._look(request)
                await self._app(scope, _bounded(receive), beginning)
        except ClientDisconnect:
            pass  # nobody is left to be answered
        except Exception as error:
            if has_begun:
                raise
            told = _too_slow() if isinstance(error, TimeoutError) and limit.expired() else error
            response = await self._refusals.answer(request, told)
            await response(scope, receive, partial(self._send, request, send=send))

    def _look(self, request: Request) -> None:
        """Refuse what no browser of ours sends.

        Raises:
            ApiRefused: `host-unknown`, `query-too-long`, `console-too-large`.
        """
        if request.headers.get("host", "").lower() != self._desk.site.host:
            message = f"Host: this console is reached by {self._desk.site.url} only: ask there, or set its public_url"
            raise ApiRefused(message, status=HTTPStatus.MISDIRECTED_REQUEST, code="host-unknown")
        if len(request.scope["query_string"]) > QUERY_BYTES:
            message = f"query: is longer than {QUERY_BYTES} bytes: ask for less at once"
            raise ApiRefused(message, status=HTTPStatus.REQUEST_URI_TOO_LONG, code="query-too-long")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > CONTENT_BYTES:
            raise _too_large()

    async def _send(self, request: Request, message: Message, send: Send) -> None:
        """Complete the head of an answer, and count it."""
        if message["type"] == "http.response.start":
            self._complete(request, message)
        await send(message)

    def _complete(self, request: Request, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        headers["X-Request-Id"] = request.state.request_id
        first = request.url.path.strip("/").partition("/")[0]
        self._requests.labels(first if first in _AREAS else "pages", str(message["status"])).inc()


def _bounded(receive: Receive) -> Receive:
    """What gives up a request whose content grows too large, whatever it said of its length."""
    size = 0

    async def receiving() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > CONTENT_BYTES:
            raise _too_large()
        return message

    return receiving


def _too_large() -> ApiRefused:
    message = f"the content has more than {CONTENT_BYTES} bytes: send less"
    status, headers = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"Connection": "close"}
    return ApiRefused(message, status=status, code="console-too-large", headers=headers)


def _too_slow() -> ApiRefused:
    message = f"the console took longer than {REQUEST_SECONDS:.0f} s: ask for less at once, or again later"
    return ApiRefused(message, status=HTTPStatus.GATEWAY_TIMEOUT, code="console-too-slow", retriable=True)
