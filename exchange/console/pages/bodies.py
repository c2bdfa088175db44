"""Bodies: who is in the exchange, and one body with all that is known of it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import sqlalchemy as sa
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.console.pages.certificates import SOON, certificates_of
from exchange.console.pages.failures import Shown
from exchange.console.pages.filters import own_body
from exchange.console.pages.sheets import keep_export, sheet
from exchange.console.pages.wording import BODY_STATUSES
from exchange.domain.directory import Body
from exchange.domain.own_bodies import ECHO_BODY
from exchange.domain.paper import day_of
from exchange.domain.search import find_bodies
from exchange.domain.user import Right
from exchange.store import queries
from exchange.store.months import window_of
from exchange.store.overviews import BodySummary, FailureGroup, Month, Silence, Window

ROWS = 100
COLUMNS = ("code", "ky", "ru", "en", "status", "systems", "gateway", "certificate_left", "last_word", "silent")
_GROUPS = 20
_WEEK = timedelta(days=7)
_STATUSES = {status.value: status for status in BODY_STATUSES}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list's address asks for.

    Attributes:
        q: a name as people type it, or a code.
        status: of the directory; empty for any.
        is_silent: only those of which nothing is heard.
    """

    q: str
    status: str
    is_silent: bool

    @classmethod
    def of(cls, params: QueryParams) -> "Wanted":
        """Read an address's query; what is no status asks for none."""
        status = params.get("status", "")
        return cls(
            params.get("q", "").strip()[:200], status if status in _STATUSES else "", params.get("silent") == "yes"
        )

    @property
    def words(self) -> Mapping[str, str]:
        """The same, by word."""
        return {"q": self.q, "status": self.status, "silent": "yes" if self.is_silent else ""}


@dataclass(frozen=True, slots=True)
class Found:
    """Bodies that are wanted and may be seen, and those of all of which nothing is heard, by code."""

    bodies: Sequence[Body]
    silent: Mapping[str, Silence]


@require()
async def bodies(request: Request) -> Response:
    """The list, a page at a time."""
    wanted = Wanted.of(request.query_params)
    found, after = await _found(request, wanted), request.query_params.get("after", "")[:64]
    start = next((index + 1 for index, body in enumerate(found.bodies) if body.code == after), 0)
    shown = found.bodies[start : start + ROWS]
    return renderer_of(request).page(
        request,
        "bodies.html",
        bodies=shown,
        total=len(found.bodies),
        wanted=wanted,
        silent=found.silent,
        start=start,
        more=shown[-1].code if start + ROWS < len(found.bodies) else "",
        statuses=[(name, BODY_STATUSES[value].text) for name, value in _STATUSES.items()],
        least_left=lambda body: _least_left(body, desk_of(request).now()),
    )


@require(Right.EXPORT)
async def bodies_as_csv(request: Request) -> Response:
    """The whole list as a file; what is left of certificates in seconds."""
    wanted, at = Wanted.of(request.query_params), desk_of(request).now()
    await keep_export(request, wanted.words)
    found = await _found(request, wanted)
    last = await ask(request, queries.bodies_last_seen)
    return sheet("bodies", COLUMNS, [tuple(_row(each, found, last, at)) for each in found.bodies])


@require()
async def body(request: Request) -> Response:
    """One body."""
    user, code, desk = signed_in(request), request.path_params["code"], desk_of(request)
    known = desk.directory().bodies.get(code)
    if known is None or not user.may_see(code):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    at, day = desk.now(), day_of(desk.now())
    month = Month(day.year, day.month)

    def question(connection: sa.Connection) -> tuple[BodySummary, list[FailureGroup], Silence | None]:
        """What the database is asked."""
        summary = queries.body_summary(connection, code, window_of(month))
        groups = queries.failure_groups(connection, Window(at - _WEEK, at), _GROUPS, code)
        silence = next((one for one in queries.silent(connection, at) if one.body == code), None)
        return summary, groups, silence

    summary, groups, silence = await ask(request, question)
    trial = await ask(request, lambda connection: queries.trial(connection, code, ECHO_BODY))
    return renderer_of(request).page(
        request,
        "body.html",
        body=known,
        summary=summary,
        groups=[Shown(group, "7d") for group in groups],
        silence=silence,
        trial=trial,
        month=day.replace(day=1),
        certificates=list(certificates_of(known, at)),
        soon=SOON,
    )


ROUTES = (
    Route("/bodies", bodies, methods=["GET"]),
    Route("/bodies.csv", bodies_as_csv, methods=["GET"]),
    Route("/bodies/{code}", body, methods=["GET"]),
)


async def _found(request: Request, wanted: Wanted) -> Found:
    desk, own = desk_of(request), own_body(signed_in(request))
    at = desk.now()
    silent = {one.body: one for one in await ask(request, lambda connection: queries.silent(connection, at))}
    known = [body for body in desk.directory().bodies.values() if own in {None, body.code}]
    by_name = await asyncio.to_thread(find_bodies, known, wanted.q) if wanted.q else None
    named = sorted(known, key=lambda body: body.code) if by_name is None else by_name
    bodies = [
        body
        for body in named
        if wanted.status in {"", body.status.value} and (not wanted.is_silent or body.code in silent)
    ]
    return Found(bodies, silent)


def _row(body: Body, found: Found, last: Mapping[str, datetime], at: datetime) -> Iterator[object]:
    yield from (body.code, body.names.ky, body.names.ru, body.names.en, body.status.value)
    yield " ".join(body.systems)
    yield body.gateway
    yield _least_left(body, at)
    yield last.get(body.code)
    yield "yes" if body.code in found.silent else ""


def _least_left(body: Body, at: datetime) -> timedelta | None:
    """How long the first of a body's certificates to end has left."""
    return min((one.left for one in certificates_of(body, at) if one.revoked is None), default=None)
