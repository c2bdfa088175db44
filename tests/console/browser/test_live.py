"""News in an open page: they are counted while rows stay, and a stream that was cut goes on."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Request, expect

from exchange.domain.delivery import Position
from exchange.domain.fact import ReceiptFact
from exchange.domain.ids import ZERO_DIGEST
from exchange.embedded.ports import choose_ports
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from tests.console.auth.people import Staff
from tests.console.browser.cutting import wire
from tests.console.browser.serving import OPERATOR, copied, serving
from tests.console.browser.visiting import visiting
from tests.console.seed import TOPIC, seeded_facts, seeded_terms
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

STREAM = "/api/v1/stream"


@pytest.fixture
def written(seeded: Store, tmp_path: Path) -> Iterator[Store]:
    """Two months of letters, and more to come."""
    with Store(f"sqlite:///{copied(seeded, tmp_path / 'tracker.db')}") as store:
        yield store


def happen(store: Store, number: int) -> None:
    """The tracker takes one receipt more."""
    last = [fact for fact in seeded_facts() if isinstance(fact, ReceiptFact)][-1]
    place = Position(last.position.partition, 1_000_000 + number)
    told = replace(last, position=place)
    store.take([told], [PositionRow(TOPIC, place.partition, place.offset, ZERO_DIGEST)], terms=seeded_terms())


async def test_news_are_counted_and_the_stream_goes_on(
    chromium: Browser, axe: str, written: Store, everybody: Staff, tmp_path: Path
) -> None:
    """One new, and no row moved; the console goes away and comes back: that is said, and nothing is missed."""
    assert axe
    (port,) = choose_ports(1, tmp_path)  # one that nobody is given by chance while the console is away
    async with AsyncExitStack() as visits:
        async with serving(written, everybody, port) as console:
            page = await visits.enter_async_context(visiting(chromium, console.url, OPERATOR))
            async with page.expect_response("**/api/v1/stream*"):
                await page.goto("/letters")
            await expect(page.locator("[data-live-words]").first).to_contain_text("live")
            rows = await page.locator("tbody tr").all_inner_texts()
            happen(written, 1)
            await expect(page.locator("[data-news]")).to_have_text("1 new")
            assert await page.locator("tbody tr").all_inner_texts() == rows
            await expect(page.locator("#stale")).to_be_hidden()
        await expect(page.locator("#stale")).to_be_visible()
        happen(written, 2)
        async with serving(written, everybody, port):
            await expect(page.locator("#stale")).to_be_hidden()
            await expect(page.locator("[data-news]")).to_have_text("2 new")


async def test_one_connection_is_cut(chromium: Browser, axe: str, written: Store, everybody: Staff) -> None:
    """The stream's alone, while the console is there: the page asks from where it was, and counts nothing twice."""
    assert axe
    asked: list[Request] = []
    async with AsyncExitStack() as visits:
        line = await visits.enter_async_context(wire())
        console = await visits.enter_async_context(serving(written, everybody, through=line.url))
        line.port = int(console.url.rpartition(":")[2])
        page = await visits.enter_async_context(visiting(chromium, line.url, OPERATOR))
        await expect(page.locator("[data-live-words]").first).to_contain_text("live")
        page.on("request", lambda told: asked.append(told) if STREAM in told.url else None)
        await page.goto("/letters")
        await expect(page.locator("[data-live-words]").first).to_contain_text("live")
        happen(written, 1)
        await expect(page.locator("[data-news]")).to_have_text("1 new")
        assert len(asked) == 1, "a page holds one stream"
        async with page.expect_response(f"**{STREAM}*"):
            assert line.cut(STREAM), "the page's stream; that of the page before may be closing still"
        happen(written, 2)
        await expect(page.locator("[data-news]")).to_have_text("2 new")
        await expect(page.locator("#stale")).to_be_hidden()
    assert "last-event-id" not in asked[0].headers
    assert "last-event-id" in asked[-1].headers


async def test_two_tabs(chromium: Browser, axe: str, written: Store, everybody: Staff) -> None:
    """Each has its own news; signing out in one ends the other, whose old form changes nothing."""
    assert axe
    async with (
        serving(written, everybody) as console,
        visiting(chromium, console.url, OPERATOR) as page,
    ):
        other = await page.context.new_page()
        await page.goto("/letters")
        await other.goto("/failures")
        await other.locator("article.failure button.caution").first.wait_for()
        happen(written, 1)
        await expect(page.locator("[data-news]")).to_have_text("1 new")
        await page.bring_to_front()
        await page.click("[data-news]")
        await expect(page.locator("[data-news]")).to_be_hidden()
        await page.click("form.who button")
        await expect(page.locator("form.who")).to_have_count(0)
        await other.bring_to_front()
        await other.locator("article.failure button.caution").first.click()
        await expect(other.locator("h1")).to_have_text("You are not signed in")
