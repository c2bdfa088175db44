"""The API's operations, from a letter's way out to the last word about it."""

import asyncio
from typing import Any

import httpx

from exchange.agent.spool.outgoing import OutgoingState
from tests.services.api.site import Site, letter, receipt

WAITED = 60
"""Seconds, as long as a request may wait for letters."""


async def told(awaited: Any, status: int) -> dict[str, Any]:
    """The JSON of an answer that has this status."""
    answer: httpx.Response = await awaited
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_letter_there_and_its_answers_back(api: Site) -> None:
    """Sent, received, read, its file got, taken, registered: and the sender hears of each step."""
    async with api.caller("alpha") as alpha, api.caller("beta") as beta:
        sent = await alpha.post("/letters", json=letter())
        assert sent.status_code == 202
        assert sent.json() == {"message_id": "m-1", "is_new": True}
        assert sent.headers["location"] == "/v1/bodies/alpha/letters/m-1"

        page = await told(beta.get("/inbox", params={"wait": WAITED}), 200)
        (summary,) = page["letters"]
        assert (summary["sender"], summary["title"], summary["files"]) == ("alpha", "О переходе", 1)

        arrived = await told(beta.get(f"/inbox/{summary['id']}"), 200)
        assert arrived["letter"]["sender"]["body"] == "alpha"
        assert "content" not in arrived["letter"]["files"][0]
        (link,) = arrived["links"]
        file = await beta.get(link["href"].removeprefix("/v1/bodies/beta"))
        assert file.content == b"%PDF-1.7\n"
        assert file.headers["content-type"] == "application/pdf"
        assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%9F%D0%B8")
        assert file.headers["x-content-type-options"] == "nosniff"

        said = await told(beta.post(f"/inbox/{summary['id']}/receipts", json=receipt("handed-over")), 202)
        assert said == {"letter": summary["id"], "event": "handed-over"}
        registered = receipt("registered", reg_number="01-7/5", reg_date="2026-03-01")
        for _ in range(2):
            await told(beta.post(f"/inbox/{summary['id']}/receipts", json=registered), 202)

        heard: list[dict[str, Any]] = []
        cursor = 0
        while len(heard) < 3:
            page = await told(alpha.get("/receipts", params={"after": cursor, "wait": WAITED}), 200)
            heard, cursor = heard + page["receipts"], page["cursor"]
        assert [each["event"] for each in heard] == ["delivered", "handed-over", "registered"]
        assert {each["message_id"] for each in heard} == {"m-1"}
        assert heard[2]["reg_number"] == "01-7/5"
        status = await told(alpha.get("/letters/m-1"), 200)
        assert (status["state"], status["id"]) == (OutgoingState.TAKEN, summary["id"])
        assert [each["event"] for each in status["receipts"]] == ["delivered", "handed-over", "registered"]
        (last,) = (await told(alpha.get("/letters"), 200))["letters"]
        assert last | {"receipts": status["receipts"]} == status


async def test_a_call_that_is_repeated_sends_once(api: Site) -> None:
    """The same bytes are accepted again; another letter with that id is refused with its code."""
    async with api.caller("alpha") as alpha:
        first = await told(alpha.post("/letters", json=letter(), headers={"Idempotency-Key": "m-1"}), 202)
        again = await told(alpha.post("/letters", json=letter()), 202)
        assert (first["is_new"], again["is_new"]) == (True, False)
        other = await told(alpha.post("/letters", json=letter(title="О другом")), 409)
        assert other["code"] == "message-id-repeated"
        assert other["type"] == "urn:exchange:error:message-id-repeated"
        differing = await told(alpha.post("/letters", json=letter("m-2"), headers={"Idempotency-Key": "m-3"}), 422)
        assert differing["code"] == "idempotency-key-differs"
        assert len((await told(alpha.get("/letters"), 200))["letters"]) == 1


async def test_waiting_ends_with_the_agent(api: Site) -> None:
    """Whoever waits for letters is answered at once, with the cursor that it had."""
    async with api.caller("beta") as beta:
        waiting = asyncio.create_task(told(beta.get("/inbox", params={"after": 7, "wait": WAITED}), 200))
        await asyncio.sleep(0.05)
        api.polls.end()
        async with asyncio.timeout(WAITED - 1):
            assert await waiting == {"letters": [], "cursor": 7}
            assert (await told(beta.get("/receipts", params={"wait": WAITED}), 200))["receipts"] == []
