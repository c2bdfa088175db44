"""Many deliveries at once by the API; and whose numbers they are to see."""

import pytest

from tests.console.api.test_letters import got
from tests.console.site import ConsoleSite


async def test_now(site: ConsoleSite) -> None:
    """Of everything; for a body of its own."""
    told = (await got(site, "/api/v1/now")).json()
    assert told["failing"] == {"sender": 2}
    assert told["budget"]["volume"] == 4
    own = (await got(site, "/api/v1/now", "beta")).json()
    assert own["failing"] == {}
    assert own["budget"]["volume"] == 1
    assert "gamma" not in str(own)


async def test_failures(site: ConsoleSite) -> None:
    """Each with the way to the list of its deliveries."""
    groups = (await got(site, "/api/v1/failures")).json()["items"]
    assert {(group["sender"], group["recipient"], group["state"], group["number"]) for group in groups} == {
        ("alpha", "nobody", "rejected", 1),
        ("alpha", "gamma", "refused", 1),
    }
    for group in groups:
        (line,) = (await got(site, group["href"])).json()["items"]
        assert line["letter"]["digest"] == group["samples"][0]
    assert (await got(site, "/api/v1/failures", "beta")).json()["items"] == []


async def test_routes(site: ConsoleSite) -> None:
    """From and to the own body only, for one of its administrators."""
    found = (await got(site, "/api/v1/routes?days=30")).json()["items"]
    assert {(route["sender"], route["recipient"]) for route in found} >= {("alpha", "beta"), ("gamma", "alpha")}
    assert found[0]["delivery"] is None or found[0]["delivery"]["p50"] >= 0
    own = (await got(site, "/api/v1/routes", "beta")).json()["items"]
    assert [(route["sender"], route["recipient"]) for route in own] == [("alpha", "beta")]


async def test_bodies(site: ConsoleSite) -> None:
    """All of the directory, or the own one; others are not there."""
    every = (await got(site, "/api/v1/bodies", "aida")).json()
    assert [body["code"] for body in every["items"]] == ["alpha", "beta", "gamma"]
    assert all(body["last"] for body in every["items"])
    assert [body["code"] for body in (await got(site, "/api/v1/bodies", "beta")).json()["items"]] == ["beta"]
    beta = (await got(site, "/api/v1/bodies/beta", "beta")).json()
    assert beta["received"] == 1
    assert beta["certificates"][0]["use"] == "statement"
    for code, login in (("gamma", "beta"), ("nobody", "olga"), ("nobody", "beta"), ("%00", "olga")):
        answer = await got(site, f"/api/v1/bodies/{code}", login)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_the_report(site: ConsoleSite) -> None:
    """Of the month that is asked for, or the present one."""
    present = (await got(site, "/api/v1/report")).json()
    assert present == (await got(site, "/api/v1/report?month=2026-03")).json()
    assert {line["body"] for line in present["items"]} == {"alpha", "beta", "gamma", "nobody"}
    assert (await got(site, "/api/v1/report?month=2025-12")).json() == {"month": "2025-12", "items": []}
    assert {line["body"] for line in (await got(site, "/api/v1/report", "beta")).json()["items"]} == {"beta"}


@pytest.mark.parametrize("query", ["month=2026-13", "month=26-01", "month=2026-01-01", "days=1", "month=0000-01"])
async def test_months_that_are_none(site: ConsoleSite, query: str) -> None:
    """Are refused."""
    answer = await got(site, f"/api/v1/report?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "api-parameter-invalid")
