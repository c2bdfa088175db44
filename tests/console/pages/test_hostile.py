"""Nothing that people, bodies or the directory say runs in a page, whichever field it comes in."""

import hashlib
import shutil
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from exchange.console.app import create_app
from exchange.domain.card import FileInfo, FileRole, LetterCard, Party, Person
from exchange.domain.delivery import Position, State
from exchange.domain.directory import Contact, Names
from exchange.domain.event import Event
from exchange.domain.fact import CommandFact, Course, LetterFact, ReceiptFact, Registration
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.task import ItemState, Plan, Stage, TaskAct, TaskState
from exchange.domain.user import Role, User
from exchange.store.database import Store
from exchange.store.desk import tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.items import Item
from exchange.store.desk.tasks import Task, Words
from exchange.store.rows import PositionRow
from tests.console.seed import NOW, TOPIC, seeded_directory
from tests.console.seeded import URL, client, seeded_console, seeded_desk
from tests.console.written import SameForAll

MARK = "hostile"
ATTACKS = (
    f"<script>{MARK}()</script>",
    f'"><img src=x onerror={MARK}()>',
    f"' onmouseover='{MARK}()",
    f"javascript:{MARK}()",
    f"</title><svg/onload={MARK}()>",
    f"{{{{ {MARK} }}}}{{% {MARK} %}}",
    f"%({MARK})s %s {{{MARK}}}",
)
"""What is tried in every field, all at once and each alone where one would hide another."""
LETTER = hashlib.sha256(b"hostile").digest()
LOGIN = "talant"
PREVIEWED, RUNNING = "0" * 16, "1" * 16
_ADDRESSES = {"href", "src", "action", "data-hx-get", "data-hx-sse:connect"}


class Page(HTMLParser):
    """What a browser would make of a page, as far as scripts are concerned."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Elements and attributes that run something."""
        for name, value in attrs:
            text = value or ""
            if name.startswith("on") or name in {"style", "srcdoc"}:
                self.found.append(f"{tag} {name}")
            if name in _ADDRESSES and not text.startswith(("/", "?", "#", "mailto:", "tel:")):
                self.found.append(f"{tag} {name}={text}")
            if name in _ADDRESSES and text.startswith("//"):
                self.found.append(f"{tag} {name}={text}")
        if tag == "script" and not str(dict(attrs).get("src")).startswith("/static/"):
            self.found.append(tag)
        if tag in {"img", "iframe", "object", "embed", "base"}:
            self.found.append(tag)


def runs(text: str) -> list[str]:
    """Whatever would run in a page."""
    page = Page()
    page.feed(text)
    page.close()
    return page.found


def _facts(text: str) -> tuple[LetterFact, ReceiptFact, CommandFact]:
    course = Course(NOW, NOW, NOW, NOW - timedelta(hours=1))
    letter = LetterFact(
        position=Position(0, 2),
        letter=LETTER,
        sender=text,
        course=course,
        message_id=text,
        consignment_id=text,
        kind=text,
        urgency=text,
        access=text,
        conversation=text,
        in_reply_to=None,
        reply_due=None,
        recipients=(text, "minjust"),
        document=Registration(text, text, text),
        items=1,
        size=1,
        reason="",
        detail=text,
    )
    receipt = ReceiptFact(
        Position(0, 4), LETTER, text, text, course, Event.REFUSED, NOW, text, Registration(text, text, text), text
    )
    said = (text,) * 7
    return (
        letter,
        receipt,
        CommandFact(Position(0, 6), LETTER[::-1], *said, LETTER, text, course.created, course.journalled),
    )


def _card(text: str) -> LetterCard:
    """What a letter says, in every field that a page shows."""
    person = Person(name=text, post=text)
    info = FileInfo(text, text, text, 1, ZERO_DIGEST, FileRole.MAIN)
    return LetterCard(
        kind=text,
        reg_number=text,
        title=text,
        annotation=text,
        addressees=(Party(body=text), Party(name=text)),
        signatories=(person,),
        files=(info,),
    )


def _tasks(desk: DeskStore, text: str) -> None:
    """A task that was only looked at, and one that runs; both with letters of which something is said."""
    with desk.writing() as connection:
        for name in (PREVIEWED, RUNNING):
            task = Task(name, text, text, LOGIN, "", "", Plan(), 1, 1, TaskState.PREVIEWED, NOW, code=text)
            told = (LETTER, 1, text, text, State.REFUSED.value, Stage.SAMPLE.value, ItemState.FAILED.value, text)
            tasks.create(connection, task, [Item(name, 0, *told)])
        tasks.act(connection, RUNNING, TaskAct.SUBMIT, LOGIN, NOW, said=Words(text))
        tasks.act(connection, RUNNING, TaskAct.APPROVE, text, NOW, said=Words(text))


async def _pages(desk_file: Path, folder: Path, text: str) -> dict[str, str]:
    """All pages of a database, a directory, a letter, a desk and a person in which every field says `text`."""
    directory = seeded_directory()
    names = Names(text, text, text)
    body = replace(
        directory.bodies["minjust"],
        names=names,
        uids=(text,),
        systems=(text,),
        formats=(text,),
        soate=text,
        contacts=(Contact(text, text, text, text),),
    )
    hostile = replace(directory, bodies={"minjust": body})
    everything = User(LOGIN, text, frozenset(Role), "minjust")
    with Store(f"sqlite:///{folder}/hostile.db") as store, DeskStore(f"sqlite:///{desk_file}") as own:
        store.migrate()
        store.take(_facts(text), [PositionRow(TOPIC, 0, 6, ZERO_DIGEST)])
        _tasks(own, text)
        desk = replace(
            seeded_desk(store, everything, tasks=own), directory=lambda: hostile, contents=SameForAll(_card(text))
        )
        transport = httpx.ASGITransport(create_app(desk, CollectorRegistry()))
        paths = (
            "/",
            "/letters",
            f"/letters/{LETTER.hex()}",
            f"/letters/{LETTER.hex()}/content",
            "/failures",
            "/tasks",
            f"/tasks/{PREVIEWED}",
            f"/tasks/{RUNNING}",
            "/routes",
            "/bodies",
            "/bodies/minjust",
            "/report",
            "/alerts",
            "/audit",
        )
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        async with httpx.AsyncClient(transport=transport, base_url=desk.site.url, headers=headers) as browser:
            return {path: (await browser.get(path)).text for path in paths}


@pytest.mark.parametrize("attack", [" ".join(ATTACKS), ATTACKS[3]], ids=["all", "address"])
async def test_no_field_runs(attack: str, empty_desk: Path, tmp_path: Path) -> None:
    """Every column of a letter, a receipt, an act and a task, what a letter says, every field of a body's entry."""
    desk = shutil.copyfile(empty_desk, tmp_path / "desk.db")
    for path, text in (await _pages(desk, tmp_path, attack)).items():
        assert MARK in text, path
        assert "<h1>" in text, path
        assert "error-code" not in text, path
        assert runs(text) == [], path


@pytest.mark.parametrize("attack", [" ".join(ATTACKS), ATTACKS[3]], ids=["all", "address"])
@pytest.mark.parametrize("path", ["/letters", "/failures", "/routes", "/bodies", "/report", "/search"])
async def test_no_address_runs(seeded: Store, path: str, attack: str) -> None:
    """Every word that a page takes from its address."""
    words = ("q", "to", "from", "state", "reason", "kind", "age", "by", "month", "body", "status", "late", "order")
    async with client(seeded) as browser:
        answer = await browser.get(path, params=dict.fromkeys(words, attack))
    assert answer.status_code in {200, 303}
    assert runs(answer.text) == []
    assert answer.headers.get("Location", "/").startswith("/letters") or answer.status_code == 200


@pytest.fixture(scope="module")
def console(seeded: Store) -> Starlette:
    """One for all that is tried, for it changes nothing."""
    return seeded_console(seeded)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=st.text(alphabet="<>\"'&=/{}%()\\ \x00\nascript:on", max_size=30))
async def test_anything_may_be_searched(console: Starlette, text: str) -> None:
    """The box takes what it is given, and the page is one all the same."""
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(console), base_url=URL, headers=headers) as browser:
        answer = await browser.get("/search", params={"q": text})
    assert answer.status_code in {200, 303}
    assert runs(answer.text) == []
    assert not answer.headers.get("Location", "/").startswith(("//", "/\\"))
