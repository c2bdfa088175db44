"""What goes wrong, as RFC 9457 tells it: our code, the field, and whether to try again.

ExchangeError
└── ApiRefused      a request that cannot be answered; its status says why
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from exchange.domain.errors import DocumentError, ExchangeError

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:exchange:error:"
RETRY_SECONDS = 5


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Meta(description="`urn:exchange:error:` and the code.")]
    title: Annotated[str, Meta(description="The status in words.")]
    status: Annotated[int, Meta(description="The status of the answer.")]
    detail: Annotated[str, Meta(description="What is wrong, where, and what to do next, for people.")]
    code: Annotated[str, Meta(description="Stable code; `docs/errors.md` explains each.")]
    retriable: Annotated[bool, Meta(description="Whether the same request may succeed later.")]
    field: Annotated[str, Meta(description="JSON pointer (RFC 6901) to what is wrong in the request; else empty.")] = ""
    others: Annotated[tuple[str, ...], Meta(description="Further faults of the same document, for people.")] = ()


class ApiRefused(ExchangeError):
    """A request that the API does not take."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        retriable: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Keep the status of the answer, and what it has beside the problem."""
        super().__init__(message, code=code, retriable=retriable)
        self.status = status
        self.headers = headers


def problem(error: ExchangeError, status: HTTPStatus) -> Response:
    """The answer to a request that came to an error of ours; what the error says may be told."""
    told = Problem(
        type=f"{TYPE}{error.code}",
        title=status.phrase,
        status=status.value,
        detail=str(error),
        code=error.code,
        retriable=error.retriable,
        field=_field(error),
        others=error.others if isinstance(error, DocumentError) else (),
    )
    return Response(msgspec.json.encode(told), status.value, problem_headers(error), MEDIA_TYPE)


def problem_headers(error: ExchangeError) -> dict[str, str]:
    """What the answer to an error has beside its words, whoever reads them."""
    headers = dict(error.headers) if isinstance(error, ApiRefused) else {}
    if error.retriable:
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return headers


def status_of(error: ExchangeError) -> HTTPStatus:
    """The status that an error says itself; else whether it may pass."""
    if isinstance(error, ApiRefused):
        return error.status
    return HTTPStatus.SERVICE_UNAVAILABLE if error.retriable else HTTPStatus.INTERNAL_SERVER_ERROR


def _field(error: ExchangeError) -> str:
    """A document's place ends with a JSON pointer where one field is wrong."""
    place = error.place if isinstance(error, DocumentError) else ""
    pointer = place.rpartition(", ")[2]
    return pointer if pointer.startswith("/") else ""
