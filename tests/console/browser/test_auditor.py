"""The auditor's way by a browser: who did what, then the journal itself is checked, in words that no redelivery has."""

import asyncio
import shutil
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.checks import Checks
from exchange.console.desk import Site
from exchange.console.seals import Seal
from exchange.console.stream.hub import Hub, StoreReader
from exchange.domain.user import Role
from tests.console.auth.people import Staff, staffed
from tests.console.browser.serving import AUDITOR, no_program
from tests.console.browser.test_accessibility import violations
from tests.console.browser.visiting import visiting
from tests.console.served import Made, Reached, reached
from tests.console.site import ConsoleSite, iter_ids
from tests.console.test_checks import checker
from tests.journal.synthetic import SyntheticJournal, busiest
from tests.requirements import requires_tool
from tests.world import NOW

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def checked(
    standing: ConsoleSite, told: SyntheticJournal, axe: str, empty_desk: Path, tmp_path: Path
) -> AsyncIterator[Reached]:
    """A console whose journal can be checked; an auditor signs in there."""
    assert axe
    with staffed(shutil.copyfile(empty_desk, tmp_path / "desk.db")) as staff:
        staff.add(AUDITOR, Role.AUDITOR)
        checks = Checks(checker(told, standing.desk.store, None), staff.acts, standing.desk.now, iter_ids().__next__)
        task = asyncio.create_task(checks.run())
        async with reached(lambda url: _made(standing, staff, checks, told, url)) as console:
            yield console
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _made(standing: ConsoleSite, staff: Staff, checks: Checks, told: SyntheticJournal, url: str) -> Made:
    registry, desk = CollectorRegistry(), standing.desk
    world = told.world
    whole = replace(
        desk,
        seal=Seal(lambda: world.signers["alpha"], lambda: world.directory, lambda: world.now),
        site=Site(url),
        hub=Hub(StoreReader(desk.store), desk.now, registry),
        identify=no_program,
        people=staff.people(url),
        acts=staff.acts,
        checks=checks,
    )
    return whole, create_app(whole, registry)


async def test_the_journal_is_checked(chromium: Browser, checked: Reached, told: SyntheticJournal, axe: str) -> None:
    """Verified as a whole, then a range of it replayed: the page goes on by itself to the result."""
    async with visiting(chromium, checked.url, AUDITOR) as page:
        await page.context.add_init_script(axe)
        await page.goto("/audit")
        await page.get_by_role("button", name="Verify").click()
        await page.wait_for_url("**/audit/checks/*")
        await expect(page.locator("dl .tag").first).to_have_text("Everything holds")
        await page.goto("/audit")
        replaying = page.locator("form[action='/audit/replay']")
        await replaying.locator("[name=place]").fill(f"{busiest(told)}:0")
        await replaying.locator("[name=count]").fill("60")
        await replaying.get_by_role("button").click()
        await page.wait_for_url("**/audit/checks/*")
        await expect(page.locator("dl .tag").first).to_have_text("Everything holds")
        await expect(page.locator("button.caution")).to_have_count(0)
        path = page.url.removeprefix(checked.url)
        assert await violations(page, path, is_dark_too=True) == []


async def test_who_did_what_is_found(chromium: Browser, console: Reached) -> None:
    """By person; a line leads to its task, which the auditor may look at."""
    async with visiting(chromium, console.url, AUDITOR) as page:
        await page.goto("/audit")
        await page.fill("#f-person", "aigul")
        await page.locator("form.filters button").click()
        await page.wait_for_url("**/audit?*person=aigul*")
        people = set(await page.locator("table").first.locator("tbody th a").all_inner_texts())
        assert people == {"aigul"}
        await page.locator('tbody a[href^="/tasks/"]').first.click()
        await expect(page.locator("h1")).to_have_text("Redelivery")


async def test_a_signed_list_is_taken_along(chromium: Browser, checked: Reached, tmp_path: Path) -> None:
    """A ZIP file by the page's own button; openssl finds that the signature holds, with the issuers beside it."""
    async with visiting(chromium, checked.url, AUDITOR) as page:
        await page.goto("/audit")
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="CSV, signed").click()
        download = await downloading.value
        await download.save_as(tmp_path / download.suggested_filename)
    with zipfile.ZipFile(tmp_path / download.suggested_filename) as archive:
        archive.extractall(tmp_path)
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{name}.p7s", "-content", name]
    now = ["-attime", str(int(NOW.timestamp()))]
    words = [*command, "-CAfile", "issuers.crt.pem", *now, "-out", "/dev/null"]
    done = await asyncio.create_subprocess_exec(*words, cwd=tmp_path, stderr=asyncio.subprocess.PIPE)
    _, said = await done.communicate()
    assert (done.returncode, b"Verification successful" in said) == (0, True), said
