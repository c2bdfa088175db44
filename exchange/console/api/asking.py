"""One request to the API: who asks, for what, and how much at once. Everything that a caller sends is bounded here."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from exchange.console.api.parameters import FilterQuery
from exchange.console.desk import Desk
from exchange.console.pages.asking import ask
from exchange.console.pages.filters import WORDS, ListFilter, meant, own_body
from exchange.domain.user import Right, User
from exchange.services.http.asking import read_query
from exchange.services.http.openapi import JSON
from exchange.services.http.problems import ApiRefused
from exchange.store.lists import DeliveryFilter

Content = TypeVar("Content", bound=msgspec.Struct)
Query = TypeVar("Query", bound=msgspec.Struct)
Told = TypeVar("Told")

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
"""Kept by nobody but the caller, who asks each time whether it is still so."""
_ETAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Asked(Generic[Query]):
    """A request of a known caller.

    Attributes:
        user: who asks.
        query: the parameters.
    """

    desk: Desk
    user: User
    query: Query
    request: Request

    @property
    def body(self) -> str | None:
        """The body whose letters alone are the caller's to see; None for all."""
        return own_body(self.user)

    async def told(self, question: Callable[[sa.Connection], Told]) -> Told:
        """The answer to a question, of one state of the tracker's database."""
        return await ask(self.request, question)

    def part(self, name: str) -> str:
        """A variable part of the path."""
        return str(self.request.path_params[name])

    def next_page(self, after: object, word: str = "after") -> str | None:
        """Path of this list's next page, which begins behind or at what `word` says."""
        if after is None:
            return None
        words = [(name, value) for name, value in self.request.query_params.multi_items() if name != word]
        return f"{self.request.url.path}?{urlencode([*words, (word, str(after))])}"


def asked(request: Request, desk: Desk, user: User, kind: type[msgspec.Struct]) -> Asked[Any]:
    """A request with its parameters.

    Raises:
        ApiRefused: `api-parameter-invalid`.
    """
    return Asked(desk, user, read_query(request, kind), request)


async def content(request: Request, kind: type[Content], code: str) -> Content:
    """What a request brings.

    Args:
        request: with JSON.
        kind: what it is to be.
        code: of a refusal that names the field.

    Raises:
        ApiRefused: `api-media-type`, or `code`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        message = f"Content-Type: send {JSON}; /api/v1/openapi.json says what it holds"
        raise ApiRefused(message, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, code="api-media-type")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.MsgspecError as error:
        message = f"{error}: correct it; /api/v1/openapi.json has all fields"
        raise ApiRefused(message, status=HTTPStatus.UNPROCESSABLE_ENTITY, code=code) from error


def wanted(query: FilterQuery, user: User, now: datetime) -> DeliveryFilter:
    """What the database is asked by a filter's words, never more than `user` may see.

    Raises:
        ApiRefused: `api-parameter-invalid`.
    """
    said = msgspec.to_builtins(query)
    read = ListFilter.of(QueryParams({word: said[word] for word in WORDS if said.get(word)}))
    if read.faults:
        word, value = read.faults[0]
        message = f"query: {word}: '{value[:63]}' is none of its values: say {meant(word)}"
        raise ApiRefused(message, code="api-parameter-invalid")
    found = read.wanted(user, now)
    require_offset(query.since, query.until)
    given = {name: value for name in ("since", "until") if (value := getattr(query, name)) is not None}
    return replace(found, **given)


def require_offset(*times: datetime | None) -> None:
    """Times say what they mean.

    Raises:
        ApiRefused: `api-parameter-invalid`.
    """
    if any(time is not None and time.tzinfo is None for time in times):
        message = "query: since and until need their offset from UTC: 2026-11-23T09:00:00+06:00"
        raise ApiRefused(message, code="api-parameter-invalid")


def require_all(user: User) -> None:
    """Let only those pass who see deliveries of every body.

    Raises:
        ApiRefused: `right-missing`.
    """
    if not user.may(Right.SEE_ALL):
        message = f"this is not asked for one body: ask {user.body}'s letters by /api/v1/letters"
        raise ApiRefused(message, status=HTTPStatus.FORBIDDEN, code="right-missing")


def answer(request: Request, value: msgspec.Struct) -> Response:
    """A value as JSON; 304 when the caller has it already (RFC 9110, 13.1.2)."""
    content = msgspec.json.encode(value)
    tag = f'"{hashlib.sha256(content).hexdigest()[: 2 * _ETAG_BYTES]}"'
    headers = PRIVATE | {"ETag": tag}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    return Response(content, headers=headers, media_type=JSON)


def unknown(what: str) -> ApiRefused:
    """What is not there, or not the caller's to see: the answer does not say which."""
    return ApiRefused(what, status=HTTPStatus.NOT_FOUND, code="not-found")
