"""The ASGI application: finds the operation, lets the caller in, answers, counts."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from exchange.domain.errors import ExchangeError, fault
from exchange.security.tokens import Tokens
from exchange.services.api.asking import Asked, Gate, require_caller
from exchange.services.api.desk import Desk
from exchange.services.api.operations import OPERATIONS, Operation
from exchange.services.api.problems import problem
from exchange.services.http.answering import NO_STORE
from exchange.services.http.asking import read_query
from exchange.services.http.page import PAGE_POLICY
from exchange.services.http.problems import ApiRefused

log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

_ELSEWHERE = "elsewhere"
"""What is counted where no operation is: a path is the caller's text, and no label."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """What is served beside the operations: the OpenAPI document, and the page made of it."""

    document: bytes
    page: str


class Api:
    """Answers requests by the table of operations; `application` is served."""

    def __init__(self, desk: Desk, tokens: Tokens, documentation: Documentation, registry: CollectorRegistry) -> None:
        """Register metrics on `registry`."""
        self._desk = desk
        self._tokens = tokens
        self._gate = Gate()
        self._requests = Counter(
            "exchange_api_requests", "Requests answered", ["operation", "status"], registry=registry
        )
        routes = [Route(each.path, self._endpoint(each), methods=[each.method]) for each in OPERATIONS]
        self.application = Starlette(
            routes=[*routes, *_documented(documentation)],
            exception_handlers={HTTPException: self._no_operation},
        )
        self.application.router.redirect_slashes = False

    def _endpoint(self, operation: Operation) -> Endpoint:
        """What answers a request for `operation`, whatever happens."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await self._answer(operation, request)
            except ExchangeError as error:
                response = problem(error)
            except Exception as error:  # noqa: BLE001 - one request's bug must not stop the others
                log.error("%s failed: %s", operation.name, fault(error))  # noqa: TRY400 - its text may quote a letter
                message = f"the agent failed with {type(error).__name__}: ask again, then report it with its log"
                response = problem(ExchangeError(message, code="api-failed"))
            response.headers.update({name: value for name, value in NO_STORE.items() if name not in response.headers})
            self._requests.labels(operation.name, str(response.status_code)).inc()
            return response

        return endpoint

    async def _answer(self, operation: Operation, request: Request) -> Response:
        path: Mapping[str, str] = request.path_params
        body = path.get("body", "")
        if operation.is_open:
            return await operation.handle(self._desk, Asked(body, path, None, request))
        require_caller(request, self._tokens, body)
        if body not in self._desk.boxes:
            message = f"this agent carries no body '{body}': ask the agent that does, or name it in this one's settings"
            raise ApiRefused(message, status=HTTPStatus.NOT_FOUND, code="body-not-here")
        query: Any = None if operation.query is None else read_query(request, operation.query)
        with self._gate.entered(body):
            return await operation.handle(self._desk, Asked(body, path, query, request))

    async def _no_operation(self, _: Request, error: Exception) -> Response:
        """No such path, or not this method."""
        status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        self._requests.labels(_ELSEWHERE, str(status.value)).inc()
        message = "no operation has this path and method: /docs lists them all"
        return problem(ApiRefused(message, status=status, code="api-operation-unknown", headers=headers))


def _documented(documentation: Documentation) -> list[Route]:
    async def document(_: Request) -> Response:
        return Response(documentation.document, media_type="application/json")

    async def page(_: Request) -> Response:
        return HTMLResponse(documentation.page, headers={"Content-Security-Policy": PAGE_POLICY} | NO_STORE)

    return [Route("/openapi.json", document, methods=["GET"]), Route("/docs", page, methods=["GET"])]
