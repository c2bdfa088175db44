"""A letter's evidence, taken along as one package; that it was taken stands in the journal.

Who may read the letter gets its contents, too; to operators and auditors they are withheld, and everything else is
proven all the same. A recipient gets what was said about its own delivery.
"""

from hashlib import sha256
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.acts import Act
from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask
from exchange.console.pages.content import place_of, whole_digest
from exchange.domain.user import Right
from exchange.services.evidence.container import ASIC_E
from exchange.services.evidence.gathering import LetterNotArchived
from exchange.services.evidence.withholding import ALL
from exchange.services.http.files import FILE_HEADERS, attachment
from exchange.services.http.problems import ApiRefused


@require(Right.EXPORT)
async def evidence(request: Request) -> Response:
    """The package."""
    user, desk = signed_in(request), desk_of(request)
    digest = whole_digest(request)
    found = await ask(request, lambda connection: place_of(connection, digest))
    if found is None or not user.may_see(*found.bodies) or desk.packer is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    withhold = () if user.may_read(*found.bodies) else (ALL,)
    body = "" if user.may(Right.SEE_ALL) else user.body
    try:
        data = await desk.packer.package(digest, withhold, body)
    except LetterNotArchived as error:
        raise ApiRefused(str(error), code=error.code, status=HTTPStatus.CONFLICT) from error
    what = "contents withheld" if withhold else "with contents"
    detail = f"sha256 {sha256(data).hexdigest()}, {what}"
    await desk.acts.record(Act("evidence", user.login, detail=detail, letter=digest, recipient=user.body))
    disposition = attachment(f"{digest.hex()[:12]}.asice")
    headers = {**FILE_HEADERS, "Cache-Control": "no-store", "Content-Disposition": disposition}
    return Response(data, media_type=ASIC_E.decode(), headers=headers)


ROUTES = (Route("/letters/{digest}/evidence", evidence, methods=["GET"]),)
