"""What a person does with a browser, again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from tests.console.auth.people import PASSWORD
from tests.patience import PATIENCE

PATIENCE_MS = PATIENCE * 1000


@asynccontextmanager
async def visiting(chromium: Browser, url: str, login: str = "", **options: Any) -> AsyncIterator[Page]:
    """A browser of its own at a console, in English; signed in when a login is given.

    Leaving it without error asserts that no script failed and nothing was blocked.
    """
    context = await chromium.new_context(base_url=url, locale="en", **options)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda told: faults.append(told.text) if "Content Security Policy" in told.text else None)
    try:
        if login:
            await sign_in(page, login)
        yield page
    finally:
        await context.close()
    assert faults == []


async def sign_in(page: Page, login: str) -> None:
    """Sign in by the form, which leads to the first page."""
    await page.goto("/sign-in")
    await page.fill("#f-login", login)
    await page.fill("#f-password", PASSWORD)
    await page.click("main button")
    await page.wait_for_url("/")
