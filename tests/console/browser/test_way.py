"""The way of an operator through the console, by a browser: with scripts, without, by the keyboard, on a phone."""

import pytest
from playwright.async_api import Browser, Page, expect

from exchange.domain.fact import LetterFact, ReceiptFact
from tests.console.auth.people import PASSWORD
from tests.console.browser.serving import OPERATOR
from tests.console.browser.visiting import visiting
from tests.console.seed import failing_letter, letter_to, seeded_facts
from tests.console.seed_tasks import SEEDED, task_of
from tests.console.served import Reached
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

LETTER = failing_letter()
REGISTERED = letter_to("minekonom")
PHONE = {"width": 390, "height": 844}
PAGES = (
    "/",
    "/letters",
    f"/letters/{LETTER}",
    "/failures",
    "/tasks",
    *(f"/tasks/{task_of(name)}" for name in SEEDED),
    "/routes",
    "/bodies",
    "/bodies/minjust",
    "/report",
    "/alerts",
    "/alerts/overdue",
    "/account",
    "/search?q=nothing",
)


def ids_of(letter: str) -> list[str]:
    """By what people know it: its digest, the beginning of that, and the numbers at sender and recipient."""
    facts = [each for each in seeded_facts() if isinstance(each, LetterFact | ReceiptFact)]
    told = [each for each in facts if each.letter.hex() == letter]
    sent = next(each for each in told if isinstance(each, LetterFact))
    numbers = [each.registration.number for each in told if isinstance(each, ReceiptFact) and each.registration.number]
    return [letter, letter[:10], sent.message_id, sent.document.document_id, sent.document.number, numbers[0]]


async def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Move by the keyboard alone until an element has the focus, which is to be seen."""
    wanted = page.locator(selector).first
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("element => element === document.activeElement"):
            outline = await wanted.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none"
            return
    message = f"{selector} is not reached by {most} presses of Tab"
    raise AssertionError(message)


async def test_any_id_lands_on_its_letter(chromium: Browser, console: Reached) -> None:
    """Pasted into the box at the top."""
    async with visiting(chromium, console.url, OPERATOR) as page:
        for text in ids_of(REGISTERED):
            await page.fill("#search", text)
            await page.press("#search", "Enter")
            await page.wait_for_url(f"**/letters/{REGISTERED}")
            await page.goto("/account")


async def test_an_operator_works(chromium: Browser, console: Reached) -> None:
    """Filters without loading the page, opens a group of failures, takes the list out, signs out."""
    async with visiting(chromium, console.url, OPERATOR) as page:
        await page.goto("/letters")
        await page.select_option("#f-state", "hand-over-failed")
        await page.wait_for_url("**/letters?*state=hand-over-failed*")
        await expect(page.locator("#found .chip")).to_contain_text("hand-over-failed")
        await page.goto("/failures")
        group = page.locator("article.failure a.count").first
        number = await group.inner_text()
        await group.click()
        await expect(page.locator("#found .list-line strong")).to_have_text(number)
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="CSV").click()
        lines = (await (await downloading.value).path()).read_text(encoding="utf-8").splitlines()
        assert len(lines) == int(number) + 1
        await page.click("form.who button")
        await expect(page.locator("form.who")).to_have_count(0)
        await page.goto("/letters")
        await page.wait_for_url("**/sign-in?next=%2Fletters")


async def test_the_troubles_are_seen_at_once(chromium: Browser, console: Reached) -> None:
    """On the first page without scrolling: the failing route, the silent body; each leads to what to do."""
    async with visiting(chromium, console.url, OPERATOR, viewport={"width": 1280, "height": 800}) as page:
        for name in ("Failing most", "Silent bodies"):
            heading = page.get_by_role("heading", name=name)
            box = await heading.bounding_box()
            assert box is not None
            assert box["y"] < 600
        await page.get_by_role("link", name="What to do").click()
        await page.wait_for_url("**/alerts/body-silent")


async def test_it_works_without_scripts(chromium: Browser, console: Reached) -> None:
    """Signing in, the list, a filter and a letter."""
    async with visiting(chromium, console.url, OPERATOR, java_script_enabled=False) as page:
        await page.goto("/letters")
        await page.select_option("#f-state", "hand-over-failed")
        await page.click("form.filters button")
        await page.wait_for_url("**/letters?*state=hand-over-failed*")
        await page.click("tbody th a.id >> nth=0")
        await page.wait_for_url("**/letters/*")
        assert await page.locator("h1").count() == 1


async def test_it_works_by_the_keyboard(chromium: Browser, console: Reached) -> None:
    """Signing in, a letter by the search box, then a look at its redelivery; no pointer is moved."""
    async with visiting(chromium, console.url) as page:
        await page.goto("/sign-in")
        await tab_to(page, "#f-login")
        await page.keyboard.type(OPERATOR)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{console.url}/")
        await page.keyboard.press("/")
        await page.keyboard.type(LETTER[:12])
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/letters/{LETTER}")
        await tab_to(page, "button.caution")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/tasks/*")
        await tab_to(page, "#f-reason")


async def test_pages_fit_a_phone(chromium: Browser, console: Reached) -> None:
    """No page scrolls sideways; the filters of the list are folded, and open when they are asked for."""
    async with visiting(chromium, console.url, OPERATOR, viewport=PHONE) as page:
        wide = []
        for path in PAGES:
            await page.goto(path, wait_until="domcontentloaded")
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)
        assert wide == []
        await page.goto("/letters")
        await expect(page.locator("#f-state")).to_be_hidden()
        await page.locator("details.foldable > summary").click()
        await expect(page.locator("#f-state")).to_be_visible()
