"""The page of the audit trail: what is shown to whom, taken along signed, and harmless."""

import csv
import html
import io
import json
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.console.pages import act_export, act_words
from exchange.console.seals import Seal
from exchange.domain.errors import WireError
from exchange.domain.fact import LetterFact
from exchange.journal.facts import read_fact
from exchange.store.database import Store
from exchange.wire.records import kind_of
from tests.console.acts import act
from tests.console.auth.people import Remembered
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite, console_site
from tests.journal.synthetic import SyntheticJournal
from tests.world import NOW

AUDITOR_PAGE = Path(__file__).parents[3] / "docs" / "auditor.md"
LETTER = "ab" * 32
EVIL = "<script>alert('x')</script>\"'=cmd|' /C calc'!A0"


@dataclass
class Audited:
    """A console in which acts happened, and what it said of itself."""

    site: ConsoleSite
    store: Store
    kept: Remembered

    async def get(self, path: str, login: str = AUDITOR, language: str = "en") -> str:
        """A page that is there."""
        async with self.site.client(login, Accept="text/html", Accept_Language=language) as client:
            answer = await client.get(path)
        assert answer.status_code == 200, answer.text[:400]
        return answer.text

    async def files(self, path: str) -> dict[str, bytes]:
        """What an export holds."""
        async with self.site.client(AUDITOR) as client:
            answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tracker that has taken nothing: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "tracker.db"
    with Store(f"sqlite:///{file}") as store:
        store.migrate()
    return file


@pytest.fixture
def tracked(empty: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty tracker's database, migrated."""
    with Store(f"sqlite:///{shutil.copyfile(empty, tmp_path / 'tracker.db')}") as store:
        yield store


@pytest.fixture
def audited(told: SyntheticJournal, tracked: Store, tmp_path: Path) -> Audited:
    """A console with a statement key, whosever it is."""
    made, kept, world = console_site(tracked, told, tmp_path), Remembered(), told.world
    seal = Seal(lambda: world.signers["alpha"], lambda: world.directory, lambda: world.now)
    desk = replace(made.desk, acts=kept, seal=seal)
    site = replace(made, desk=desk, application=create_app(desk, CollectorRegistry()))
    return Audited(site, tracked, kept)


def rows(page: str) -> list[str]:
    """Places in the journal of what a page lists, in its order."""
    return re.findall(r"<td class=\"nowrap\"><a[^>]*><code>([0-9]+:[0-9]+)</code>", page)


def run(command: list[str], folder: Path) -> tuple[int, bool]:
    """A command's exit code, and whether it says that the signature holds."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, "Verification successful" in done.stderr


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_who_did_what(audited: Audited, language: str) -> None:
    """The youngest first, with person, second person, reason, letter and place; before there is any, that too."""
    empty = await audited.get("/audit", language=language)
    assert 'class="empty"' in empty
    act(audited.store, 1)
    act(audited.store, 2, LETTER, "beta", action="redrive", second="bakyt", reason="lost there", task="task-1")
    act(audited.store, 3, action="something-newer", person="aida")
    page = await audited.get("/audit", language=language)
    assert rows(page) == ["0:1003", "0:1002", "0:1001"]
    for said in (f'href="/letters/{LETTER}"', "lost there", "bakyt", 'href="/tasks/task-1"', "something-newer"):
        assert said in page
    assert "None" not in re.sub(r"<[^>]*>", "", page)


FILTERS = {
    "person=aida": ["0:1003"],
    "action=redrive": ["0:1002"],
    f"letter={LETTER}": ["0:1002"],
    "body=beta": ["0:1002"],
    "task=task-1": ["0:1002"],
    "person=nobody": [],
    "from=2026-03-01&to=2026-03-01": ["0:1003", "0:1002", "0:1001"],
    "from=2026-03-02": [],
    "to=2026-02-28": [],
}


async def test_filters_of_the_address(audited: Audited) -> None:
    """Each leaves what it names, counted; days are Bishkek's; the API has the same list."""
    act(audited.store, 1)
    act(audited.store, 2, LETTER, "beta", action="redrive", task="task-1")
    act(audited.store, 3, person="aida")
    for query, places in FILTERS.items():
        page = await audited.get(f"/audit?{query}")
        assert rows(page) == places, query
        assert f"<strong>{len(places)}</strong>" in page
        found = re.search(r'<div class="command"><code>([^<]*)</code>', page)
        assert found
        async with audited.site.client(AUDITOR) as client:
            same = (await client.get(html.unescape(found[1]))).json()
        assert [each["position"] for each in same["items"]] == places


async def test_wrong_words_are_told(audited: Audited) -> None:
    """Above the list, which they do not filter."""
    act(audited.store, 1)
    for query in ("letter=abc", "action=No", "from=2026-13-01", "to=yesterday", "body=<b>", f"person={'x' * 65}"):
        page = await audited.get(f"/audit?{query}")
        assert ('role="alert"' in page, rows(page)) == (True, ["0:1001"]), query


async def test_it_goes_on_by_its_links(audited: Audited) -> None:
    """Each act once, however many pages there are."""
    for number in range(120):
        act(audited.store, number, person="olga" if number % 2 else "aida")
    path, seen = "/audit?person=olga", []
    while path:
        page = await audited.get(path)
        assert "<strong>60</strong>" in page
        seen += rows(page)
        following = re.search(r'<a rel="next" href="([^"]+)"', page)
        path = html.unescape(following[1]) if following else ""
    assert seen == [f"0:{1_000 + number}" for number in range(119, 0, -2)]


async def test_it_is_for_auditors(audited: Audited) -> None:
    """Neither operators nor administrators of bodies see who did what, nor take it along."""
    for login in (OPERATOR, "alpha"):
        async with audited.site.client(login, Accept="text/html") as client:
            for path in ("/audit", "/audit/export?as=csv"):
                answer = await client.get(path)
                assert (answer.status_code, "right-missing" in answer.text) == (403, True)
    assert audited.kept.acts == []


async def test_what_people_wrote_is_text(audited: Audited) -> None:
    """On the page nothing is a tag, in the table nothing a formula."""
    act(audited.store, 1, action="redrive", person=EVIL, second=EVIL, reason=EVIL, detail=EVIL, task=EVIL)
    act(audited.store, 2, person="=1+1", reason="@SUM(A1)", detail="-1", second="+1")
    page = await audited.get("/audit")
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 4
    text = (await audited.files("/audit/export?as=csv"))["acts.csv"].decode()
    cells = [cell for row in list(csv.reader(io.StringIO(text)))[1:] for cell in row]
    assert EVIL in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_an_export_is_checked_by_openssl(audited: Audited, tmp_path: Path, kind: str) -> None:
    """By the documentation's own command: the signature holds over these bytes, and over no others."""
    act(audited.store, 1)
    act(audited.store, 2, person="айгүл", reason="lost")
    files = await audited.files(f"/audit/export?as={kind}&person=айгүл")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    documented = re.findall(r"^openssl cms -verify .*acts\.csv\.p7s.*$", AUDITOR_PAGE.read_text(), re.MULTILINE)
    command = [*shlex.split(documented[0].replace("csv", kind)), "-attime", str(int(NOW.timestamp()))]
    assert run(command, tmp_path) == (0, True)
    list_file = tmp_path / f"acts.{kind}"
    list_file.write_bytes(list_file.read_bytes().replace(b"lost", b"gone"))
    assert run(command, tmp_path)[0] != 0


async def test_taking_it_along_is_an_act(audited: Audited) -> None:
    """With the list's digest; and the list says whether it is whole, by which filter, and is no statement."""
    act(audited.store, 1)
    act(audited.store, 2, action="export")
    files = await audited.files("/audit/export?as=json&action=export")
    told = json.loads(files["acts.json"])
    assert [each["position"] for each in told["items"]] == ["0:1002"]
    assert (told["person"], told["filter"], told["complete"]) == (AUDITOR, "?action=export", True)
    (kept,) = audited.kept.acts
    assert (kept.action, kept.person) == ("export", AUDITOR)
    assert sha256(files["acts.json"]).hexdigest() in kept.detail
    assert "1 acts" in kept.detail
    for data in (files["acts.json"], (await audited.files("/audit/export?as=csv"))["acts.csv"]):
        with pytest.raises(WireError):
            kind_of(data)


async def test_nothing_is_taken_that_is_not_kept(audited: Audited) -> None:
    """Nor in a form that there is not."""
    audited.kept.fails = True
    async with audited.site.client(AUDITOR) as client:
        answer = await client.get("/audit/export?as=csv")
        assert (answer.json()["code"], b"PK" in answer.content) == ("act-not-kept", False)
        other = await client.get("/audit/export?as=exe")
        assert (other.status_code, other.json()["code"]) == (400, "api-parameter-invalid")


async def test_a_long_list_says_that_it_is_not_whole(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than seem to be."""
    monkeypatch.setattr(act_export, "EXPORTED_ROWS", 2)
    monkeypatch.setattr(act_export, "_STEP", 1)
    for number in range(3):
        act(audited.store, number)
    assert b"more than 2 acts" in (await audited.files("/audit/export?as=csv"))["acts.csv"]
    told = json.loads((await audited.files("/audit/export?as=json"))["acts.json"])
    assert (len(told["items"]), told["complete"]) == (2, False)


async def test_from_a_letter_to_its_acts(standing: ConsoleSite, told: SyntheticJournal) -> None:
    """By a link that only those have who may see them."""
    facts = (read_fact(record) for record in told.records)
    name = next(each.letter.hex() for each in facts if isinstance(each, LetterFact))
    for login, there in ((AUDITOR, True), (OPERATOR, False)):
        async with standing.client(login, Accept="text/html") as client:
            assert (f'href="/audit?letter={name}"' in (await client.get(f"/letters/{name}")).text) is there


def test_every_action_is_a_command() -> None:
    """As the journal takes it, so that the filter finds it."""
    for action, _text in act_words.choices():
        assert re.fullmatch(r"[a-z](?:[a-z-]{0,38}[a-z])?", action)
