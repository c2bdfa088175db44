"""Checks begun on the page: by auditors only, read-only, with their results, in words that no redelivery has."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.checks import Checking, Checks
from tests.console.auth.people import Remembered
from tests.console.seeded_checks import SeededChecker
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite, iter_ids
from tests.console.test_checks import checker
from tests.journal.synthetic import SyntheticJournal, busiest

STRETCH = {"place": "0:0", "count": "60"}


@dataclass
class Checked:
    """A console whose journal is checked."""

    site: ConsoleSite
    checks: Checks
    kept: Remembered
    partition: int

    def whole(self, *, ranged: bool = True) -> dict[str, str]:
        """The form that asks for a whole partition."""
        return {"place": f"{self.partition}:0", "count": "60"} if ranged else {}

    async def begun(self, path: str, **form: str) -> str:
        """The page of a check that is done."""
        async with self.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
            answer = await client.post(path, data=form)
            assert answer.status_code == 303, answer.text[:300]
            while self.checks.is_busy:  # noqa: ASYNC110 - nobody but tests waits for it
                await asyncio.sleep(0)
            return (await client.get(answer.headers["location"])).text


@asynccontextmanager
async def checking(
    standing: ConsoleSite, told: SyntheticJournal, alter: int | None = None, checker_of_log: Checking | None = None
) -> AsyncIterator[Checked]:
    """A console that does what is begun; the tracker has taken the whole story."""
    kept = Remembered()
    doing = checker_of_log or checker(told, standing.desk.store, alter)
    checks = Checks(doing, kept, standing.desk.now, iter_ids().__next__)
    desk = replace(standing.desk, acts=kept, checks=checks)
    site = replace(standing, desk=desk, application=create_app(desk, CollectorRegistry()))
    task = asyncio.create_task(checks.run())
    yield Checked(site, checks, kept, busiest(told))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest_asyncio.fixture
async def checked(standing: ConsoleSite, told: SyntheticJournal) -> AsyncIterator[Checked]:
    """Over a sound journal."""
    async with checking(standing, told) as found:
        yield found


@pytest_asyncio.fixture
async def damaged(standing: ConsoleSite, told: SyntheticJournal) -> AsyncIterator[Checked]:
    """Over a journal in which a bit was turned."""
    last = max(at for at, each in enumerate(told.records) if each.position.partition == busiest(told))
    async with checking(standing, told, last) as found:
        yield found


@pytest.mark.parametrize(("path", "ranged"), [("/audit/replay", True), ("/audit/verify", False)])
async def test_a_sound_journal(checked: Checked, path: str, *, ranged: bool) -> None:
    """Says so, and that it stands in the journal; the page of acts lists the check."""
    page = await checked.begun(path, **checked.whole(ranged=ranged))
    assert "Everything holds" in page
    assert 'data-hx-get="/audit/checks/' not in page
    name = path.rsplit("/", 1)[1]
    assert checked.kept.actions == [name, f"{name}-result"]
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        assert 'href="/audit/checks/request-1"' in (await client.get("/audit")).text


async def test_what_stands_there(checked: Checked) -> None:
    """A line for each record, with the letter's link; nothing that people wrote."""
    page = await checked.begun("/audit/replay", **checked.whole())
    places = re.findall(r'<th scope="row"><code>([0-9]+:[0-9]+)</code>', page)
    assert len(places) == len(set(places)) > 2
    assert re.search(r'href="/letters/[0-9a-f]{64}"', page)
    assert "a receipt" in page


@pytest.mark.parametrize(("path", "ranged"), [("/audit/replay", True), ("/audit/verify", False)])
async def test_a_damaged_journal(damaged: Checked, path: str, *, ranged: bool) -> None:
    """Says what was found, and where."""
    page = await damaged.begun(path, **damaged.whole(ranged=ranged))
    assert "Something was found" in page
    assert "<h2>Findings</h2>" in page


async def test_a_log_in_which_something_was_altered(standing: ConsoleSite, told: SyntheticJournal) -> None:
    """Says under which checkpoint, and names file and entry; it is listed with the other checks."""
    async with checking(standing, told, checker_of_log=SeededChecker(standing.desk.now())) as checked:
        page = await checked.begun("/audit/log", days="7")
        assert "Verification of the log, last 7 days" in page
        assert "cosigned by 2 witnesses" in page
        assert "<code>log/journal/0/tile/entries/000.p/9:3</code>" in page
        assert "an entry is not the one that its tile was made of" in page
        assert checked.kept.actions == ["verify-log", "verify-log-result"]
        async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
            listed = (await client.get("/audit")).text
            assert "Verification of the log, last 7 days</a>" in listed
            assert 'action="/audit/log"' in listed
            assert (await client.post("/audit/log", data={"days": "8"})).status_code == 422


async def test_without_an_archive(checked: Checked) -> None:
    """The log is not offered; who asks for it all the same is told."""
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        assert 'action="/audit/log"' not in (await client.get("/audit")).text
    page = await checked.begun("/audit/log", days="1")
    assert "check-log-missing" in page


async def test_ranges_that_are_none(checked: Checked) -> None:
    """Are told on the page; nothing is begun."""
    wrong = [{}, {"place": "0"}, {"place": "0:x", "count": "1"}, {"place": "9:1", "count": "1"}]
    wrong += [{"place": "0:1", "count": count} for count in ("0", "501", "-1", "many")]
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        for form in wrong:
            answer = await client.post("/audit/replay", data=form)
            assert (answer.status_code, 'href="#f-place"' in answer.text) == (422, True), form
    assert checked.kept.acts == []


async def test_who_begins_none(checked: Checked) -> None:
    """Neither an operator nor a body's administrator; and there is no check of a made-up name."""
    for login in (OPERATOR, "alpha"):
        async with checked.site.client(login, Accept="text/html", Accept_Language="en") as client:
            for path in ("/audit/verify", "/audit/replay", "/audit/log"):
                assert (await client.post(path, data=STRETCH)).status_code == 403
            assert (await client.get("/audit/checks/request-1")).status_code == 403
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        assert (await client.get("/audit/checks/none")).status_code == 404
    assert checked.kept.acts == []


async def test_a_place_of_an_act_fills_the_form(checked: Checked) -> None:
    """And nothing else from the address does."""
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        assert 'value="0:1003"' in (await client.get("/audit?place=0:1003")).text
        strange = (await client.get('/audit?place="onfocus=x')).text
    assert 'id="f-place" name="place" type="text" value=""' in strange


async def test_replay_is_no_redelivery(checked: Checked) -> None:
    """Another word, another look, another right."""
    async with checked.site.client(AUDITOR, Accept="text/html", Accept_Language="en") as client:
        page = (await client.get("/audit")).text
    assert 'class="look"' in page
    assert "caution" not in page
    assert "/tasks/preview" not in page
