"""The audit trail by the API: for auditors, page by page, and beside the letter concerned."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_api
from exchange.store.database import Store
from tests.console.acts import act
from tests.console.api.test_letters import LETTERS, digest, got
from tests.console.site import ConsoleSite, console_site
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill


@pytest.fixture
def site(told: SyntheticJournal, tracked: Store, tmp_path: Path) -> ConsoleSite:
    """A console in which somebody did something."""
    fill(tracked, told.records)
    made = console_site(tracked, told, tmp_path)
    registry = CollectorRegistry()
    return ConsoleSite(made.desk, registry, create_api(made.desk, registry), made.tokens)


async def test_who_did_what(site: ConsoleSite) -> None:
    """The youngest first, by any filter; `next` leads through all."""
    first = await digest(site, "first")
    act(site.desk.store, 1)
    act(site.desk.store, 2, first, action="redrive", task="task-1", reason="lost there")
    act(site.desk.store, 3, person="aida")
    path, seen = "/api/v1/acts?limit=1", []
    while path:
        page = (await got(site, path, "aida")).json()
        seen += [(each["action"], each["person"], each["position"]) for each in page["items"]]
        path = page["next"]
    assert seen == [("sign-in", "aida", "0:1003"), ("redrive", "olga", "0:1002"), ("sign-in", "olga", "0:1001")]
    for query, number in ((f"letter={first}", 1), ("task=task-1", 1), ("person=olga", 2), ("action=none", 0)):
        assert len((await got(site, f"/api/v1/acts?{query}", "aida")).json()["items"]) == number


async def test_acts_beside_their_letter(site: ConsoleSite) -> None:
    """For whoever may see them; others are told that they may not."""
    first = await digest(site, "first")
    act(site.desk.store, 1, first, action="redrive", reason="lost there")
    story = (await got(site, f"{LETTERS}/{first}", "aida")).json()
    assert [(each["action"], each["reason"]) for each in story["acts"]] == [("redrive", "lost there")]
    assert (await got(site, f"{LETTERS}/{first}", "olga")).json()["acts"] is None
    assert (await got(site, f"{LETTERS}/{first}", "beta")).json()["acts"] is None


@pytest.mark.parametrize("login", ["olga", "alpha"])
async def test_the_trail_is_for_auditors(site: ConsoleSite, login: str) -> None:
    """An operator does not look over the auditors' shoulders."""
    answer = await got(site, "/api/v1/acts", login)
    assert (answer.status_code, answer.json()["code"]) == (403, "right-missing")


@pytest.mark.parametrize(
    "query", ["letter=abc", "since=2026-01-01T00:00:00", f"person={'x' * 65}", "after=x", "who=me"]
)
async def test_queries_that_are_refused(site: ConsoleSite, query: str) -> None:
    """With a code, before the database is asked."""
    answer = await got(site, f"/api/v1/acts?{query}", "aida")
    assert (answer.status_code, answer.json()["code"]) in {(400, "api-parameter-invalid"), (400, "cursor-invalid")}
