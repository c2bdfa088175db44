"""axe-core finds nothing to say about any page, in any language, light or dark (WCAG 2.2, levels A and AA)."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPMethod
from itertools import chain

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, StorageState
from starlette.routing import Match, Route

from tests.console.browser.conftest import BROKEN
from tests.console.browser.serving import BODY, EVERYTHING
from tests.console.browser.visiting import PATIENCE_MS, sign_in
from tests.console.seed import failing_letter, letter_to
from tests.console.seed_notes import CASE
from tests.console.seed_tasks import LOOKED_AT, task_of
from tests.console.served import Reached
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

LANGUAGES = ("ky", "ru", "en")
DARK = "ky"
"""Pages are looked at in the dark in one language: colours are the same in all."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""Rules whose answer may be another in the dark."""
REFUSED = f"/letters/{failing_letter()}/content"
"""A page that is not for whoever signed in, though it is there."""
PAGES = (
    "/",
    "/letters?state=failing",
    "/letters?state=no-such&to=nobody",
    f"/letters/{failing_letter()}",
    f"/letters/{letter_to(BODY)}/content",
    REFUSED,
    "/failures",
    "/failures/note?reason=hand-over-failed&from=mfa&to=natstatkom",
    "/tasks",
    *(f"/tasks/{task_of(name)}?first=90" for name in LOOKED_AT),
    "/tasks/no-such-task",
    "/routes",
    "/bodies",
    "/bodies/minjust",
    "/report?month=2026-10",
    "/alerts",
    "/alerts/overdue",
    "/audit",
    "/audit?person=nobody&from=never",
    "/audit/checks/no-such-check",
    "/enrolment",
    f"/enrolment/{CASE}",
    "/search?q=nothing-has-this",
    "/account",
    "/account/password",
    "/no-such-page",
    BROKEN,
)
STRANGERS_PAGE = "/sign-in"
NO_PAGES = (
    "/api",
    "/audit/export",
    "/letters/{digest}/content/",
    "/letters/{digest}/evidence",
    "/sign-in/provider",
    "/static",
)
NO_PAGE = ".csv"
"""Beginnings of addresses that answer with files, or need a provider or a journal."""

RUN = """async (rules) => {
    const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    const told = (node) => `${node.target.join(" ")}: ${node.failureSummary}: ${node.html.slice(0, 160)}`;
    return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${told(node)}`));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tabs(chromium: Browser, console: Reached, axe: str) -> AsyncIterator[dict[str, Page]]:
    """A tab for each language, in which the same person is signed in."""
    context = await chromium.new_context(base_url=console.url)
    context.set_default_timeout(PATIENCE_MS)
    await sign_in(await context.new_page(), EVERYTHING)
    state = await context.storage_state()
    await context.close()
    contexts = [await _context(chromium, console, language, axe, state) for language in LANGUAGES]
    yield {language: await each.new_page() for language, each in zip(LANGUAGES, contexts, strict=True)}
    for each in contexts:
        await each.close()


async def _context(
    chromium: Browser, console: Reached, language: str, axe: str, state: StorageState | None
) -> BrowserContext:
    context = await chromium.new_context(
        base_url=console.url, locale=language, storage_state=state, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    cookies = {"lang": language, "theme": "light"}
    await context.add_cookies([{"name": name, "value": value, "url": console.url} for name, value in cookies.items()])
    await context.add_init_script(axe)
    return context


async def violations(page: Page, path: str, *, is_dark_too: bool) -> list[str]:
    """What axe finds wrong with a page in the light, and with its colours in the dark."""
    await page.goto(path, wait_until="domcontentloaded")
    found = [f"light {path}: {each}" for each in await page.evaluate(RUN, {"type": "tag", "values": TAGS})]
    if is_dark_too:
        await page.evaluate("document.documentElement.dataset.theme = 'dark'")
        dark = await page.evaluate(RUN, {"type": "rule", "values": COLOURS})
        found += [f"dark {path}: {each}" for each in dark]
    return found


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_accessible(tabs: dict[str, Page], path: str) -> None:
    """Every page of who is signed in."""
    found = await asyncio.gather(*(violations(page, path, is_dark_too=each == DARK) for each, page in tabs.items()))
    assert list(chain.from_iterable(found)) == []


async def test_a_check_is_accessible(tabs: dict[str, Page]) -> None:
    """Begun by its button, with what was found; one language after the other, for there is one at a time."""
    for page in tabs.values():
        for path in ("/audit/replay", "/audit/log"):
            await page.goto("/audit?place=0:4")
            await page.click(f"form[action='{path}'] button")
            await page.wait_for_selector(".tag-bad")
            assert await violations(page, page.url, is_dark_too=True) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_signing_in_is_accessible(chromium: Browser, console: Reached, axe: str, language: str) -> None:
    """The one page of strangers."""
    context = await _context(chromium, console, language, axe, None)
    assert await violations(await context.new_page(), STRANGERS_PAGE, is_dark_too=True) == []
    await context.close()


async def test_no_page_is_left_out(console: Reached) -> None:
    """Each address that answers with a page is among those that are looked at."""
    routes = [route for route in console.application.routes if isinstance(route, Route)]
    pages = [route for route in routes if "GET" in (route.methods or ()) and _is_page(route.path)]
    looked_at = [path.partition("?")[0] for path in (*PAGES, STRANGERS_PAGE)]
    missed = [route.path for route in pages if not any(_answers(route, path) for path in looked_at)]
    assert missed == []


def _is_page(path: str) -> bool:
    return not path.startswith(NO_PAGES) and not path.endswith(NO_PAGE)


def _answers(route: Route, path: str) -> bool:
    scope = {"type": "http", "method": HTTPMethod.GET, "path": path}
    return route.matches(scope)[0] is Match.FULL
