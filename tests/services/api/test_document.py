"""The OpenAPI document, the page made of it, and the file in the tree."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

from exchange.services.api.operations import OPERATIONS
from exchange.services.http.openapi import encoded
from exchange.services.http.page import page
from exchange.wiring.api import openapi_document
from tests.services.api.site import Site, letter

FILE = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"


class Links(HTMLParser):
    """What a page's elements are, where its links lead, and what they can lead to."""

    def __init__(self) -> None:
        """Nothing read yet."""
        super().__init__()
        self.tags: set[str] = set()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.tags.add(tag)
        named = dict(attrs)
        self.targets |= {named.get(name) or "" for name in ("href", "src") if name in named}
        self.anchors.add(named.get("id") or "")


def test_the_file_is_what_the_code_makes() -> None:
    """`make schemas` writes it; it is valid OpenAPI 3.1."""
    assert FILE.read_bytes() == encoded(openapi_document())
    OpenAPIV31SpecValidator(json.loads(FILE.read_bytes())).validate()


def test_every_operation_is_described() -> None:
    """By its stable name, with words, answers and problems."""
    described = {
        each["operationId"]: each for methods in openapi_document()["paths"].values() for each in methods.values()
    }
    assert list(described) == [operation.name for operation in OPERATIONS]
    for operation in described.values():
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert all(parameter["description"] for parameter in operation["parameters"])


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script; every link leads into the page itself or to the document."""
    links = Links()
    links.feed(page(openapi_document(), "/openapi.json"))
    assert links.tags.isdisjoint({"script", "img", "link", "iframe", "object", "form"})
    assert {target.removeprefix("#") for target in links.targets} <= links.anchors | {"/openapi.json"}


async def test_both_are_served(api: Site) -> None:
    """To everybody who reaches the agent: they say nothing of its bodies."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.api.application), base_url="http://agent") as reader:
        assert (await reader.get("/openapi.json")).content == FILE.read_bytes()
        served = await reader.get("/docs")
        assert served.headers["content-type"] == "text/html; charset=utf-8"
        assert "script" not in served.headers["content-security-policy"]


async def test_answers_are_as_described(api: Site) -> None:
    """Every member that is promised is there, and none that is not."""
    schemas: dict[str, Any] = openapi_document()["components"]["schemas"]
    async with api.caller("alpha") as alpha, api.caller("beta") as beta:
        accepted = (await alpha.post("/letters", json=letter())).json()
        inbox = (await beta.get("/inbox", params={"wait": 10})).json()
        summary = inbox["letters"][0]
        arrived = (await beta.get(f"/inbox/{summary['id']}")).json()
        receipts = (await alpha.get("/receipts", params={"wait": 10})).json()
        sent = (await alpha.get("/letters/m-1")).json()
    answers = {
        "Accepted": accepted,
        "Inbox": inbox,
        "ArrivedSummary": summary,
        "ArrivedLetter": arrived,
        "FileLink": arrived["links"][0],
        "Receipts": receipts,
        "ReceiptArrived": receipts["receipts"][0],
        "SentLetter": sent,
        "Heard": sent["receipts"][0],
    }
    for name, answer in answers.items():
        assert set(answer) == set(schemas[name]["required"]) == set(schemas[name]["properties"]), name
    assert set(arrived["letter"]) <= set(schemas["Letter"]["properties"])
