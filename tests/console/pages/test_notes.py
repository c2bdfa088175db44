"""Notes on groups of failures and saved views: written by a form, kept, shown to whom they are for, and never run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from exchange.console.app import create_app
from exchange.console.auth.visitor import Visitor
from exchange.domain.user import User
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.desk.saved import VIEWS_AT_MOST
from tests.console.auth.people import Remembered
from tests.console.enrolling import copied_desk
from tests.console.pages.test_hostile import ATTACKS, runs
from tests.console.seed import FAILING
from tests.console.seeded import ADMINISTRATOR, AUDITOR, OPERATOR, seeded_desk

GROUP = {"reason": "hand-over-failed", "from": FAILING[0], "to": FAILING[1]}
NOTE = {"owner": "Айгүл, 12-34", "text": "their disk is full\nthey know"}
OTHER = replace(OPERATOR, login="bek")
SENDER = replace(ADMINISTRATOR, login="sender", body=FAILING[0])
PEOPLE = {user.login: user for user in (OPERATOR, AUDITOR, ADMINISTRATOR, OTHER, SENDER)}


class Room:
    """A console, and browsers of several people."""

    def __init__(self, store: Store, own: DeskStore) -> None:
        """Nobody wrote anything."""
        self.acts = Remembered()
        desk = replace(seeded_desk(store), own=own, acts=self.acts, identify=_by_header)
        self._transport = httpx.ASGITransport(create_app(desk, CollectorRegistry()))
        self._url = desk.site.url

    def browser(self, user: User = OPERATOR, language: str = "en") -> httpx.AsyncClient:
        """Somebody's browser."""
        headers = {"Accept": "text/html", "Accept-Language": language, "X-Who": user.login}
        return httpx.AsyncClient(transport=self._transport, base_url=self._url, headers=headers)


async def _by_header(request: Request) -> Visitor:
    return Visitor(PEOPLE[request.headers["X-Who"]], csrf="the-token")


@pytest.fixture
def room(seeded: Store, empty_desk: Path, tmp_path: Path) -> Iterator[Room]:
    """A console over the seeded database where nothing was written down."""
    with copied_desk(empty_desk, tmp_path / "own.db") as own:
        yield Room(seeded, own)


@pytest.fixture
def empty_room(tracked: Store, empty_desk: Path, tmp_path: Path) -> Iterator[Room]:
    """A console with no letters where nothing was written down."""
    with copied_desk(empty_desk, tmp_path / "own.db") as own:
        yield Room(tracked, own)


async def seen(browser: httpx.AsyncClient) -> str:
    """Which note the form of the group's page is made of."""
    form = (await browser.get("/failures/note", params=GROUP)).text
    return form.partition('name="seen" value="')[2].partition('"')[0]


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_a_note_is_written_and_shown(room: Room, language: str) -> None:
    """By the way of a page without scripts; with its writer, and an act in the journal."""
    async with room.browser(language=language) as browser:
        page = (await browser.get("/failures")).text
        assert "/failures/note?reason=hand-over-failed&amp;from=mfa&amp;to=natstatkom" in page
        assert (await browser.post("/failures/note", data={**GROUP, **NOTE, "seen": ""})).status_code == 303
        page = (await browser.get("/failures")).text
        assert all(text in page for text in (NOTE["owner"], "their disk is full", OPERATOR.login))
        changed = await browser.post(
            "/failures/note", data={**GROUP, "owner": "", "text": "", "seen": await seen(browser)}
        )
        assert changed.status_code == 303
        assert "their disk is full" not in (await browser.get("/failures")).text
    assert [(act.action, act.person) for act in room.acts.acts] == [("note", OPERATOR.login)] * 2
    assert room.acts.acts[0].reason == NOTE["text"]


async def test_nobody_writes_over_what_he_did_not_see(room: Room) -> None:
    """Two people begin at once: the second is told, and neither the note nor the journal changes."""
    async with room.browser() as first, room.browser(OTHER) as second:
        before = await seen(second)
        assert (await first.post("/failures/note", data={**GROUP, **NOTE, "seen": before})).status_code == 303
        for stale in (before, "nonsense", "9" * 40, "-1", "١٢"):
            late = await second.post("/failures/note", data={**GROUP, "owner": "bek", "text": "", "seen": stale})
            assert late.status_code == 409, stale
        assert NOTE["owner"] in (await second.get("/failures")).text
    assert len(room.acts.acts) == 1


async def test_a_note_is_bounded(room: Room) -> None:
    """Too long, or not to be shown: told at the field, and what was typed is kept."""
    async with room.browser() as browser:
        for wrong in ({"owner": "x" * 81}, {"owner": "a\x00"}, {"text": "x" * 501}, {"text": "a\x07"}):
            answer = await browser.post("/failures/note", data={**GROUP, **NOTE, "seen": "", **wrong})
            assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
        for wrong in ({"from": ""}, {"reason": "x" * 300}, {"to": "a\x00b"}):
            assert (await browser.get("/failures/note", params={**GROUP, **wrong})).status_code == 404
    assert room.acts.acts == []


async def test_notes_are_operators_own(room: Room) -> None:
    """An auditor reads them and writes none; an administrator of a body does not see them."""
    async with room.browser() as browser:
        await browser.post("/failures/note", data={**GROUP, **NOTE, "seen": ""})
    for user, sees in ((AUDITOR, True), (ADMINISTRATOR, False), (SENDER, False)):
        async with room.browser(user) as browser:
            page, told = (await browser.get("/failures")).text, (await browser.get("/api/v1/failures")).json()["items"]
            assert ("their disk is full" in page, "/failures/note" in page) == (sees, False)
            noted = {(each["owner"], each["note"]) for each in told} - {("", "")}
            assert noted == ({(NOTE["owner"], NOTE["text"])} if sees else set())
            assert (await browser.get("/failures/note", params=GROUP)).status_code == 403
            assert (await browser.post("/failures/note", data={**GROUP, **NOTE})).status_code == 403


async def test_views_are_saved_opened_and_deleted(empty_room: Room) -> None:
    """A filter under a name, of one person."""
    async with empty_room.browser() as browser:
        assert 'action="/letters/views"' in (await browser.get("/letters?to=minjust")).text
        saved = await browser.post("/letters/views", data={"name": " mine ", "query": "?to=minjust&state=failing"})
        assert (saved.status_code, saved.headers["location"]) == (303, "/letters?to=minjust&state=failing")
        page = (await browser.get("/letters")).text
        assert '<a href="/letters?to=minjust&amp;state=failing">mine</a>' in page
    async with empty_room.browser(OTHER) as browser:
        assert ">mine</a>" not in (await browser.get("/letters")).text
        assert (await browser.post("/letters/views/delete", data={"name": "mine"})).status_code == 404
    async with empty_room.browser() as browser:
        gone = await browser.post("/letters/views/delete", data={"name": "mine", "query": "?to=minjust"})
        assert (gone.status_code, gone.headers["location"]) == (303, "/letters?to=minjust")
        assert ">mine</a>" not in (await browser.get("/letters")).text


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_views_that_are_not_saved(empty_room: Room, language: str) -> None:
    """Without a name, too long, of no filter, of words that no list knows, or too many."""
    async with empty_room.browser(language=language) as browser:
        for name, query in (("", "?to=a"), ("x" * 61, "?to=a"), ("a\x00", "?to=a"), ("a", ""), ("a", "?no=word")):
            answer = await browser.post("/letters/views", data={"name": name, "query": query})
            assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), (name, query)
        for number in range(VIEWS_AT_MOST + 1):
            answer = await browser.post("/letters/views", data={"name": f"v{number}", "query": "?to=a"})
            assert answer.status_code == (303 if number < VIEWS_AT_MOST else 422)


@pytest.mark.parametrize("attack", [" ".join(ATTACKS), ATTACKS[3]], ids=["all", "address"])
async def test_no_word_runs(room: Room, attack: str) -> None:
    """Owner, note, name of a view and its query, and the group in the address."""
    async with room.browser() as browser:
        await browser.post("/failures/note", data={**GROUP, "owner": attack[:80], "text": attack, "seen": ""})
        for query in (f"?q={attack}", attack, "?to=minjust"):
            answer = await browser.post("/letters/views", data={"name": attack[:60], "query": query})
            assert runs(answer.text) == []
            assert answer.headers.get("location", "/letters").startswith("/letters")
        pages = [await browser.get(path) for path in ("/failures", "/letters", "/letters?to=minjust")]
        pages.append(await browser.get("/failures/note", params={**GROUP, "reason": attack, "from": attack}))
        assert [runs(page.text) for page in pages] == [[]] * len(pages)


async def test_a_console_that_keeps_nothing(seeded: Store) -> None:
    """Where there are no tables of its own lists show, and nothing can be written."""
    desk = seeded_desk(seeded)
    transport = httpx.ASGITransport(create_app(desk, CollectorRegistry()))
    async with httpx.AsyncClient(transport=transport, base_url=desk.site.url) as browser:
        assert (await browser.get("/letters")).status_code == 200
        assert "/failures/note" not in (await browser.get("/failures")).text
        assert (await browser.post("/letters/views", data={"name": "a", "query": "?to=a"})).status_code == 503
        assert (await browser.get("/enrolment")).status_code == 503
