"""A failed group is found and set going again by a browser: sample, task, result; the runner is the real one."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.desk import Desk, Site
from exchange.console.stream.hub import Hub, StoreReader
from exchange.domain.event import Event
from exchange.domain.user import Role
from exchange.store.database import Store
from tests.console.auth.people import Staff
from tests.console.browser.serving import OPERATOR, no_program
from tests.console.browser.visiting import visiting
from tests.console.served import Made, reached
from tests.requirements import requires_tool
from tests.services.tasks.place import Place, opened
from tests.world import World

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio(loop_scope="session"),
    requires_tool("chromium", debian="chromium"),
    requires_tool("npm", debian="npm"),
]

LETTERS = 8
STAGES = (5, 7, 8)
"""Results after the sample, the share and the rest."""


@pytest.fixture
def place(empty_desk: Path, tmp_path: Path) -> Iterator[Place]:
    """Desk, tracker, journal and runner."""
    file = shutil.copyfile(empty_desk, tmp_path / "both.db")
    with Store(f"sqlite:///{file}") as tracker:
        tracker.migrate()
    with opened(World(tmp_path / "world"), f"sqlite:///{file}") as found:
        yield found


def served(place: Place, url: str) -> Made:
    """The console of a place; an operator signs in there."""
    staff = Staff(place.desk, now=place.now())
    staff.add(OPERATOR, Role.OPERATOR)
    registry = CollectorRegistry()
    desk = Desk(
        store=place.tracker,
        directory=lambda: place.world.directory,
        now=place.now,
        new_id=(f"request-{number}" for number in count(1)).__next__,
        identify=no_program,
        site=Site(url),
        hub=Hub(StoreReader(place.tracker), place.now, registry),
        people=staff.people(url),
        acts=staff.acts,
        tasks=place.office,
    )
    return desk, create_app(desk, registry)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_failed_group_goes_again(chromium: Browser, axe: str, place: Place, *, scripts: bool) -> None:
    """Nothing is said before the reason is given; the sample first, then a share, then the others."""
    assert axe
    place.letters(LETTERS)
    async with (
        reached(lambda url: served(place, url)) as console,
        visiting(chromium, console.url, OPERATOR, java_script_enabled=scripts) as page,
    ):
        await page.goto("/failures")
        group = page.locator("article.failure").first
        await expect(group.locator(".count")).to_have_text(str(LETTERS))
        await group.get_by_role("button", name="Redeliver…").click()
        await expect(page.locator(".figure-value").first).to_have_text(str(LETTERS))
        await expect(page.locator("#sample tbody tr")).to_have_count(STAGES[0])
        await place.rounds(2)
        assert place.speaker.said == {}
        await page.fill("#f-reason", "their archive has room again")
        await page.get_by_role("button", name="Redeliver").click()
        done = page.locator(".figure-value").first
        await expect(done).to_have_text(f"0 / {LETTERS}")
        for results in STAGES:
            await place.rounds(2)
            place.answer(Event.DELIVERED, Event.HANDED_OVER)
            await place.rounds(2)
            if not scripts:
                await page.reload()
            await expect(done).to_have_text(f"{results} / {LETTERS}")
        await place.rounds(2)
        if not scripts:
            await page.reload()
        await expect(page.locator("dl .tag").first).to_have_text("Done")
        await expect(page.get_by_role("button", name="Cancel the task")).to_have_count(0)
        await expect(page.locator("#items .tag-good")).to_have_count(LETTERS)
        await expect(page.locator("#items tbody tr")).to_have_count(LETTERS)
        await page.goto("/failures")
        await expect(page.locator("main")).to_contain_text("Nothing has failed")
