"""Pages of what cannot be shown: plainly why, and what to do next, in the visitor's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from exchange.console.auth.errors import AccessRefused
from exchange.console.pages.rendering import Renderer
from exchange.console.pages.wording import _
from exchange.domain.errors import ExchangeError
from exchange.services.http.problems import ApiRefused
from exchange.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Fault:
    """What a page says of a status; English, messages of the catalogs."""

    title: str
    explanation: str
    step: str


FAULTS: Mapping[HTTPStatus, Fault] = {
    HTTPStatus.BAD_REQUEST: Fault(
        _("This address cannot be read"),
        _("Something in the address or the form is not what this page takes."),
        _("go back and choose again, or begin at the first page."),
    ),
    HTTPStatus.UNAUTHORIZED: Fault(
        _("You are not signed in"),
        _("Nobody is signed in here, or the session has ended."),
        _("sign in; you come back to this page."),
    ),
    HTTPStatus.FORBIDDEN: Fault(
        _("This is not for your role"),
        _("Your role does not have the right that this page needs. Nothing was changed."),
        _("ask somebody whose role has it, or the administrator of the exchange for the role."),
    ),
    HTTPStatus.NOT_FOUND: Fault(
        _("There is nothing here"),
        _("No page has this address, or what it named is not known, or is not yours to see."),
        _("look the letter up with the search box above by any of its ids."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: Fault(
        _("This cannot be done here"),
        _("The page does not take what was sent."),
        _("go back and use the form of the page."),
    ),
    HTTPStatus.CONFLICT: Fault(
        _("Somebody was faster"),
        _("What the form was about has changed since the page was made. Nothing was changed now."),
        _("look at the page again, then decide."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Fault(
        _("That is too much"),
        _("The form holds more than the console takes."),
        _("send less."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Fault(
        _("Too many attempts"),
        _("So many requests came from here that the next ones have to wait."),
        _("wait a few minutes, then try again."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Fault(
        _("Something does not answer"),
        _("What the console asked for this did not answer. Letters go on: the exchange does not need it for them."),
        _("try again in a minute; if it stays so, look at the alerts."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Fault(
        _("Something failed here"),
        _("The console came to an error of its own. Letters are not touched by it."),
        _("try again; if it fails again, report it with the code and the request: the console's log has both."),
    ),
}

BY_CODE: Mapping[str, Fault] = {
    "form-token-wrong": Fault(
        _("The form is out of date"),
        _("The page was made before you signed in, or in another session. Nothing was changed."),
        _("open the page again and send the form anew."),
    ),
    "request-foreign": Fault(
        _("This did not come from the console"),
        _("Another site, or something between you and the console, sent this in your name. Nothing was changed."),
        _("open the page here and send it from there; report it if you did."),
    ),
    "act-not-kept": Fault(
        _("This could not be written down"),
        _("Whatever is viewed or done here must stand in the journal, and it could not be kept. Nothing was done."),
        _("try again in a minute; if it stays so, look at the alerts and at the disk of the console."),
    ),
    "store-unavailable": Fault(
        _("The console cannot reach its data"),
        _("The tracker's database does not answer. Letters go on: the exchange does not need it for them."),
        _("try again in a minute; if it stays so, look at the alerts and at the database."),
    ),
    "bus-unavailable": Fault(
        _("The console cannot read the journal"),
        _("The brokers do not answer it, and what was asked for stands in the journal only."),
        _("try again in a minute; if it stays so, look at the alerts and at the brokers."),
    ),
    "content-gone": Fault(
        _("The contents are gone"),
        _("What people wrote in it is not in the journal any more. That it was sent and taken is proven still."),
        _("ask its sender or a recipient for it."),
    ),
    "content-sealed": Fault(
        _("This cannot be read here"),
        _("The letter is sealed for its recipients, or its card is of a kind that the console does not know."),
        _("read it in the recipient's document system."),
    ),
    "content-altered": Fault(
        _("The journal has something else here"),
        _("The record at the letter's place is not this letter. Nothing of it is shown."),
        _("tell an auditor now: the journal must be verified."),
    ),
    "check-busy": Fault(
        _("A check runs already"),
        _("There is one check of the journal at a time. Yours was not begun."),
        _("wait for its result on the page of audits, then begin yours."),
    ),
    "evidence-too-large": Fault(
        _("Too much for one package"),
        _("More was said about this letter than one file of evidence may hold. None was made."),
        _("have it made for one recipient at a time, by the command with --body."),
    ),
    "evidence-broken": Fault(
        _("The evidence does not hold"),
        _("What the archive has does not prove this letter. No package was made."),
        _("tell an auditor now: the archive's log must be verified."),
    ),
    "letter-not-archived": Fault(
        _("Not in the archive yet"),
        _("The archive's newest checkpoint is not over this letter."),
        _("try again in a minute; if it stays so, look at the alerts of the archive."),
    ),
}
"""Where the status says too little."""


def status_of(error: Exception) -> HTTPStatus:
    """The status by which an error is answered."""
    if isinstance(error, AccessRefused | ApiRefused):
        return error.status
    if isinstance(error, HTTPException):
        return HTTPStatus(error.status_code)
    if isinstance(error, StoreError) and error.code == "cursor-invalid":
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, ExchangeError) and error.retriable:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def error_page(renderer: Renderer, request: Request, error: Exception) -> Response:
    """The page that tells of an error; never what the error itself says, which may quote what was sent."""
    status = status_of(error)
    code = error.code if isinstance(error, ExchangeError) else ""
    fault = BY_CODE.get(code) or FAULTS.get(status) or FAULTS[_nearest(status)]
    number = str(getattr(request.state, "request_id", "")) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    response = renderer.page(
        request, "error.html", status.value, fault=fault, status=status.value, code=code, number=number
    )
    if isinstance(error, AccessRefused) and error.wait_seconds:
        response.headers["Retry-After"] = str(error.wait_seconds)
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


def _nearest(status: HTTPStatus) -> HTTPStatus:
    return HTTPStatus.BAD_REQUEST if status < HTTPStatus.INTERNAL_SERVER_ERROR else HTTPStatus.INTERNAL_SERVER_ERROR
