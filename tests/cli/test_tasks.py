"""`exchange redrive` and `exchange tasks`: shown before anything begins, the same in this process and over HTTP."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from exchange.cli.commands import app
from exchange.cli.console_api import opened_api
from exchange.cli.output import Output
from exchange.cli.task_views import follow, render_task
from exchange.console.api import tasks_model as model
from exchange.console.api.parameters import FilterQuery
from exchange.domain.task import TaskAct, TaskState
from exchange.settings import OperatorSettings, operator_settings
from exchange.store.database import Store
from exchange.store.desk import tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.tasks import Going
from tests.cli.test_console_api import FILE, at_console
from tests.console.served import serving_console
from tests.journal.synthetic import SyntheticJournal, story
from tests.store.support import fill
from tests.world import World

REASON = "the archive lost its disk"


@dataclass(frozen=True, slots=True)
class Kept:
    """A journal, and databases in which tracker and desk share a file: with nothing in it, and with the whole story."""

    journal: SyntheticJournal
    blank: bytes
    filled: bytes


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Made once: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("kept")
    journal = story(World(folder))
    file = folder / "tracker.db"
    with Store(f"sqlite:///{file}") as tracker, DeskStore(f"sqlite:///{file}") as desk:
        tracker.migrate()
        desk.migrate()
    blank = file.read_bytes()
    with Store(f"sqlite:///{file}") as tracker:
        fill(tracker, journal.records)
    return Kept(journal, blank, file.read_bytes())


@pytest.fixture
def place(kept: Kept, tmp_path: Path) -> Path:
    """An operator's file beside the database."""
    (tmp_path / "tracker.db").write_bytes(kept.filled)
    (tmp_path / "operator.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def called(place: Path, *words: str) -> Result:
    """What a command says."""
    return CliRunner().invoke(app, [*words, "--config", str(place / "operator.toml")])


def told(place: Path, *words: str) -> Any:
    """What it says to programs."""
    run = called(place, *words, "--json")
    assert run.exit_code == 0, run.output
    return json.loads(run.output)["result"]


def test_nothing_begins_unasked(place: Path) -> None:
    """The count, the risk and the sample are shown; without --yes that is all."""
    run = called(place, "redrive", "--from", "alpha", "--state", "registered", "--reason", REASON)
    assert run.exit_code == 0, run.output
    assert "1 letters would be redelivered" in run.output
    assert "1 of them were handed over before" in run.output
    assert "Nothing was set going" in run.output
    assert told(place, "tasks", "list") == []


def test_from_a_letter_to_a_cancelled_task(place: Path) -> None:
    """Begun with a reason, listed, shown, cancelled; its author cannot approve it."""
    words = ["redrive", "first", "--to", "beta", "--reason", REASON, "--rate", "3", "--key", "a key of mine"]
    begun = told(place, *words, "--yes")
    assert (begun["state"], begun["rate"], begun["count"], begun["reason"]) == ("running", 3, 1, REASON)
    assert told(place, *words, "--yes")["id"] == begun["id"]
    name = str(begun["id"])
    assert name in called(place, "tasks", "list").output
    shown = called(place, "tasks", "show", name).output
    assert REASON in shown
    assert "start by this machine" in shown
    assert "waiting" in shown
    assert "paused" in called(place, "tasks", "pause", name[:8]).output
    assert "running" in called(place, "tasks", "resume", name[:8]).output
    assert "task-second-person" in called(place, "tasks", "approve", name).output
    assert "cancelled" in called(place, "tasks", "cancel", name, "--remark", "found again").output
    late = called(
        place, "redrive", "first", "--to", "beta", "--reason", REASON, "--key", "a key of mine", "--rate", "4"
    )
    assert "task-repeated" in late.output
    followed = called(place, "tasks", "show", name, "--watch")
    assert (followed.exit_code, "cancelled" in followed.output) == (1, True)


def test_a_body_is_refilled(place: Path) -> None:
    """All of a time, whatever their state; looked at first, then begun as a task that other commands show."""
    words = ["refill", "beta", "--since", "2026-01-01T00:00:00+06:00", "--reason", REASON]
    shown = called(place, *words)
    assert shown.exit_code == 0, shown.output
    assert "1 letters would be redelivered, as they were signed: to:beta since:2026-01-01" in shown.output
    assert "1 of them were handed over before" in shown.output
    assert "Nothing was set going" in shown.output
    begun = told(place, *words, "--until", "2036-01-01T00:00:00+06:00", "--yes")
    assert (begun["state"], begun["count"], begun["kind"], begun["reason"]) == ("running", 1, "redrive", REASON)
    late = called(place, *words[:2], "--since", "2036-01-01T00:00:00+06:00", "--reason", REASON)
    assert "[task-empty]" in late.output
    assert "[instant-invalid]" in called(place, *words[:2], "--since", "2026-01-01", "--reason", REASON).output


def test_what_is_not_possible(place: Path) -> None:
    """Without a reason, of no letter, of a letter that nobody knows, of what only its sender mends."""
    assert called(place, "redrive", "--from", "alpha").exit_code == 2
    assert called(place, "redrive", "--from", "alpha", "--reason", REASON, "--key", "short").exit_code == 2
    for words, code in (
        (["redrive", "--from", "zeta", "--reason", REASON], "task-empty"),
        (["redrive", "nothing", "--reason", REASON], "letter-unknown"),
        (["redrive", "first", "--reason", "no", "--yes"], "task-invalid"),
        (["tasks", "show", "0000000000000000"], "task-unknown"),
        (["tasks", "pause", "00000000"], "task-unknown"),
        (["tasks", "list", "--state", "nowhere"], "api-parameter-invalid"),
    ):
        run = called(place, *words)
        assert (run.exit_code, f"[{code}]" in run.output) == (1, True), run.output


@pytest.fixture
def desk(place: Path, kept: Kept) -> Iterator[DeskStore]:
    """Where a console keeps tasks; none yet."""
    (place / "tracker.db").write_bytes(kept.blank)
    with DeskStore(f"sqlite:///{place}/tracker.db") as opened:
        yield opened


@pytest.fixture
async def settings(kept: Kept, place: Path, desk: DeskStore) -> AsyncIterator[OperatorSettings]:
    """An operator's settings that name a console on a socket."""
    with Store(f"sqlite:///{place}/tracker.db") as store:
        async with serving_console(kept.journal, store, place, tasks=desk) as served:
            served.take(len(kept.journal.records))
            yield at_console(operator_settings(place / "operator.toml", {}), served)


async def test_over_http_until_it_is_done(
    settings: OperatorSettings, desk: DeskStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same questions of a console; a task is followed to its end, in which it may have failed."""
    async with opened_api(settings) as api:
        for end, state in ((TaskAct.FINISH, TaskState.DONE), (TaskAct.STOP, TaskState.FAILED)):
            wanted = model.TaskWanted(filter=FilterQuery(to="beta", sender="alpha"))
            key = {"Idempotency-Key": f"a key for {end}"}
            found = await api.post("/api/v1/tasks/preview", model.TaskPreviewed, wanted, key)
            name = found.task.id
            begun = await api.post(f"/api/v1/tasks/{name}/begin", model.TaskDetail, model.TaskBegun(reason=REASON))
            assert (begun.person, begun.state) == ("olga", TaskState.RUNNING)
            with desk.writing() as connection:
                tasks.goes(connection, name, Going(5, 0.0099, 0.009))
            shown = await api.get(f"/api/v1/tasks/{name}", model.TaskDetail, {})
            render_task(shown, (), Output(as_json=False).console)
            assert "5 a second, as live letters bear it" in " ".join(capsys.readouterr().out.split())
            with desk.writing() as connection:
                tasks.act(connection, name, end, "", begun.created)
            if state is TaskState.DONE:
                await follow(api, name, Output(as_json=False))
            else:
                with pytest.raises(typer.Exit):
                    await follow(api, name, Output(as_json=True))
            assert state in capsys.readouterr().out
