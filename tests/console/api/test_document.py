"""The OpenAPI document: valid, in the repository as it is served, and true."""

import json
from html import escape
from pathlib import Path

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from exchange.console.api.document import openapi_document
from exchange.console.api.operations import OPERATIONS
from exchange.services.http.openapi import encoded
from tests.console.api.test_letters import digest, got
from tests.console.site import ConsoleSite

DOCUMENT = json.loads(encoded(openapi_document()))
FILE = Path(__file__).parents[3] / "docs" / "api" / "console.json"


def test_the_document_is_valid() -> None:
    """By the standard's own schema."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_file_is_the_document() -> None:
    """`make schemas` writes it."""
    assert FILE.read_bytes() == encoded(openapi_document())


async def test_the_console_serves_it_with_a_page(site: ConsoleSite) -> None:
    """The page loads nothing, and has no style but its own."""
    assert (await got(site, "/api/v1/openapi.json")).json() == DOCUMENT
    page = await got(site, "/api/v1/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in page.headers["content-security-policy"]
    for operation in OPERATIONS:
        assert escape(operation.summary) in page.text


ELSEWHERE = frozenset({"tasks", "task", "task-letters", "letter-log"})
"""Operations whose answers are compared in tests of their own."""


async def test_answers_are_what_the_document_says(site: ConsoleSite) -> None:
    """Each operation's, by its own schema; what is posted has tests of its own."""
    for operation in OPERATIONS:
        if operation.answers is None or operation.method == "POST" or operation.name in ELSEWHERE:
            continue
        login = "aida" if operation.name == "acts" else "olga"
        path = operation.path.replace("{digest}", await digest(site, "first")).replace("{code}", "beta")
        answer = await got(site, f"{path}?q=first" if operation.name == "find" else path, login)
        assert answer.status_code == 200
        schema = {"$ref": f"#/components/schemas/{operation.answers.__name__}", "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(json.loads(answer.text))


async def test_problems_are_what_the_document_says(site: ConsoleSite) -> None:
    """401, 403, 404 and 400."""
    schema = {"$ref": "#/components/schemas/Problem", "components": DOCUMENT["components"]}
    for path, login in (
        ("/api/v1/now", ""),
        ("/api/v1/overview", "beta"),
        ("/api/v1/none", "olga"),
        ("/api/v1/now?a=b", "olga"),
    ):
        answer = await got(site, path, login)
        assert answer.status_code in {400, 401, 403, 404}
        Draft202012Validator(schema).validate(json.loads(answer.text))
