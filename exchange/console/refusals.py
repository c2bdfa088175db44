"""What goes wrong, told to people as a page and to programs as RFC 9457 has it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from exchange.console.auth.errors import AccessRefused
from exchange.console.pages.errors import status_of
from exchange.domain.errors import ExchangeError, fault
from exchange.services.http.problems import ApiRefused, problem, problem_headers

API = "/api/"

ErrorPage = Callable[[Request, ExchangeError], Response]
"""Makes the page of what went wrong."""

log = logging.getLogger(__name__)

_WORDS = {
    HTTPStatus.NOT_FOUND: ("console-page-unknown", "nothing has this address: begin at the first page, or at /api/v1"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("console-method-unknown", "this address is not asked in this way: see /api/v1"),
}


@dataclass(frozen=True, slots=True)
class Refusals:
    """Answers requests that came to an error; `page` is for people."""

    page: ErrorPage

    async def answer(self, request: Request, error: Exception) -> Response:
        """The answer; what nobody expected is told without its words, which may quote a letter."""
        known = _known(request, error)
        status = status_of(known)
        if not wants_page(request):
            response = problem(known, status)
        else:
            response = self.page(request, known)
            response.headers.update(problem_headers(known))
        if isinstance(known, AccessRefused) and known.wait_seconds:
            response.headers["Retry-After"] = str(known.wait_seconds)
        if status is HTTPStatus.UNAUTHORIZED and not wants_page(request):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def request_id(request: Request) -> str:
    """Our own id of a request; the log has it too."""
    return str(getattr(request.state, "request_id", ""))


def wants_page(request: Request) -> bool:
    """Whether a person looks; programs ask below /api/, or do not ask for HTML."""
    return not request.url.path.startswith(API) and "text/html" in request.headers.get("accept", "")


def _known(request: Request, error: Exception) -> ExchangeError:
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        code, words = _WORDS.get(status, ("console-request-invalid", f"{status.phrase}: correct the request"))
        return ApiRefused(words, status=status, code=code, headers=error.headers or {})
    if isinstance(error, ExchangeError):
        if not isinstance(error, ApiRefused | AccessRefused):
            log.warning("%s: %s", error.code, error, extra={"request": request_id(request)})
        return error
    log.error("a request failed: %s", fault(error), extra={"request": request_id(request)})
    message = f"the console failed with {type(error).__name__}: ask again, then report it with this id in its log"
    return ExchangeError(f"{message}: {request_id(request)}", code="console-failed")
