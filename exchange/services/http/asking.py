"""Parameters of a request."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from exchange.services.http.problems import ApiRefused

Query = TypeVar("Query")


def read_query(request: Request, kind: type[Query]) -> Query:
    """The parameters of a request.

    Raises:
        ApiRefused: `api-parameter-invalid`.
    """
    parameters = dict(request.query_params)
    if len(parameters) < len(request.query_params.multi_items()):
        message = "query: a parameter is given twice: give each once"
        raise ApiRefused(message, code="api-parameter-invalid")
    try:
        return msgspec.convert(parameters, kind, strict=False)
    except msgspec.ValidationError as error:
        message = f"query: {error}: correct it; openapi.json has all parameters"
        raise ApiRefused(message, code="api-parameter-invalid") from error
