"""What a letter says, for the administrators of its sender and recipients; every look is an act in the journal."""

import re
from http import HTTPStatus
from typing import NamedTuple

import sqlalchemy as sa
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.acts import Act
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.visitor import require, signed_in
from exchange.console.contents import Written
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.domain.ids import DIGEST_BYTES
from exchange.domain.user import Right
from exchange.services.http.files import FILE_HEADERS, attachment
from exchange.store import queries
from exchange.store.queries.places import places_of

_DIGEST = re.compile(rf"[0-9a-f]{{{2 * DIGEST_BYTES}}}")
_ANY_BYTES = "application/octet-stream"
SHOWN_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png", "text/plain"})
"""Types that are told to a browser; whatever else a file says it is, it is bytes."""


class Place(NamedTuple):
    """A letter that the tracker knows: between whom, and where in the journal."""

    bodies: tuple[str, ...]
    place: int


@require()
async def content(request: Request) -> Response:
    """The card, and the list of files."""
    digest, written = await _read(request, "view-content")
    return renderer_of(request).page(
        request, "content.html", digest=digest.hex(), card=written.card, files=written.card.files[: len(written.files)]
    )


@require()
async def file(request: Request) -> Response:
    """The bytes of a file, to be kept; no browser shows them as a page of ours."""
    number: int = request.path_params["number"]
    _, written = await _read(request, "download-content", f"file {number}")
    infos = written.card.files[: len(written.files)]
    if number >= len(infos):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    info = infos[number]
    media_type = info.media_type if info.media_type in SHOWN_TYPES else _ANY_BYTES
    headers = {**FILE_HEADERS, "Content-Disposition": attachment(info.name), "Content-Type": media_type}
    return Response(written.files[number], headers=headers)


ROUTES = (
    Route("/letters/{digest}/content", content, methods=["GET"]),
    Route("/letters/{digest}/content/{number:int}", file, methods=["GET"]),
)


async def _read(request: Request, action: str, detail: str = "") -> tuple[bytes, Written]:
    """What the letter of an address says; that it is read stands in the journal first.

    Raises:
        HTTPException: 404, whether there is no such letter or it is not this person's to see.
        AccessRefused: `right-missing`; `act-not-kept`.
        ApiRefused, BusError: as `Contents.read`.
    """
    user, digest = signed_in(request), whole_digest(request)
    found = await ask(request, lambda connection: place_of(connection, digest))
    if found is None or not user.may_see(*found.bodies):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if not user.may_read(*found.bodies):
        message = f"'{Right.SEE_CONTENT}' of this letter is its sender's and recipients' administrators': ask them"
        raise AccessRefused(message, code="right-missing")
    desk = desk_of(request)
    if desk.contents is None:
        message = "this process does not read the journal: ask the console's own"
        raise AccessRefused(message, code="act-not-kept", status=HTTPStatus.SERVICE_UNAVAILABLE)
    await desk.acts.record(Act(action, user.login, detail=detail, letter=digest, recipient=user.body))
    return digest, await desk.contents.read(found.place, digest)


def whole_digest(request: Request) -> bytes:
    """The letter that an address names.

    Raises:
        HTTPException: 404: it names none by its whole digest.
    """
    name = request.path_params["digest"]
    if not _DIGEST.fullmatch(name):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return bytes.fromhex(name)


def place_of(connection: sa.Connection, digest: bytes) -> Place | None:
    """The letter as the tracker has it, None when it does not know it."""
    timeline = queries.timeline(connection, digest)
    places = places_of(connection, [digest])
    if timeline is None or digest not in places:
        return None
    recipients = (each.recipient for each in timeline.deliveries)
    return Place((timeline.letter.sender, *recipients), places[digest])
