"""Answers as JSON."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import msgspec
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Letters are kept by nobody on their way, and are what they are said to be."""


def answer(
    value: msgspec.Struct, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status.value, {**headers}, "application/json")
