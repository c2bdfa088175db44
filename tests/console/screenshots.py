"""`python -m tests.console.screenshots`: a picture of every page, in Kyrgyz and Russian, into `docs/console/`.

Over the seeded database, at the seeded moment, so that a picture changes only when its page does. Needs
Chromium (`apt-get install chromium`) and the packages of `make assets`.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NoReturn

from PIL import Image
from playwright.async_api import Browser, async_playwright
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.routing import Route

from exchange.console.app import create_app
from exchange.domain.user import Role, User
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.errors import StoreError
from tests.console.auth.people import Staff
from tests.console.browser.visiting import sign_in
from tests.console.seed import NOW, failing_letter, letter_to, seed_store
from tests.console.seed_acts import seed_acts
from tests.console.seed_notes import CASE, seed_notes
from tests.console.seed_tasks import seed_tasks, task_of
from tests.console.seeded import ADMINISTRATOR, EVERYTHING, OPERATOR, seeded_desk
from tests.console.served import Made, reached
from tests.console.written import SameForAll

FOLDER = Path(__file__).parents[2] / "docs" / "console"
WIDTH, HEIGHT = 1280, 800
PHONE = (390, 844)
MOST_BYTES = 150_000
MOST_IN_ALL = 3_600_000
MOST_HEIGHT = 1400
COLOURS = 64
AWAY, BROKEN = "/away", "/broken"
"""Where the console's database is away, and where it has a bug."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to be made.

    Attributes:
        name: of the file, without language and ending.
        user: who looks.
        login: of whom signs in by the form first; empty: nobody does.
        press: what is pressed there first, and what is then waited for; empty: nothing is.
        variants: language, theme and size of each picture.
    """

    name: str
    path: str
    user: User | None = OPERATOR
    login: str = ""
    press: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("ky", "ru")


SHOTS = (
    Shot("sign-in", "/sign-in", user=None),
    Shot("now", "/", variants=("ky", "ru", "ru-dark", "ky-phone")),
    Shot("letters", "/letters", variants=("ky", "ru", "ru-dark", "ky-phone")),
    Shot("letter", "/letters/" + failing_letter(), variants=("ky", "ru", "ru-phone")),
    Shot("content", f"/letters/{letter_to(ADMINISTRATOR.body)}/content", user=ADMINISTRATOR),
    Shot("failures", "/failures", variants=("ky", "ru", "ru-phone")),
    Shot("preview", "/tasks/" + task_of("repeats"), user=EVERYTHING),
    Shot("tasks", "/tasks", variants=("ky", "ru", "ky-dark")),
    Shot("task", "/tasks/" + task_of("running"), variants=("ky", "ru", "ru-phone")),
    Shot("routes", "/routes", variants=("ky", "ru", "ky-dark")),
    Shot("bodies", "/bodies"),
    Shot("body", "/bodies/" + ADMINISTRATOR.body),
    Shot("report", "/report?month=2026-10"),
    Shot("alerts", "/alerts"),
    Shot("runbook", "/alerts/body-silent"),
    Shot("audit", "/audit", user=EVERYTHING, variants=("ky", "ru", "ru-dark")),
    Shot("check", "/audit?place=0:4", user=EVERYTHING, press=("form[action='/audit/replay'] button", ".tag-bad")),
    Shot("empty", "/letters?to=mfa&state=relay-failed"),
    Shot("enrolment", "/enrolment", user=EVERYTHING),
    Shot("enrolment-case", f"/enrolment/{CASE}", user=EVERYTHING),
    Shot("note", "/failures/note?reason=hand-over-failed&from=mfa&to=natstatkom"),
    Shot("search", "/search?q=мин"),
    Shot("account", "/account", user=None, login=EVERYTHING.login),
    Shot("password", "/account/password", user=None, login=EVERYTHING.login),
    Shot("refused", "/tasks", user=ADMINISTRATOR),
    Shot("not-found", "/nothing"),
    Shot("away", AWAY),
    Shot("failed", BROKEN),
)


async def main(names: Iterable[str]) -> int:
    """Make the pictures of these names, or all."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("chromium is not here: apt-get install chromium\n")
        return 1
    wanted = [shot for shot in SHOTS if not list(names) or shot.name in names]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _seeded(Path(folder)) as (store, own):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium)
            for user in (None, OPERATOR, EVERYTHING, ADMINISTRATOR):
                async with reached(partial(_console, store, own, user)) as console:
                    for shot in wanted:
                        for variant in shot.variants if shot.user == user else ():
                            await _take(browser, console.url, shot, variant)
            await browser.close()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{total // 1024} KB in all{' TOO MUCH' if total > MOST_IN_ALL else ''}")
    return 0


@contextmanager
def _seeded(folder: Path) -> Iterator[tuple[Store, DeskStore]]:
    """The letters of two months, and what people do about them."""
    with Store(f"sqlite:///{folder}/tracker.db") as store, DeskStore(f"sqlite:///{folder}/desk.db") as own:
        store.migrate()
        own.migrate()
        yield seed_acts(seed_store(store)), seed_notes(seed_tasks(own, store))


def _console(store: Store, own: DeskStore, user: User | None, url: str) -> Made:
    """The console at which a person sits; a stranger finds the door."""
    desk = seeded_desk(store, user, url, tasks=own)
    people = None
    if user is None:
        staff = Staff(own, now=NOW)
        staff.add(EVERYTHING.login, *Role, body=ADMINISTRATOR.body)
        people = staff.people(url)
    desk = replace(desk, people=people, contents=SameForAll())
    application = create_app(desk, CollectorRegistry())
    application.router.routes[:0] = [Route(AWAY, _away), Route(BROKEN, _broken)]
    return desk, application


async def _away(_: Request) -> NoReturn:
    message = "the database does not answer"
    raise StoreError(message, retriable=True)


async def _broken(_: Request) -> NoReturn:
    message = "a bug"
    raise RuntimeError(message)


async def _take(browser: Browser, url: str, shot: Shot, variant: str) -> None:
    language, *looks = variant.split("-")
    width, height = PHONE if "phone" in looks else (WIDTH, HEIGHT)
    theme = "dark" if "dark" in looks else "light"
    context = await browser.new_context(base_url=url, viewport={"width": width, "height": height}, locale=language)
    cookies = {"lang": language, "theme": theme}
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = await context.new_page()
    page.on("console", lambda message: print(f"{shot.name} {variant}: {message.text}"))
    page.on("pageerror", lambda error: print(f"{shot.name} {variant}: {error}"))
    if shot.login:
        await sign_in(page, shot.login)
    await page.goto(shot.path, wait_until="load")
    if shot.press:
        button, then = shot.press
        await page.click(button)
        await page.wait_for_selector(then)
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(150)
    path = FOLDER / f"{shot.name}-{variant}.png"
    tall = min(
        await page.evaluate("document.documentElement.scrollHeight"), height if "phone" in looks else MOST_HEIGHT
    )
    await page.set_viewport_size({"width": width, "height": tall})
    await page.wait_for_timeout(150)
    picture = Image.open(BytesIO(await page.screenshot()))
    picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    await context.close()
    size = path.stat().st_size
    print(f"{path.name} {size // 1024} KB{' TOO LARGE' if size > MOST_BYTES else ''}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
