"""What commands ask of the console: the same over HTTP and in this process, and as it happens."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from exchange.bus.topics import JOURNAL
from exchange.cli import failures, letters, track
from exchange.cli.commands import app
from exchange.cli.console_api import ConsoleApi, ConsoleProblem, Words, opened_api
from exchange.cli.events import Event, Events
from exchange.cli.output import Output
from exchange.cli.track import LetterUnknown, Shown
from exchange.console.api import letters_model as model
from exchange.console.api import overviews_model
from exchange.domain.errors import ConfigurationError
from exchange.settings import OperatorSettings, operator_settings
from exchange.settings.console_access import ConsoleAccess
from exchange.settings.tables import LogSettings
from exchange.store import queries
from exchange.store.archive import Archive
from exchange.store.database import Store
from exchange.store.views import LetterFilter
from tests.audited import Archived
from tests.console.served import Served, serving_console
from tests.journal.synthetic import SyntheticJournal, story
from tests.patience import PATIENCE
from tests.store.support import empty_store, fill
from tests.world import World

FILE = """
[kafka]
bootstrap = "127.0.0.1:9092"
ca = "ca.pem"
certificate = "me.crt.pem"
key = "me.key.pem"
[directory]
folder = "directory"
root = "root.json"
[store]
url = "sqlite:///tracker.db"
[cluster]
replication = 1
min_insync = 1
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("commands")))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty tracker's database."""
    with empty_store(tmp_path / "tracker.db") as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, store: Store) -> OperatorSettings:
    """An operator's file beside the database, which names no console."""
    assert store is not None
    (tmp_path / "operator.toml").write_text(FILE, encoding="utf-8")
    return operator_settings(tmp_path / "operator.toml", {})


@pytest.fixture
async def served(journal: SyntheticJournal, store: Store, tmp_path: Path) -> AsyncIterator[Served]:
    """A console on a socket."""
    async with serving_console(journal, store, tmp_path) as made:
        yield made


def at_console(settings: OperatorSettings, served: Served, login: str = "olga") -> OperatorSettings:
    """The operator's settings when they name a console."""
    return replace(settings, console=ConsoleAccess(served.url, _token(served, login), None))


def _token(served: Served, login: str) -> Path:
    path = Path(served.store._engine.url.database or "").parent / f"{login}.token"
    path.write_text(served.site.tokens[login] + "\n", encoding="ascii")
    return path


def test_letters_as_ever(settings: OperatorSettings, store: Store, journal: SyntheticJournal, tmp_path: Path) -> None:
    """What a command prints as JSON is what the database says."""
    assert settings.console is None
    fill(store, journal.records)
    run = CliRunner().invoke(app, ["letters", "--config", str(tmp_path / "operator.toml"), "--json"])
    assert run.exit_code == 0, run.output
    lines = json.loads(run.output)["result"]
    with store.reading() as connection:
        expected = queries.overview(connection, LetterFilter(), 8).items
    assert [line["letter"]["digest"] for line in lines] == [each.letter.digest.hex() for each in expected]
    last = lines[-1]
    told = (last["recipient"], last["delivery"]["state"], last["delivery"]["decided"])
    assert told == ("gamma", "refused", "refused")


async def test_the_same_either_way(settings: OperatorSettings, served: Served) -> None:
    """In this process, or of the console; page by page too."""
    served.take(len(served.journal.records))
    async with opened_api(settings) as here, opened_api(at_console(settings, served)) as there:
        for words in ({}, {"from": "alpha"}, {"state": "refused"}, {"q": "first"}):
            found = [await letters.listed(api, words, 50) for api in (here, there)]
            assert found[0] == found[1] != []
        asked = {"order": "youngest", "limit": "1"}
        pages = await here.get("/api/v1/letters", model.Letters, asked)
        assert pages.next is not None
        assert len(await letters.listed(here, {"order": "youngest"}, 3)) == 3
        assert len(await letters.listed(here, {}, 2)) == 2


async def test_lists_that_are_cut(
    settings: OperatorSettings, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """People are told, beside the list; programs have asked for so many."""
    served.take(len(served.journal.records))

    async def noted(limit: int, *, as_json: bool = False) -> tuple[bool, ...]:
        """Whether each command says that there may be more."""
        said = []
        asked = {"days": "400", "limit": str(limit)}
        for words in ({}, {"order": "youngest"}):
            await letters._letters(settings, words, limit, Output(as_json=as_json), following=False)
            said.append("there may be more" in capsys.readouterr().err)
        there = at_console(settings, served)  # whose clock is the story's, of which 400 days would not last for ever
        await failures._failures(there, asked, Output(as_json=as_json), following=False)
        return (*said, "there may be more" in capsys.readouterr().err)

    assert await noted(1) == (True, True, True)
    assert await noted(50) == (False, False, False)
    assert await noted(1, as_json=True) == (False, False, False)


async def test_a_body_s_administrator(settings: OperatorSettings, served: Served) -> None:
    """Gets a list where there is no overview."""
    served.take(len(served.journal.records))
    async with opened_api(at_console(settings, served, "beta")) as api:
        found = await letters.listed(api, {}, 50)
    assert [line.letter.message_id for line in found] == ["first"]


async def test_tracking(settings: OperatorSettings, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """One letter by any id; none, or several, are told apart."""
    served.take(len(served.journal.records))
    await track._track(settings, "first", Shown("beta", each=False), Output(as_json=False), following=False)
    assert "to beta: registered" in capsys.readouterr().out
    for text, to in (("nothing", None), ("first", "delta")):
        with pytest.raises(LetterUnknown):
            await track._track(settings, text, Shown(to, each=False), Output(as_json=False), following=False)


async def test_tracking_in_the_log(
    settings: OperatorSettings,
    store: Store,
    journal: SyntheticJournal,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """How far it stands there; nothing of it where no archive is named, and why where it cannot be read."""
    fill(store, journal.records)
    archived = Archived(tmp_path / "archive", journal)
    (tmp_path / "log.policy").write_text(archived.keys.text)
    there = replace(settings, log=LogSettings(archived.folder, tmp_path / "log.policy"))

    async def said(used: OperatorSettings) -> str:
        """What is printed."""
        await track._track(used, "first", Shown("beta", each=False), Output(as_json=False), following=False)
        return capsys.readouterr().out

    assert "in the log" not in await said(settings)
    assert "in the log: not known now" in await said(there)
    archived.archive(journal.records[:1])
    assert "in the log: 0 entries; the others wait" in await said(there)
    archived.archive(journal.records[1:], "justice")
    assert "cosigned by justice: not as the policy asks for" in await said(there)
    archived.archive(journal.records[:1])
    entries = len(archived.places(bytes.fromhex((await told_of(there))["letter"]["digest"])))
    assert f"in the log: {entries} entries, under the checkpoint of" in await said(there)


async def told_of(settings: OperatorSettings) -> dict[str, Any]:
    """A letter's story for programs."""
    ran = io.StringIO()
    with redirect_stdout(ran):
        await track._track(settings, "first", Shown("beta", each=False), Output(as_json=True), following=False)
    found: dict[str, Any] = json.loads(ran.getvalue())["result"]
    assert found["log"]["witnessed"]
    return found


async def test_tracking_what_was_put_away(settings: OperatorSettings, served: Served, tmp_path: Path) -> None:
    """The file is named that holds it."""
    served.take(len(served.journal.records))
    with Store(settings.store, archive=Archive(tmp_path)) as store:
        store.count_changes(JOURNAL)
        assert store.put_away(served.journal.now + timedelta(days=1), served.journal.now) is not None
    with pytest.raises(LetterUnknown, match=r"letters-2026-03\.jsonl\.gz") as caught:
        await track._track(settings, "first", Shown(None, each=False), Output(as_json=False), following=False)
    assert caught.value.code == "letter-put-away"


async def test_failures(settings: OperatorSettings, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each reason and route; as JSON what the API tells."""
    served.take(len(served.journal.records))
    there = at_console(settings, served)
    asked = {"days": "400", "limit": "50"}
    await failures._failures(there, asked, Output(as_json=False), following=False)
    assert "recipient-unknown: a recipient is not in the directory; look its code up" in capsys.readouterr().out
    await failures._failures(there, asked, Output(as_json=True), following=False)
    assert {group["number"] for group in json.loads(capsys.readouterr().out)["result"]} == {1}
    await failures._failures(there, {**asked, "reason": "no-such"}, Output(as_json=True), following=False)
    assert json.loads(capsys.readouterr().out)["result"] == []
    async with opened_api(there) as api:
        assert len((await api.get("/api/v1/failures", overviews_model.Failures, {"limit": "1"})).items) == 1


@pytest.mark.server
@pytest.mark.parametrize("is_remote", [False, True])
async def test_watching(
    settings: OperatorSettings,
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_remote: bool,
) -> None:
    """What there is, then what happens; programs get a line for each change."""
    used = at_console(settings, served) if is_remote else settings
    heard, told = list[str](), ConsoleApi.events

    async def events(api: ConsoleApi, words: Words) -> AsyncIterator[Event]:
        async for event in told(api, words):
            heard.append(event.name)
            yield event

    monkeypatch.setattr(ConsoleApi, "events", events)
    people = letters._letters(used, {}, 50, Output(as_json=False), following=True)
    programs = letters._letters(used, {"to": "beta"}, 50, Output(as_json=True), following=True)
    tasks = [asyncio.create_task(people), asyncio.create_task(programs)]
    said = ""
    async with asyncio.timeout(PATIENCE):
        while "journalled" not in said or heard.count("open") < len(tasks):
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
        served.take(len(served.journal.records))
        while "refused" not in said or '"letter"' not in said:
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {line["recipient"] for line in lines} == {"beta"}
    assert "gamma → alpha" in said


@pytest.mark.server
async def test_watching_goes_on_over_a_cut(settings: OperatorSettings, served: Served) -> None:
    """The console may be started again meanwhile; nothing is missed."""
    heard: list[Event] = []
    async with opened_api(at_console(settings, served)) as api:
        async with asyncio.timeout(PATIENCE):
            async for event in api.events({}):
                heard.append(event)
                if len([each for each in heard if each.name == "open"]) == 1 and event.name == "open":
                    await cut(api)
                    served.take(len(served.journal.records))
                if event.name == "changes":
                    break
    assert [event.name for event in heard if event.name in {"open", "changes"}] == ["open", "open", "changes"]


async def cut(api: ConsoleApi) -> None:
    """Close every connection of a client under its hands."""
    pool = api._client._transport._pool  # type: ignore[attr-defined]
    for connection in pool.connections:
        await connection.aclose()


async def test_what_goes_wrong(settings: OperatorSettings, served: Served, tmp_path: Path) -> None:
    """With the console's own codes; a console that is not there, and tokens that are none."""
    there = at_console(settings, served)
    async with opened_api(there) as api:
        with pytest.raises(ConsoleProblem) as refused:
            await letters.listed(api, {"state": "nowhere"}, 50)
        assert refused.value.code == "api-parameter-invalid"
        with pytest.raises(ConsoleProblem) as refused:
            await anext(api.events({"state": "nowhere"}))
        assert refused.value.code == "api-parameter-invalid"
    (tmp_path / "wrong").write_text("xconsole_wrong", encoding="ascii")
    async with opened_api(replace(settings, console=ConsoleAccess(served.url, tmp_path / "wrong", None))) as api:
        with pytest.raises(ConsoleProblem) as refused:
            await letters.listed(api, {}, 50)
        assert refused.value.code == "sign-in-needed"
    async with opened_api(replace(there, console=ConsoleAccess("http://127.0.0.1:1", tmp_path / "wrong", None))) as api:
        for asking in (letters.listed(api, {}, 50), anext(api.events({}))):
            with pytest.raises(ConsoleProblem) as refused:
                await asking
            assert (refused.value.code, refused.value.retriable) == ("console-unreachable", True)


async def test_a_token_that_is_not_there(settings: OperatorSettings, tmp_path: Path) -> None:
    """And a file of authorities that is none."""
    for access, code in (
        (ConsoleAccess("http://127.0.0.1:1", tmp_path / "none", None), "tokens-invalid"),
        (ConsoleAccess("http://127.0.0.1:1", tmp_path / "operator.toml", tmp_path / "operator.toml"), "ca-invalid"),
    ):
        with pytest.raises(ConfigurationError) as refused:
            async with opened_api(replace(settings, console=access)):
                pass
        assert refused.value.code == code


@given(
    st.lists(st.tuples(st.text("ab:\n ", max_size=9), st.text("xyz é", min_size=1, max_size=9)), max_size=6),
    st.integers(1, 7),
)
def test_events_cut_anywhere(messages: list[tuple[str, str]], step: int) -> None:
    """Are the same events, whatever pieces they come in."""
    sent = "".join(
        f": comment\nid: {number}\nevent: e{name.replace(chr(10), '')}\ndata: {data}\n\n"
        for number, (name, data) in enumerate(messages)
    ).encode()
    events = Events()
    found = [event for at in range(0, len(sent), step) for event in events.feed(sent[at : at + step])]
    assert found == [Event(f"e{name.replace(chr(10), '')}", data) for name, data in messages]
    assert events.last_id == (str(len(messages) - 1) if messages else "")
