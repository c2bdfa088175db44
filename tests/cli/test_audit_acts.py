"""An auditor's commands in the journal: before they begin, and what came of them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from exchange.archive.layout import LOGS
from exchange.cli import audit, evidence
from exchange.cli.exits import Exit, exit_code
from exchange.console.app import create_api
from exchange.domain.errors import ExchangeError
from exchange.store.database import Store
from tests.audited import Archived
from tests.console.auth.people import Remembered
from tests.console.served import Made, reached
from tests.console.site import AUDITOR, OPERATOR, console_site
from tests.journal.synthetic import SyntheticJournal
from tests.world import World

RUNNER = CliRunner()
FILE = (
    '[kafka]\nbootstrap = "nowhere:1"\nca = "ca"\ncertificate = "certificate"\nkey = "key"\n'
    '[directory]\nfolder = "{directory}"\nroot = "1.root.json"\n'
    '[store]\nurl = "sqlite://"\n[archive]\nfolder = "archive"\n[log]\npolicy = "log.policy"\n'
)


@dataclass(frozen=True)
class Auditor:
    """An auditor's machine: `file` names a console that keeps `acts`."""

    folder: Path
    letter: str
    acts: Remembered
    tokens: dict[str, str]

    @property
    def file(self) -> Path:
        """The auditor's."""
        return self.folder / "auditor.toml"

    def run(self, *words: str) -> tuple[int, str, ExchangeError | None]:
        """Exit code, all that was printed, and what was refused."""
        command = evidence.app if words[0] == "evidence" else audit.app
        told = RUNNER.invoke(command, [*words[words[0] == "evidence" :], "--config", str(self.file)])
        error = told.exception if isinstance(told.exception, ExchangeError) else None
        return told.exit_code, told.output, error

    def told(self) -> list[tuple[str, str, str, str]]:
        """What is kept: action, person, reason, detail."""
        return [(act.action, act.person, act.reason, act.detail) for act in self.acts.acts]


@contextmanager
def _beside(journal: SyntheticJournal, folder: Path, acts: Remembered) -> Iterator[tuple[str, dict[str, str]]]:
    """A console that runs beside this thread: its address and tokens."""
    made: list[tuple[str, dict[str, str]]] = []
    up, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        """Until it is told to end."""
        with Store(f"sqlite:///{folder}/tracker.db") as store:
            store.migrate()

            def make(url: str) -> Made:
                """A console that keeps acts."""
                site = console_site(store, journal, folder, url)
                desk = replace(site.desk, acts=acts)
                made.append((url, site.tokens))
                return desk, create_api(desk, CollectorRegistry())

            async with reached(make):
                up.set()
                await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        up.wait()
        yield made[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Auditor, str]]:
    """A letter in an archive, a console that answers, and what stands in the auditor's file."""
    folder = tmp_path_factory.mktemp("acts")
    journal = SyntheticJournal(World(folder / "world"))
    letter = journal.letter("alpha", "beta")
    archived = Archived(folder / "archive", journal)
    archived.archive(journal.records)
    (folder / "log.policy").write_text(archived.keys.text)
    (folder / "1.root.json").write_bytes(journal.world.root)
    acts = Remembered()
    with _beside(journal, folder, acts) as (url, tokens):
        console = f'[console]\nurl = "{url}"\ntoken = "token"\n'
        text = FILE.format(directory=journal.world.published.folder) + console
        yield Auditor(folder, letter.digest.hex(), acts, tokens), text


@pytest.fixture
def auditor(standing: tuple[Auditor, str]) -> Auditor:
    """Who has done nothing yet."""
    made, text = standing
    made.file.write_text(text)
    (made.folder / "token").write_text(made.tokens[AUDITOR])
    made.acts.acts.clear()
    made.acts.fails = False
    return made


def test_beginning_and_outcome(auditor: Auditor, tmp_path: Path) -> None:
    """Of each command, in the name of the token's owner; the output says where."""
    code, output, _ = auditor.run("verify", "--processes", "1", "--reason", "of each Monday")
    assert code == 0, output
    begun, ended = auditor.acts.acts
    assert f"In the journal as audit-verify by {AUDITOR}, task {begun.task}." in output
    assert begun.task == ended.task
    assert auditor.told()[0] == ("audit-verify", AUDITOR, "of each Monday", "the log")
    assert auditor.told()[1][3].startswith("the log: everything holds, ")
    auditor.acts.acts.clear()
    package = tmp_path / "case.asice"
    assert auditor.run("evidence", auditor.letter, "-o", str(package))[0] == 0
    assert auditor.run("prove", auditor.letter, "-o", str(tmp_path / "proofs"))[0] == 0
    checkpoint = str(auditor.folder / "archive" / LOGS / "heads/checkpoint")
    assert auditor.run("compare", checkpoint, checkpoint)[0] == 0
    names = [act.action for act in auditor.acts.acts]
    kinds = ("evidence", "prove", "compare")
    assert names == [name for kind in kinds for name in (f"audit-{kind}", f"audit-{kind}-result")]
    assert {act.letter for act in auditor.acts.acts[:4]} == {bytes.fromhex(auditor.letter)}
    assert "SHA-256" in auditor.acts.acts[1].detail


def test_what_was_found_and_what_broke(auditor: Auditor) -> None:
    """An outcome that nobody likes is kept as well; so is an end before the end."""
    checkpoint = auditor.folder / "archive" / LOGS / "heads/checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-9])
    code, *_ = auditor.run("verify", "--processes", "1")
    checkpoint.write_bytes(whole)
    assert code == Exit.FOUND
    assert "something was found" in auditor.acts.acts[-1].detail
    assert auditor.run("compare", "nowhere", "nowhere")[0] != 0
    assert auditor.acts.acts[-1].detail.endswith("broken off, checkpoint-missing")


def test_what_cannot_be_kept_is_not_begun(auditor: Auditor, tmp_path: Path) -> None:
    """Neither when the console has no room for it, nor by a token that is no auditor's, nor when nobody answers."""
    auditor.acts.fails = True
    _, _, error = auditor.run("prove", auditor.letter, "-o", str(tmp_path / "full"))
    assert error is not None
    assert (error.code, "act-not-kept" in str(error)) == ("audit-not-journalled", True)
    auditor.acts.fails = False
    (auditor.folder / "token").write_text(auditor.tokens[OPERATOR])
    _, _, error = auditor.run("prove", auditor.letter, "-o", str(tmp_path / "operator"))
    assert error is not None
    assert (error.code, exit_code(error)) == ("audit-not-journalled", Exit.CONFIGURATION)
    text = auditor.file.read_text()
    auditor.file.write_text(text.partition("[console]")[0] + '[console]\nurl = "http://127.0.0.1:1"\ntoken = "token"\n')
    _, _, error = auditor.run("prove", auditor.letter, "-o", str(tmp_path / "silent"))
    assert error is not None
    assert (error.code, exit_code(error)) == ("audit-not-journalled", Exit.UNAVAILABLE)
    assert list(tmp_path.glob("[!t]*")) == []
    assert auditor.acts.acts == []
    code, output, _ = auditor.run("prove", auditor.letter, "-o", str(tmp_path / "copy"), "--not-journalled")
    assert (code, "This act is not in the journal" in output) == (0, True)


def test_without_a_console(auditor: Auditor) -> None:
    """The result is the same, and what is to be done is told once, beside it."""
    auditor.file.write_text(auditor.file.read_text().partition("[console]")[0])
    told = RUNNER.invoke(audit.app, ["verify", "--processes", "1", "--json", "--config", str(auditor.file)])
    assert json.loads(told.stdout)["ok"]
    assert told.stderr.count("not in the journal") == 1
    assert "[console] with url and token" in told.stderr
