"""Letting a body in by browsers: one person enters its request, another approves what the tracker has seen of it."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.desk import Site
from exchange.domain.ids import digest
from exchange.store.database import Store
from tests.console.auth.people import Staff, staffed
from tests.console.browser.serving import AUDITOR, EVERYTHING, OPERATOR, no_program, people_of
from tests.console.browser.test_accessibility import violations
from tests.console.browser.visiting import visiting
from tests.console.enrolling import CODE, Way
from tests.console.seeded import seeded_desk
from tests.console.served import Made, Reached, reached
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

REASON = "letter 12-3/45; SHA-256 confirmed by A. Usonov"


@pytest_asyncio.fixture(loop_scope="session")
async def entered(axe: str, tracked: Store, empty_desk: Path, tmp_path: Path) -> AsyncIterator[tuple[Way, Reached]]:
    """A console at which nobody asked for anything, and a body of which nothing is known."""
    assert axe
    with staffed(shutil.copyfile(empty_desk, tmp_path / "desk.db")) as staff:
        way = Way(tracked, people_of(staff).desk, acts=staff.acts)
        async with reached(lambda url: _made(way, staff, url)) as console:
            yield way, console


def _made(way: Way, staff: Staff, url: str) -> Made:
    desk = replace(
        seeded_desk(way.store, None, url, tasks=staff.desk),
        site=Site(url),
        identify=no_program,
        directory=lambda: way.directory,
        people=staff.people(url),
        own=staff.desk,
        acts=staff.acts,
    )
    return desk, create_app(desk, CollectorRegistry())


async def test_one_asks_and_another_approves(chromium: Browser, entered: tuple[Way, Reached], axe: str) -> None:
    """The author's page has no such button; the second person's has one when the test exchange has passed."""
    way, console = entered
    async with (
        visiting(chromium, console.url, OPERATOR) as author,
        visiting(chromium, console.url, EVERYTHING) as second,
    ):
        await author.goto("/enrolment")
        await author.fill("#f-request", way.request)
        await author.locator("form:has(#f-request) [name=reason]").fill(REASON)
        await author.get_by_role("button", name="Ask for approval").first.click()
        await author.wait_for_url("**/enrolment/*")
        await expect(author.locator("main")).to_contain_text(digest(way.request.encode()).hex())
        await expect(author.get_by_text("another person must answer")).to_be_visible()
        await expect(author.get_by_role("button", name="Approve")).to_have_count(0)
        await second.goto("/enrolment")
        await second.locator("article.case h3 a").click()
        await expect(second.get_by_text("approved once the test exchange has passed")).to_be_visible()
        await expect(second.get_by_role("button", name="Approve")).to_have_count(0)
        way.grant()
        way.exchange()
        await second.reload()
        await second.get_by_role("button", name="Approve").click()
        await expect(second.locator("main .tag").first).to_have_text("Approved")
        await expect(second.locator("main")).to_contain_text(f"exchange directory connect {CODE} --reason")
        await second.context.add_init_script(axe)
        path = second.url.removeprefix(console.url)
        assert await violations(second, path, is_dark_too=True) == []
        await author.reload()
        await expect(author.locator("main")).to_contain_text(f"Answered by{EVERYTHING}")


async def test_it_is_not_for_auditors(chromium: Browser, entered: tuple[Way, Reached]) -> None:
    """The menu does not name it; its address is refused."""
    _, console = entered
    async with visiting(chromium, console.url, AUDITOR) as page:
        await expect(page.locator("nav.menu")).not_to_contain_text("Enrolment")
        answer = await page.goto("/enrolment")
        assert answer is not None
        assert answer.status == 403
