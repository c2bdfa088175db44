"""What the API does not take: each refusal is a problem with status, code, field and the next step."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from adapters.formats.json_profile import JsonFormat
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.directory import Directory
from exchange.services.api import asking
from exchange.services.api.asking import Gate
from exchange.services.api.desk import Box
from exchange.services.http.problems import ApiRefused
from tests.services.api.site import Site, letter, receipt

NOBODY = "0" * 64


@pytest.fixture
async def alpha(api: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A system of alpha's."""
    async with api.caller("alpha") as caller:
        yield caller


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that an answer tells."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"]) == (status, status)
    assert told["type"] == f"urn:exchange:error:{told['code']}"
    return told


async def test_only_who_has_a_token_of_the_body_is_let_in(api: Site, alpha: httpx.AsyncClient) -> None:
    """Without one, with a wrong one, with another body's: and nothing is said of bodies that are not here."""
    for header in (b"", b"Bearer", b"Bearer wrong", f"Basic {api.tokens['alpha']}".encode(), b"Bearer \xff"):
        refused = await alpha.get("/letters", headers={b"Authorization": header})
        assert problem(refused, 401)["code"] == "api-unauthorized"
        assert refused.headers["www-authenticate"] == "Bearer"
    for other in ("beta", "gamma"):
        refused = await alpha.get(f"http://agent/v1/bodies/{other}/inbox")
        assert problem(refused, 403)["code"] == "api-forbidden"


async def test_a_token_of_a_body_that_left(api: Site, tmp_path: Path) -> None:
    """Its token still stands in the file: the agent says that it is not here."""
    grants = (tmp_path / "tokens").read_text(encoding="utf-8")
    (tmp_path / "tokens").write_text(grants.replace("alpha ", "gamma "), encoding="utf-8")
    async with api.caller("alpha") as alpha:
        assert problem(await alpha.get("http://agent/v1/bodies/gamma/inbox"), 404)["code"] == "body-not-here"
        (tmp_path / "tokens").write_text("?", encoding="utf-8")
        assert problem(await alpha.get("/inbox"), 500)["code"] == "tokens-invalid"


NO_LETTERS: list[tuple[Any, str, str]] = [
    (b"", "document-malformed", ""),
    (b"[" * 100_000, "document-malformed", ""),
    (b'{"message_id": "\xff"}', "document-encoding", ""),
    (letter(urgency="soon"), "document-invalid", "/urgency"),
    (letter(files=[{"name": "a.pdf", "content": "?"}]), "document-invalid", "/files/0/content"),
    (letter(files=[{"name": "../a.pdf", "content": "YQ=="}]), "file-name-unsafe", "/files/0/name"),
    (letter(files=[{"name": "a.pdf"}]), "file-missing", "/files/0/name"),
    (letter(to="x y"), "recipient-unknown", "/recipients/0"),
    (letter(message_id=""), "document-invalid", "/message_id"),
    (letter(sender={"body": "beta"}), "sender-differs", ""),
    (letter(files=[{"name": "a.bin", "content": "AAAA" * 250_000}]), "content-too-large", ""),
    (receipt("registered"), "document-unexpected", ""),
]


async def test_letters_that_are_none(alpha: httpx.AsyncClient) -> None:
    """The document's own errors, with a pointer to the field."""
    for content, code, field in NO_LETTERS:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        refused = await alpha.post("/letters", content=data, headers={"Content-Type": "application/json"})
        told = problem(refused, 422)
        assert (told["code"], told.get("field", ""), told["retriable"]) == (code, field, False)


async def test_content_that_is_not_read(alpha: httpx.AsyncClient) -> None:
    """Another media type, and more than a letter can have: said beforehand, or found on the way."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(asking.CONTENT_BYTES // 4)

    assert problem(await alpha.post("/letters", content=b"{}"), 415)["code"] == "api-media-type"
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    announced = await alpha.post("/letters", content=bytes(asking.CONTENT_BYTES + 1), headers=as_json)
    assert problem(announced, 413)["code"] == "api-too-large"
    assert problem(await alpha.post("/letters", content=chunks(), headers=as_json), 413)["code"] == "api-too-large"


async def test_parameters(alpha: httpx.AsyncClient) -> None:
    """Out of bounds, given twice, unknown."""
    for query in ("after=-1", "limit=0", "limit=101", "wait=61", "wait=x", "after=1&after=2", "to=1"):
        assert problem(await alpha.get(f"/inbox?{query}"), 400)["code"] == "api-parameter-invalid", query


async def test_what_is_not_there(alpha: httpx.AsyncClient) -> None:
    """Each says what was not found."""
    missing = {
        "/letters/m-0": "letter-unknown",
        "/letters/a%2Fb%20c": "letter-unknown",
        f"/inbox/{NOBODY}": "receipt-letter-unknown",
        "/inbox/none": "receipt-letter-unknown",
        f"/inbox/{NOBODY}/files/0": "receipt-letter-unknown",
        "/elsewhere": "api-operation-unknown",
    }
    for path, code in missing.items():
        assert problem(await alpha.get(path), 404)["code"] == code


async def test_receipts_that_are_none(api: Site, alpha: httpx.AsyncClient) -> None:
    """About no letter, a letter itself, and the exchange's own words."""
    refused = await alpha.post(f"/inbox/{NOBODY}/receipts", json=receipt("registered"))
    assert problem(refused, 404)["code"] == "receipt-letter-unknown"
    refused = await alpha.post(f"/inbox/{NOBODY}/receipts", json=letter())
    assert problem(refused, 422)["code"] == "document-unexpected"
    await alpha.post("/letters", json=letter())
    async with api.caller("beta") as beta:
        (arrived,) = (await beta.get("/inbox", params={"wait": 10})).json()["letters"]
        refused = await beta.post(f"/inbox/{arrived['id']}/receipts", json=receipt("accepted"))
        assert problem(refused, 422)["code"] == "event-unknown"
        for number in ("1", "-1", "x", "9" * 5000):
            assert problem(await beta.get(f"/inbox/{arrived['id']}/files/{number}"), 404)["code"] == "file-unknown"


async def test_another_method(api: Site, alpha: httpx.AsyncClient) -> None:
    """It is told which there are; what was counted names no path."""
    refused = await alpha.delete("/letters")
    assert problem(refused, 405)["code"] == "api-operation-unknown"
    await alpha.get("/letters")
    await alpha.get("/secret-path")
    assert api.counted() == {("elsewhere", "405"): 1, ("sentLetters", "200"): 1, ("elsewhere", "404"): 1}


async def test_a_bug_is_no_end(api: Site, alpha: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected is told and logged without its words, which may be a letter's."""
    desk = api.api._desk

    class Faulty(JsonFormat):
        def parse(self, package: Package, directory: Directory) -> DraftLetter:
            assert directory.version
            raise ZeroDivisionError(package.files["letter.json"])

    api.api._desk = replace(desk, boxes={"alpha": replace(desk.boxes["alpha"], format=Faulty())})
    refused = problem(await alpha.post("/letters", json=letter(title="secret")), 422)
    assert (refused["code"], "ZeroDivisionError" in refused["detail"]) == ("document-invalid", True)
    api.api._desk = replace(desk, boxes={"alpha": cast("Box", "secret")})
    refused = problem(await alpha.get("/letters"), 500)
    assert (refused["code"], "AttributeError" in refused["detail"]) == ("api-failed", True)
    assert "ZeroDivisionError in parse" in caplog.text
    assert "sentLetters failed: AttributeError in sent_letters" in caplog.text
    assert "secret" not in caplog.text


async def test_health_needs_no_token(api: Site) -> None:
    """And says nothing of bodies."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.api.application), base_url="http://agent"
    ) as stranger:
        answer = await stranger.get("/v1/health")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "bodies": 2})
        api.waiting_for = "alpha: spool-full"
        answer = await stranger.get("/v1/health")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "bodies": 2})


def test_a_body_has_so_many_requests_at_a_time() -> None:
    """One more is to come later; another body's come in."""
    gate = Gate(at_once=1)
    with gate.entered("alpha"), gate.entered("beta"), pytest.raises(ApiRefused) as refused, gate.entered("alpha"):
        pass
    assert (refused.value.code, refused.value.status, refused.value.retriable) == ("api-busy", 429, True)
    with gate.entered("alpha"):
        pass
