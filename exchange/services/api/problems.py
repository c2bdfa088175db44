"""Statuses of what goes wrong at the agent; what is told of it stands in `exchange.services.http.problems`."""

from http import HTTPStatus

from starlette.responses import Response

from exchange.agent.errors import DraftRefused
from exchange.domain.errors import DocumentError, ExchangeError
from exchange.services.http import problems
from exchange.services.http.problems import ApiRefused


def problem(error: ExchangeError) -> Response:
    """The answer to a request that came to an error of ours."""
    return problems.problem(error, _status(error))


def _status(error: ExchangeError) -> HTTPStatus:
    if isinstance(error, ApiRefused):
        return error.status
    if error.code in {"receipt-letter-unknown", "letter-unknown"}:
        return HTTPStatus.NOT_FOUND
    if error.code == "message-id-repeated":
        return HTTPStatus.CONFLICT
    if isinstance(error, DraftRefused | DocumentError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return problems.status_of(error)
