"""Chromium, the packages of the pages, and a console that it looks at; one of each for all tests here.

Tests run on the session's event loop, as the browser and the console do.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from starlette.requests import Request
from starlette.routing import Route

from exchange.console.assets import VENDOR_FOLDER, fetch_assets
from exchange.store.database import Store
from tests.console.auth.people import Staff, staffed
from tests.console.browser.serving import people_of, serving
from tests.console.browser.visiting import PATIENCE_MS
from tests.console.seed_notes import seed_notes
from tests.console.seed_tasks import seed_tasks
from tests.console.served import Reached

BROKEN = "/broken"
"""Where the console has a bug."""


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core; what pages load is fetched likewise, where `make assets` did not."""
    if not VENDOR_FOLDER.is_dir():
        fetch_assets()
    folder = tmp_path_factory.mktemp("axe") / "packages"
    fetch_assets(folder, {"axe-core/axe.min.js": "axe.min.js"}, tests=True)
    return (folder / "axe.min.js").read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), timeout=PATIENCE_MS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def everybody(empty_desk: Path, seeded: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """People with accounts, the tasks that they made, and what they wrote down."""
    with staffed(shutil.copyfile(empty_desk, tmp_path_factory.mktemp("people") / "desk.db")) as staff:
        seed_notes(seed_tasks(staff.desk, seeded))
        yield people_of(staff)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console(axe: str, seeded: Store, everybody: Staff) -> AsyncIterator[Reached]:
    """A console over two months of letters."""
    assert axe
    async with serving(seeded, everybody) as served:
        served.application.router.routes.insert(0, Route(BROKEN, _broken))
        yield served


async def _broken(_: Request) -> NoReturn:
    message = "a bug"
    raise RuntimeError(message)
