"""Pages of seeded tasks: each state shows what it is about, in every language, and the first page what is under way."""

import re

import pytest

from exchange.console.pages import task_words
from exchange.domain.task import TaskState
from exchange.domain.user import User
from exchange.store.database import Store
from exchange.store.desk import tasks
from exchange.store.desk.database import DeskStore
from tests.console.seed_tasks import AUTHOR, SECOND, SEEDED, task_of
from tests.console.seeded import ADMINISTRATOR, EVERYTHING, OPERATOR, client

STATES = {
    "previewed": TaskState.PREVIEWED,
    "repeats": TaskState.PREVIEWED,
    "running": TaskState.RUNNING,
    "waiting": TaskState.WAITING,
    "paused": TaskState.PAUSED,
    "done": TaskState.DONE,
    "failed": TaskState.FAILED,
    "cancelled": TaskState.CANCELLED,
}


def text_of(page: str) -> str:
    """What a page says, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def seen(
    store: Store, desk: DeskStore, path: str, user: User = EVERYTHING, language: str = "en"
) -> tuple[str, str]:
    """A page and what it says."""
    async with client(store, user, language, desk) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text, text_of(answer.text)


def test_every_state_is_seeded(seeded_tasks: DeskStore) -> None:
    """What is looked at in a browser holds all that there is."""
    with seeded_tasks.reading() as connection:
        found = {name: tasks.get(connection, task_of(name)).state for name in SEEDED}
    assert found == STATES
    assert {*STATES.values()} == {*TaskState}


@pytest.mark.parametrize("language", ["en", "ky", "ru"])
async def test_every_task_and_the_list_have_a_page(seeded: Store, seeded_tasks: DeskStore, language: str) -> None:
    """With its reason, who is involved, and each of its letters."""
    async with client(seeded, EVERYTHING, language, seeded_tasks) as browser:
        for name in SEEDED:
            answer = await browser.get(f"/tasks/{task_of(name)}")
            assert answer.status_code == 200, name
            assert answer.text.count('href="/letters/') > 10, name
        listed = (await browser.get("/tasks")).text
    begun = {name for name, state in STATES.items() if state is not TaskState.PREVIEWED}
    assert {name for name in SEEDED if f"/tasks/{task_of(name)}" in listed} == begun


async def test_a_running_task(seeded: Store, seeded_tasks: DeskStore) -> None:
    """How far it is, at what pace, what failed at the same bodies since, and each letter's result."""
    page, said = await seen(seeded, seeded_tasks, f"/tasks/{task_of('running')}")
    assert f"approved by {SECOND}" in said
    assert "18 / " in said  # came to a result
    assert "0 letters were said in the last minute" in said
    assert "what people wrote in it was lawfully deleted" in said
    assert "new failures at the same bodies" in said
    assert 'value="pause"' in page
    assert 'value="cancel"' in page
    assert 'data-hx-trigger="every' in page
    refused, _ = await seen(seeded, seeded_tasks, f"/tasks/{task_of('running')}?state=refused")
    assert refused.count("Not possible") > 2


async def test_who_may_approve(seeded: Store, seeded_tasks: DeskStore) -> None:
    """A second person is asked on the list and on the page; its author is not."""
    for user, may in ((EVERYTHING, True), (OPERATOR, False)):
        page, _ = await seen(seeded, seeded_tasks, f"/tasks/{task_of('waiting')}", user)
        assert ('value="approve"' in page) == may, user.login
    assert OPERATOR.login == SECOND
    assert EVERYTHING.login == AUTHOR


async def test_a_preview_tells_the_risk(seeded: Store, seeded_tasks: DeskStore) -> None:
    """Of a repeat, where letters were handed over before."""
    for name, risk in (("previewed", "No repeat is expected."), ("repeats", "Risk of a repeat.")):
        page, said = await seen(seeded, seeded_tasks, f"/tasks/{task_of(name)}")
        assert risk in said, name
        assert f'action="/tasks/{task_of(name)}/begin"' in page


async def test_why_a_task_stopped_itself(seeded: Store, seeded_tasks: DeskStore) -> None:
    """In words, by its code, with what to do next; a letter that cannot be said has the same."""
    _, said = await seen(seeded, seeded_tasks, f"/tasks/{task_of('failed')}")
    assert task_words.NOTES["task-sample-failed"] in said
    assert f"task-sample-failed Next: {task_words.STEPS['task-sample-failed']}" in said
    _, said = await seen(seeded, seeded_tasks, f"/tasks/{task_of('running')}?state=refused")
    assert f"redrive-content-gone Next: {task_words.STEPS['redrive-content-gone']}" in said
    assert task_words.STEPS.keys() <= task_words.NOTES.keys()


async def test_the_first_page_has_what_is_under_way(seeded: Store, seeded_tasks: DeskStore) -> None:
    """Those that run, wait or are paused, with their progress; not for who sees one body only."""
    page, said = await seen(seeded, seeded_tasks, "/")
    under_way = {"running", "waiting", "paused"}
    assert {name for name in SEEDED if f"/tasks/{task_of(name)}" in page} == under_way
    assert "3 tasks under way" in said
    _, said = await seen(seeded, seeded_tasks, "/", ADMINISTRATOR)
    assert "under way" not in said
