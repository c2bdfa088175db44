"""Who did or viewed what, as the journal has it; taken along signed; and the journal itself, checked read-only.

/audit                  the acts, and the forms to have the journal checked
/audit/verify, replay, log   begin a check ─▶ /audit/checks/<id>, which tells how far it is and what it found
"""

import re
from http import HTTPStatus

import sqlalchemy as sa
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.checking import OFFSETS_AT_MOST, STRETCH_AT_MOST, LogSpan, Stretch
from exchange.console.checks import Checks
from exchange.console.desk import desk_of
from exchange.console.pages import act_words
from exchange.console.pages.act_export import exported
from exchange.console.pages.act_filters import ActList
from exchange.console.pages.asking import ask, renderer_of
from exchange.domain.fact import CommandFact
from exchange.domain.user import Right
from exchange.services.http.problems import ApiRefused
from exchange.store import queries
from exchange.store.lists import Counted, Cursor, Page
from exchange.store.queries.acts import ORDER

ROWS = 50
FINDINGS = 100
FIELDS_AT_MOST = 10
USUAL = 100
DAYS = ("1", "7", "31")
"""Of the archive's log."""
_PLACE = re.compile(r"([0-9]{1,5}):([0-9]{1,15})")
_COUNT = re.compile(r"[0-9]{1,4}")


@require(Right.SEE_ACTS)
async def audit(request: Request) -> Response:
    """A page of the trail."""
    place = request.query_params.get("place", "")
    return await _audit(request, place if _PLACE.fullmatch(place) else "")


@require(Right.REPLAY)
async def verify(request: Request) -> Response:
    """Have the whole journal verified."""
    check = await _checks(request).begin(signed_in(request))
    return _to(check.id)


@require(Right.REPLAY)
async def replay(request: Request) -> Response:
    """Have a stretch of the journal replayed."""
    checks = _checks(request)
    form = await request.form(max_fields=FIELDS_AT_MOST)
    place, count = (str(form.get(name, "")).strip() for name in ("place", "count"))
    stretch = _stretch(place, count, desk_of(request).directory().journal_partitions)
    if stretch is None:
        return await _audit(request, place[:32], is_wrong=True)
    check = await checks.begin(signed_in(request), stretch)
    return _to(check.id)


@require(Right.SEE_ACTS)
async def checked(request: Request) -> Response:
    """How far a check is, and what it found."""
    checks = desk_of(request).checks
    found = None if checks is None else checks.known.get(request.path_params["check"])
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return renderer_of(request).page(
        request, "check.html", check=found, result=found.result, act_words=act_words, most=FINDINGS
    )


@require(Right.REPLAY)
async def verify_log(request: Request) -> Response:
    """Have the archive's log verified, as far as it came in the last days."""
    form = await request.form(max_fields=FIELDS_AT_MOST)
    days = str(form.get("days", ""))
    if days not in DAYS:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY)
    check = await _checks(request).begin(signed_in(request), LogSpan(int(days)))
    return _to(check.id)


ROUTES = (
    Route("/audit", audit, methods=["GET"]),
    Route("/audit/export", exported, methods=["GET"]),
    Route("/audit/verify", verify, methods=["POST"]),
    Route("/audit/replay", replay, methods=["POST"]),
    Route("/audit/log", verify_log, methods=["POST"]),
    Route("/audit/checks/{check}", checked, methods=["GET"]),
)


async def _audit(request: Request, place: str, *, is_wrong: bool = False) -> Response:
    """The page; with what was wrong about a stretch above it."""
    filters = ActList.of(request.query_params)
    after = request.query_params.get("after", "")
    cursor = Cursor.read(after, ORDER) if after else None

    def question(connection: sa.Connection) -> tuple[Page[CommandFact], Counted]:
        """What the database is asked."""
        return queries.acts(connection, filters.wanted, cursor, ROWS), queries.count_acts(connection, filters.wanted)

    page, counted = await ask(request, question)
    checks, directory = desk_of(request).checks, desk_of(request).directory()
    return renderer_of(request).page(
        request,
        "audit.html",
        HTTPStatus.UNPROCESSABLE_ENTITY.value if is_wrong else HTTPStatus.OK.value,
        filters=filters,
        page=page,
        counted=counted,
        is_first=cursor is None,
        act_words=act_words,
        checks=None if checks is None else tuple(checks.known.values())[::-1],
        place=place,
        usual=1 if place else USUAL,
        is_wrong=is_wrong,
        partitions=directory.journal_partitions,
        bounds=(OFFSETS_AT_MOST, STRETCH_AT_MOST),
        days=DAYS if checks is not None and checks.has_log else (),
    )


def _checks(request: Request) -> Checks:
    """Raises: ApiRefused: `checks-not-here`, 503."""
    checks = desk_of(request).checks
    if checks is None:
        message = "this console checks no journal: ask one whose file has [speaking], or `exchange audit replay`"
        raise ApiRefused(message, status=HTTPStatus.SERVICE_UNAVAILABLE, code="checks-not-here")
    return checks


def _stretch(place: str, count: str, partitions: int) -> Stretch | None:
    """What a form asks for; None when it cannot be."""
    found = _PLACE.fullmatch(place)
    if found is None or not _COUNT.fullmatch(count):
        return None
    stretch = Stretch(int(found[1]), int(found[2]), int(count))
    return stretch if stretch.partition < partitions and 0 < stretch.count <= STRETCH_AT_MOST else None


def _to(name: str) -> Response:
    return RedirectResponse(f"/audit/checks/{name}", HTTPStatus.SEE_OTHER)
