"""What a letter says: shown to whom it is for, and only when that is kept."""

from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.contents import Contents
from exchange.domain.fact import LetterFact
from exchange.journal.facts import read_fact
from exchange.services.http.files import attachment, plain_name
from tests.console.auth.people import Remembered
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite
from tests.journal.synthetic import SyntheticJournal
from tests.services.tasks.place import JournalRecords


@pytest.fixture
def acts() -> Remembered:
    """What is kept."""
    return Remembered()


@pytest.fixture
def reading(standing: ConsoleSite, told: SyntheticJournal, acts: Remembered) -> ConsoleSite:
    """A console that reads the journal of the story."""
    desk = replace(standing.desk, acts=acts, contents=Contents(JournalRecords(told).open))
    return replace(standing, application=create_app(desk, CollectorRegistry()))


@pytest.fixture
def letter(told: SyntheticJournal) -> LetterFact:
    """One that was accepted."""
    facts = [read_fact(record) for record in told.records]
    return next(each for each in facts if isinstance(each, LetterFact) and each.recipients and not each.reason)


async def test_who_may_read_and_that_it_is_kept(reading: ConsoleSite, letter: LetterFact, acts: Remembered) -> None:
    """Sender and recipient; neither operator nor auditor, and for other bodies there is no such letter."""
    path = f"/letters/{letter.letter.hex()}/content"
    parties = {letter.sender, *letter.recipients}
    for login in (OPERATOR, AUDITOR, *reading.tokens):
        async with reading.client(login, Accept="text/html") as client:
            status = (await client.get(path)).status_code
        expected = 403 if login in {OPERATOR, AUDITOR} else 200 if login in parties else 404
        assert status == expected, login
    assert {act.person for act in acts.acts} == parties
    assert {(act.action, act.letter) for act in acts.acts} == {("view-content", letter.letter)}


async def test_nothing_is_shown_that_is_not_kept(reading: ConsoleSite, letter: LetterFact, acts: Remembered) -> None:
    """And the journal is not even read."""
    acts.fails = True
    async with reading.client(letter.sender, Accept="text/html") as client:
        for path in ("content", "content/0"):
            answer = await client.get(f"/letters/{letter.letter.hex()}/{path}")
            assert "act-not-kept" in answer.text
            assert answer.status_code >= 400


async def test_files_are_kept_and_never_shown(reading: ConsoleSite, letter: LetterFact, acts: Remembered) -> None:
    """As attachments, without type guessing, in a sandbox; a number that is none is nothing."""
    path = f"/letters/{letter.letter.hex()}/content"
    async with reading.client(letter.sender) as client:
        answer = await client.get(f"{path}/0")
        beyond = await client.get(f"{path}/99")
        strange = [(await client.get(each)).status_code for each in (f"{path}/-1", "/letters/nothing/content")]
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (beyond.status_code, strange) == (404, [404, 404])
    assert acts.actions[0] == "download-content"


async def test_a_record_that_is_another_s(standing: ConsoleSite, told: SyntheticJournal, letter: LetterFact) -> None:
    """What is not the letter's own bytes is not shown as it."""

    @asynccontextmanager
    async def others():  # type: ignore[no-untyped-def]  # noqa: ANN202
        """Another record at every place."""
        records = JournalRecords(told)

        class Wrong:
            async def pick(self, places):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
                held = await records.pick([(each.position.partition, each.position.offset) for each in told.records])
                return {place: next(each for at, each in held.items() if at != place) for place in places}

        yield Wrong()

    desk = replace(standing.desk, acts=Remembered(), contents=Contents(others))
    site = replace(standing, application=create_app(desk, CollectorRegistry()))
    async with site.client(letter.sender) as client:
        answer: httpx.Response = await client.get(f"/letters/{letter.letter.hex()}/content")
    assert answer.json()["code"] in {"content-altered", "content-gone"}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Өтүнүч.pdf", "Өтүнүч.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"; filename=b.exe', "a_; filename=b.exe"),
        ("a\r\nSet-Cookie: x=y", "a__Set-Cookie_ x=y"),
        ("\u202efdp.exe", "_fdp.exe"),
        ("", "file"),
        ("...", "file"),
        ("\ud800", "_"),
    ],
)
def test_names_that_command_nothing(name: str, plain: str) -> None:
    """No path, no other header, no turned text; and the header is ASCII."""
    assert plain_name(name) == plain
    assert attachment(name).isascii()
    assert "\n" not in attachment(name)
