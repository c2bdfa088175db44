"""An OpenAPI 3.1 document, made of a table of operations and of the types that they take and give."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from exchange.services.http.problems import MEDIA_TYPE, Problem

JSON = "application/json"

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""Problems of every operation that needs a token."""


class Operation(Protocol):
    """What a table's row says of what may be asked."""

    @property
    def method(self) -> str:
        """Of HTTP."""

    @property
    def path(self) -> str:
        """With its variable parts in braces."""

    @property
    def name(self) -> str:
        """Stable; metrics and generated clients name the operation by it."""

    @property
    def summary(self) -> str:
        """What it does."""

    @property
    def description(self) -> str:
        """What is to be known about it, in CommonMark."""

    @property
    def query(self) -> type[msgspec.Struct] | None:
        """Its parameters."""

    @property
    def status(self) -> HTTPStatus:
        """Of the answer when all is well."""

    @property
    def answers(self) -> type[msgspec.Struct] | None:
        """Type of the answer; None for bytes."""

    @property
    def problems(self) -> tuple[HTTPStatus, ...]:
        """Further statuses that it may answer, beside those of every operation."""

    @property
    def is_open(self) -> bool:
        """Whether it may be asked without a token."""


@dataclass(frozen=True, slots=True)
class About:
    """What stands above the operations.

    Attributes:
        title: of the API.
        version: of the API.
        description: for people, in CommonMark.
        parts: what the variable parts of paths are.
        further: types that no operation names, but that are to be described.
        media: media types of answers that are no JSON, by the operation's name.
        headers: headers that an operation takes, with what they are for, by the operation's name.
    """

    title: str
    version: str
    description: str
    parts: Mapping[str, str]
    further: Sequence[type[msgspec.Struct]] = ()
    media: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def openapi(
    about: About,
    operations: Sequence[Operation],
    contents: Mapping[str, type[msgspec.Struct]] = MappingProxyType({}),
) -> Schema:
    """The OpenAPI document.

    Args:
        about: the whole.
        operations: the table.
        contents: types of the documents that operations take, by the operation's name.
    """
    types = _types(about, operations, contents)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, Schema] = {}
    for operation in operations:
        described = _operation(about, operation, refs)
        if operation.name in contents:
            schema = refs[contents[operation.name]]
            described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
        if operation.is_open:
            described["security"] = []
        paths.setdefault(_PART.sub(r"{\1}", operation.path), {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": about.title, "version": about.version, "description": about.description},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(components.items())),
        },
    }


def reference(kind: type[msgspec.Struct]) -> Schema:
    """How a schema names another one of the same document."""
    return {"$ref": _REF.format(name=kind.__name__)}


def encoded(document: Schema) -> bytes:
    """The document as a file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _types(
    about: About, operations: Sequence[Operation], contents: Mapping[str, type[msgspec.Struct]]
) -> Sequence[type[msgspec.Struct]]:
    answers = (operation.answers for operation in operations if operation.answers is not None)
    return tuple(dict.fromkeys((*contents.values(), *about.further, Problem, *answers)))


def _operation(about: About, operation: Operation, refs: Mapping[type, Schema]) -> Schema:
    taken = about.headers.get(operation.name, {})
    headers = [
        {"name": name, "in": "header", "description": what, "schema": {"type": "string"}}
        for name, what in taken.items()
    ]
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [*_parts(about, operation), *_parameters(operation), *headers],
        "responses": {str(operation.status.value): _answer(about, operation, refs)} | _problems(about, operation, refs),
    }


def _parts(about: About, operation: Operation) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "description": about.parts[name], "schema": {"type": "string"}}
        for name in _PART.findall(operation.path)
    ]


def _parameters(operation: Operation) -> list[Schema]:
    """The query's fields; what they hold is what their type says."""
    if operation.query is None:
        return []
    fields = msgspec.json.schema(operation.query)["$defs"][operation.query.__name__]["properties"]
    return [
        {"name": name, "in": "query", "description": schema.pop("description", ""), "schema": schema}
        for name, schema in fields.items()
    ]


def _answer(about: About, operation: Operation, refs: Mapping[type, Schema]) -> Schema:
    if operation.name in about.media:
        content = {about.media[operation.name]: {"schema": {"type": "string"}}}
    elif operation.answers is None:
        content = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    else:
        content = {JSON: {"schema": refs[operation.answers]}}
    return {"description": operation.status.phrase, "content": content}


def _problems(about: About, operation: Operation, refs: Mapping[type, Schema]) -> Schema:
    if operation.is_open:
        unready = _answer(about, operation, refs) | {"description": "Not ready"}
        return {str(HTTPStatus.SERVICE_UNAVAILABLE.value): unready}
    content = {MEDIA_TYPE: {"schema": refs[Problem]}}
    statuses = sorted({*_ALWAYS, *operation.problems})
    return {str(status.value): {"description": status.phrase, "content": content} for status in statuses}
