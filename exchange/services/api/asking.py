"""One request: who asks, for what, and with how much. Everything that a caller sends is bounded here."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from starlette.requests import ClientDisconnect, Request

from exchange.security.tokens import Tokens
from exchange.services.http.openapi import JSON
from exchange.services.http.problems import ApiRefused

Query = TypeVar("Query")

CONTENT_BYTES = 2 * 1024 * 1024
"""A letter's record has at most one megabyte; base64 makes four bytes of three."""
CONTENT_SECONDS = 30.0
AT_ONCE = 16
"""Requests of one body at a time: bodies of one agent do not crowd each other out."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[Query]):
    """A request of a known caller.

    Attributes:
        body: whose letters.
        path: the variable parts of the path.
        query: the parameters.
    """

    body: str
    path: Mapping[str, str]
    query: Query
    request: Request

    async def content(self) -> bytes:
        """The request's JSON, as it was sent.

        Raises:
            ApiRefused: `api-media-type`, `api-too-large`, `api-too-slow`.
        """
        if self.request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            message = f"Content-Type: send the letter as {JSON}"
            raise ApiRefused(message, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, code="api-media-type")
        return await _read(self.request)


class Gate:
    """Lets each body have so many requests at work at a time. For one event loop."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Nobody is in."""
        self._at_once = at_once
        self._inside: Counter[str] = Counter()

    @contextmanager
    def entered(self, body: str) -> Iterator[None]:
        """Be counted while the context lasts.

        Raises:
            ApiRefused: `api-busy`, retriable.
        """
        if self._inside[body] >= self._at_once:
            message = f"{self._at_once} requests of '{body}' are at work: wait for their answers, then ask again"
            raise ApiRefused(message, status=HTTPStatus.TOO_MANY_REQUESTS, code="api-busy", retriable=True)
        self._inside[body] += 1
        try:
            yield
        finally:
            self._inside[body] -= 1


def require_caller(request: Request, tokens: Tokens, body: str) -> None:
    """The caller has a token of `body`.

    Raises:
        ApiRefused: `api-unauthorized`, `api-forbidden`.
        ConfigurationError: the tokens' file cannot be read now.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = tokens.body_of(token.strip()) if scheme.lower() == "bearer" else None
    if holder is None:
        message = "Authorization: send Bearer and a token that `exchange body token` has made for this agent"
        headers = {"WWW-Authenticate": "Bearer"}
        raise ApiRefused(message, status=HTTPStatus.UNAUTHORIZED, code="api-unauthorized", headers=headers)
    if holder != body:
        message = f"the token is one of '{holder}': ask for /v1/bodies/{holder}, or use the other body's token"
        raise ApiRefused(message, status=HTTPStatus.FORBIDDEN, code="api-forbidden")


async def _read(request: Request) -> bytes:
    """The content of a request."""
    too_large = ApiRefused(
        f"the content has more than {CONTENT_BYTES} bytes: a letter has at most a megabyte with its files, send less",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        code="api-too-large",
        headers={"Connection": "close"},
    )
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > CONTENT_BYTES:
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(CONTENT_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > CONTENT_BYTES:
                    raise too_large
    except (TimeoutError, ClientDisconnect) as error:
        message = f"the content has not come in {CONTENT_SECONDS:.0f} s: send it again, faster"
        status, close = HTTPStatus.REQUEST_TIMEOUT, {"Connection": "close"}
        raise ApiRefused(message, status=status, code="api-too-slow", retriable=True, headers=close) from error
    return bytes(data)
