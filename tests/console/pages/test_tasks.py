"""Pages of tasks: looked at before they start, begun with a reason, and never by who may not."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.console.app import create_app
from exchange.domain.fact import LetterFact
from exchange.domain.task import TaskState
from exchange.journal.facts import read_fact
from exchange.services.tasks.office import TaskOffice
from exchange.store.desk import tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.tasks import Going
from tests.console.site import AUDITOR, OPERATOR, ConsoleSite
from tests.journal.synthetic import SyntheticJournal

REASON = "the archive lost its disk"


@pytest.fixture
def desk(empty_desk: Path, tmp_path: Path) -> Iterator[DeskStore]:
    """Where tasks are kept; none yet."""
    with DeskStore(f"sqlite:///{shutil.copyfile(empty_desk, tmp_path / 'desk.db')}") as opened:
        yield opened


@pytest.fixture
def console(standing: ConsoleSite, desk: DeskStore) -> ConsoleSite:
    """A console with tasks."""
    office = TaskOffice(desk, standing.desk.store, standing.desk.now)
    whole = replace(standing.desk, tasks=office)
    return replace(standing, desk=whole, application=create_app(whole, CollectorRegistry()))


@pytest.fixture
def letter(told: SyntheticJournal) -> LetterFact:
    """One that was accepted."""
    facts = [read_fact(record) for record in told.records]
    return next(each for each in facts if isinstance(each, LetterFact) and each.recipients and not each.reason)


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_from_a_letter_to_a_running_task(
    console: ConsoleSite, desk: DeskStore, letter: LetterFact, language: str
) -> None:
    """The form of the letter's page, the preview, the reason, and the task's own page and acts."""
    name = letter.letter.hex()
    async with console.client(OPERATOR, Accept="text/html", Accept_Language=language) as client:
        assert 'action="/tasks/preview"' in (await client.get(f"/letters/{name}")).text
        previewed = await client.post("/tasks/preview", data={"letter": name, "recipient": letter.recipients[0]})
        assert previewed.status_code == 303
        path = previewed.headers["location"]
        assert f'action="{path}/begin"' in (await client.get(path)).text
        short = await client.post(f"{path}/begin", data={"reason": "no"})
        assert (short.status_code, 'role="alert"' in short.text) == (422, True)
        for rate in ("0x1", "9999"):
            assert (await client.post(f"{path}/begin", data={"reason": REASON, "rate": rate})).status_code == 422
        assert (await client.post(f"{path}/begin", data={"reason": REASON, "rate": "7"})).status_code == 303
        page = (await client.get(path)).text
        assert REASON in page
        assert REASON in (await client.get("/tasks")).text
        assert (await client.post(f"{path}/begin", data={"reason": REASON})).status_code == 409
        assert (await client.post(f"{path}/act", data={"act": "explode"})).status_code == 422
        for act, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
            assert (await client.post(f"{path}/act", data={"act": act})).status_code == 303
            with desk.reading() as connection:
                assert tasks.get(connection, path.rsplit("/", 1)[1]).state is TaskState(state)
    with desk.reading() as connection:
        kept = tasks.get(connection, path.rsplit("/", 1)[1])
    assert (kept.plan.rate, kept.person, kept.reason) == (7, OPERATOR, REASON)


@pytest.mark.parametrize(
    ("going", "words"),
    [
        (Going(5, 0.0099, 0.009), "now 5 a second, as live letters bear it: the exchange takes 9.9 ms for one"),
        (Going(5), "now 5 a second, and faster as long as"),
        (Going(7, 0.009, 0.009), "as fast as it may"),
    ],
)
async def test_how_fast_a_task_goes_and_why(
    console: ConsoleSite, desk: DeskStore, letter: LetterFact, going: Going, words: str
) -> None:
    """Its page says what keeps it from its rate; so does the API, in numbers."""
    async with console.client(OPERATOR, Accept="text/html", Accept_Language="en") as client:
        form = {"letter": letter.letter.hex(), "recipient": letter.recipients[0]}
        path = (await client.post("/tasks/preview", data=form)).headers["location"]
        await client.post(f"{path}/begin", data={"reason": REASON, "rate": "7"})
        with desk.writing() as connection:
            tasks.goes(connection, path.rsplit("/", 1)[1], going)
        assert words in (await client.get(path)).text
        told = (await client.get(f"/api/v1{path}")).json()
        assert (told["pace"], told["live_working"]) == (going.pace, going.working or None)


async def test_who_sees_no_form_and_sets_nothing_going(console: ConsoleSite, letter: LetterFact) -> None:
    """An auditor looks; whoever administers a body does not even that."""
    name = letter.letter.hex()
    for login, status in ((AUDITOR, 200), (letter.sender, 403)):
        async with console.client(login, Accept="text/html") as client:
            assert "/tasks/preview" not in (await client.get(f"/letters/{name}")).text
            assert (await client.get("/tasks")).status_code == status
            assert (await client.post("/tasks/preview", data={"letter": name})).status_code == 403


async def test_lists_that_are_none(console: ConsoleSite) -> None:
    """Without a filter, with a wrong one, or one that leaves nothing, there is nothing to look at."""
    async with console.client(OPERATOR, Accept="text/html") as client:
        for form in ({}, {"state": "nonsense"}, {"order": "youngest"}, {"q": "no such letter"}, {"letter": "0" * 64}):
            answer = await client.post("/tasks/preview", data=form)
            assert (answer.status_code, answer.headers.get("location")) == (422, None), form
        assert (await client.get("/tasks/0000000000000000")).status_code == 404
