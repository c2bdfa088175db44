"""What each role comes for, and where it is refused, by a browser."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from exchange.store.database import Store
from tests.console.auth.people import PASSWORD, Staff, staffed
from tests.console.browser.conftest import BROKEN
from tests.console.browser.serving import ADMINISTRATOR, AUDITOR, BODY, EVERYTHING, OPERATOR, people_of, serving
from tests.console.browser.visiting import visiting
from tests.console.seed import failing_letter, letter_to
from tests.console.served import Reached
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

FOREIGN = failing_letter()
OWN = letter_to(BODY)
MANY_ATTEMPTS = 12


async def opened(page: Page, path: str) -> int:
    """Go to an address; its status."""
    answer = await page.goto(path)
    assert answer is not None
    return answer.status


async def test_an_administrator_sees_the_own_body(chromium: Browser, console: Reached) -> None:
    """Lists of it alone; another's letter, body and task are not there; what a letter says after a word of warning."""
    async with visiting(chromium, console.url, ADMINISTRATOR) as page:
        await page.goto("/letters")
        own = page.locator(f'a.body[href="/bodies/{BODY}"]')
        assert await own.count() >= await page.locator("tbody tr").count()
        assert [await opened(page, path) for path in (f"/letters/{FOREIGN}", "/bodies/mfa")] == [404, 404]
        assert [await opened(page, path) for path in ("/tasks", "/tasks/0000000000000000")] == [403, 403]
        await expect(page.locator("h1")).to_have_text("This is not for your role")
        await expect(page.locator("nav.menu")).not_to_contain_text("Tasks")
        await page.goto(f"/letters/{OWN}")
        await expect(page.locator("button.caution")).to_have_count(0)
        await expect(page.get_by_text("That you read it will stand in the journal.")).to_be_visible()
        await page.get_by_role("link", name="Read the letter").click()
        await expect(page.get_by_text("That you read this stands in the journal.")).to_be_visible()
        async with page.expect_download() as downloading:
            await page.locator("main ul a[download]").first.click()
        assert (await downloading.value).suggested_filename.endswith(".pdf")


async def test_an_operator_reads_no_letter(chromium: Browser, console: Reached) -> None:
    """The letter's page says who may; the address alone is refused."""
    async with visiting(chromium, console.url, OPERATOR) as page:
        await page.goto(f"/letters/{OWN}")
        await expect(page.get_by_role("link", name="Read the letter")).to_have_count(0)
        assert await opened(page, f"/letters/{OWN}/content") == 403
        await expect(page.locator("code")).to_contain_text("right-missing")


async def test_an_auditor_looks_and_sets_nothing_going(chromium: Browser, console: Reached) -> None:
    """Every list and every task, without a button that redelivers, pauses or approves."""
    async with visiting(chromium, console.url, AUDITOR) as page:
        for path in ("/letters?state=failing", f"/letters/{FOREIGN}", "/failures", "/tasks"):
            assert await opened(page, path) == 200
            await expect(page.locator("main form[method=post]:not([action^='/letters/views'])")).to_have_count(0)
        await page.locator("tbody a.id").first.click()
        await expect(page.locator("h1")).to_have_text("Redelivery")
        await expect(page.locator("main form[method=post]")).to_have_count(0)


async def test_an_operator_asks_and_another_approves(chromium: Browser, console: Reached) -> None:
    """Of more letters than one person may set going; the author's own page has no such button."""
    async with (
        visiting(chromium, console.url, OPERATOR) as author,
        visiting(chromium, console.url, EVERYTHING) as second,
    ):
        await author.goto("/letters?to=minjust")
        await author.get_by_role("button", name="Redeliver these…").click()
        await expect(author.get_by_text("need a second person")).to_be_visible()
        await author.fill("#f-reason", "the archive lost its disk")
        await author.get_by_role("button", name="Ask a second person").click()
        await expect(author.locator("main .tag").first).to_have_text("Waits for approval")
        await expect(author.get_by_role("button", name="Approve")).to_have_count(0)
        task = author.url
        await second.goto("/tasks")
        await second.locator(f'.banner a[href="{task.removeprefix(console.url)}"]').click()
        await second.get_by_role("button", name="Approve").click()
        await expect(second.locator("main .tag").first).to_have_text("Running")
        await second.get_by_role("button", name="Cancel the task").click()
        await expect(second.locator("main .tag").first).to_have_text("Cancelled")


async def test_who_is_not_let_in_is_told(chromium: Browser, console: Reached) -> None:
    """A wrong password, an address that is none, a bug: each page says what to do next."""
    async with visiting(chromium, console.url) as page:
        await page.goto("/letters?state=failing")
        await page.wait_for_url("**/sign-in?next=*")
        await page.fill("#f-login", ADMINISTRATOR)
        await page.fill("#f-password", PASSWORD[1:])
        await page.click("main button")
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.fill("#f-password", PASSWORD)
        await page.click("main button")
        await page.wait_for_url("**/letters?state=failing")
        for path, status in (("/no-such-page", 404), (BROKEN, 500)):
            assert await opened(page, path) == status
            await expect(page.locator(".error-code")).to_have_text(str(status))
            await expect(page.locator("main")).to_contain_text("Next:")


async def test_who_tries_too_often_waits(
    chromium: Browser, axe: str, seeded: Store, empty_desk: Path, tmp_path: Path
) -> None:
    """The form stays, with how long; then even the right password does not open."""
    assert axe
    with staffed(shutil.copyfile(empty_desk, tmp_path / "desk.db")) as staff:
        async with serving(seeded, people_of(staff)) as console, visiting(chromium, console.url) as page:
            await page.goto("/sign-in")
            statuses = []
            for password in ["wrong"] * MANY_ATTEMPTS + [PASSWORD]:
                await page.fill("#f-login", OPERATOR)
                await page.fill("#f-password", password)
                async with page.expect_response("**/sign-in") as answering:
                    await page.click("main button")
                statuses.append((await answering.value).status)
            assert statuses[-1] == 429
            await expect(page.get_by_role("alert")).to_be_visible()


async def test_a_database_that_is_away(chromium: Browser, axe: str, everybody: Staff, tmp_path: Path) -> None:
    """The page says that letters go on."""
    assert axe
    with Store(f"sqlite:///{tmp_path}/nothing/there.db") as away:
        async with serving(away, everybody) as console, visiting(chromium, console.url) as page:
            await page.goto("/sign-in?next=%2Fletters")
            await page.fill("#f-login", OPERATOR)
            await page.fill("#f-password", PASSWORD)
            async with page.expect_response("**/letters") as answering:
                await page.click("main button")
            assert (await answering.value).status == 503
            await expect(page.locator("main")).to_contain_text("Letters go on")
