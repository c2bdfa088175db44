"""Tasks by the API: previewed with a key, begun with a reason, acted on once, and looked at page by page."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry

from exchange.console.api.document import openapi_document
from exchange.console.app import create_api
from exchange.services.http.openapi import encoded
from exchange.services.tasks.office import TaskOffice
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from tests.console.api.test_letters import digest
from tests.console.seed_tasks import SEEDED, task_of
from tests.console.seeded import ADMINISTRATOR, AUDITOR, OPERATOR, client
from tests.console.site import ConsoleSite

TASKS = "/api/v1/tasks"
REASON = "the archive lost its disk"
COMPONENTS = json.loads(encoded(openapi_document()))["components"]


@pytest.fixture
def desk(empty_desk: Path, tmp_path: Path) -> Iterator[DeskStore]:
    """Where tasks are kept; none yet."""
    with DeskStore(f"sqlite:///{shutil.copyfile(empty_desk, tmp_path / 'desk.db')}") as opened:
        yield opened


@pytest.fixture
def console(standing: ConsoleSite, desk: DeskStore) -> ConsoleSite:
    """The API of a console with tasks."""
    whole = replace(standing.desk, tasks=TaskOffice(desk, standing.desk.store, standing.desk.now))
    return replace(standing, desk=whole, application=create_api(whole, CollectorRegistry()))


async def said(
    site: ConsoleSite, path: str, content: object = None, login: str = "olga", **headers: str
) -> httpx.Response:
    """What somebody who posts JSON is answered."""
    async with site.client(login, **headers) as client:
        return await client.post(f"{TASKS}/{path}", json={} if content is None else content)


async def previewed(site: ConsoleSite, content: object, key: str = "the key of it", login: str = "olga") -> Any:
    """A task before it begins."""
    answer = await said(site, "preview", content, login, Idempotency_Key=key)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{TASKS}/{answer.json()['task']['id']}"
    return answer.json()


def require_schema(name: str, told: object) -> None:
    """An answer is what the document says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": COMPONENTS}
    Draft202012Validator(schema).validate(told)


async def test_from_a_filter_to_a_cancelled_task(console: ConsoleSite) -> None:
    """Count, sample and risk first; then the reason, the acts, and each of them twice."""
    found = await previewed(console, {"filter": {"from": "alpha", "state": "registered"}, "sample": 1, "share": 50})
    require_schema("TaskPreviewed", found)
    task = found["task"]
    assert (task["count"], task["repeats"], task["state"], found["act"]) == (1, 1, "previewed", "start")
    assert [letter["recipient"] for letter in found["letters"]] == ["beta"]
    name = task["id"]
    assert (await said(console, f"{name}/begin", {"reason": "no"})).json()["code"] == "task-invalid"
    assert (await said(console, f"{name}/begin", {"reason": REASON}, "aida")).status_code == 403
    for _ in range(2):
        begun = await said(console, f"{name}/begin", {"reason": REASON, "rate": 7})
        assert begun.status_code == 200, begun.text
        require_schema("TaskDetail", begun.json())
        assert (begun.json()["state"], begun.json()["rate"], begun.json()["reason"]) == ("running", 7, REASON)
    for act, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        for _ in range(2):
            answer = await said(console, f"{name}/{act}", {"remark": "as agreed"})
            assert (answer.status_code, answer.json()["state"]) == (200, state)
    acts = answer.json()["acts"]
    assert [each["act"] for each in acts] == ["start", "pause", "resume", "cancel"]
    assert {each["person"] for each in acts} == {"olga"}
    late = await said(console, f"{name}/pause")
    assert (late.status_code, late.json()["code"]) == (409, "task-act-impossible")


async def test_a_key_is_one_task(console: ConsoleSite) -> None:
    """The same key asked for the same is the same task, for something else it is refused; another key is another."""
    letter = {"letters": [{"letter": await digest(console, "first"), "recipient": "beta"}]}
    first, again = await previewed(console, letter), await previewed(console, letter)
    assert first == again
    other = await said(console, "preview", letter | {"sample": 9}, Idempotency_Key="the key of it")
    assert (other.status_code, other.json()["code"]) == (409, "task-repeated")
    assert (await previewed(console, letter, "another key"))["task"]["id"] != first["task"]["id"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, "task-invalid"),
        ({"filter": {}}, "task-invalid"),
        ({"filter": {"to": "beta"}, "letters": [{"letter": "0" * 64}]}, "task-invalid"),
        ({"filter": {"state": "nowhere"}}, "api-parameter-invalid"),
        ({"filter": {"state": "relay-failed"}}, "task-empty"),
        ({"filter": {"state": "rejected"}}, "task-empty"),
        ({"letters": [{"letter": "zz"}]}, "task-invalid"),
        ({"letters": [{"letter": "0" * 64}]}, "task-invalid"),
        ({"letters": [{"letter": "0" * 64}] * 1001}, "task-invalid"),
        ({"filter": {"to": "beta"}, "rate": 0}, "task-invalid"),
        ({"filter": {"to": "beta"}, "share": 101}, "task-invalid"),
        ({"filter": {"to": "beta"}, "unheard": "of"}, "task-invalid"),
        ([], "task-invalid"),
    ],
)
async def test_previews_that_are_refused(console: ConsoleSite, content: object, code: str) -> None:
    """With the field's name; nothing is kept."""
    answer = await said(console, "preview", content, Idempotency_Key="the key of it")
    assert (answer.status_code // 100, answer.json()["code"]) == (4, code), answer.text
    require_schema("Problem", answer.json())
    async with console.client("olga") as client:
        assert (await client.get(f"{TASKS}?state=previewed")).json()["items"] == []


async def test_requests_that_are_none(console: ConsoleSite) -> None:
    """Without a key, not as JSON, of no task, of no place, in no state."""
    letter = {"filter": {"to": "beta"}}
    assert (await said(console, "preview", letter)).json()["code"] == "task-invalid"
    async with console.client("olga") as client:
        form = await client.post(f"{TASKS}/preview", data={"to": "beta"})
        assert (form.status_code, form.json()["code"]) == (415, "api-media-type")
        for path, code in (
            (f"{TASKS}?after=nonsense", "cursor-invalid"),
            (f"{TASKS}?state=nowhere", "api-parameter-invalid"),
            (f"{TASKS}/0000000000000000", "task-unknown"),
            (f"{TASKS}/0000000000000000/letters", "task-unknown"),
        ):
            assert (await client.get(path)).json()["code"] == code


async def test_pages_of_tasks_and_letters(seeded: Store, seeded_tasks: DeskStore) -> None:
    """`next` leads through all of them once; an unchanged answer is 304."""
    async with client(seeded, AUDITOR, tasks=seeded_tasks) as api:
        path, ids = f"{TASKS}?limit=2", []
        while path:
            page = (await api.get(path)).json()
            require_schema("Tasks", page)
            ids += [task["id"] for task in page["items"]]
            path = page["next"]
        assert sorted(ids) == sorted(task_of(name) for name in SEEDED if name not in {"previewed", "repeats"})
        path, numbers = f"{TASKS}/{task_of('running')}/letters?limit=30&state=handed-over,refused", []
        while path:
            page = (await api.get(path)).json()
            require_schema("TaskLetters", page)
            numbers += [letter["number"] for letter in page["items"]]
            path = page["next"]
        assert numbers == [*range(18)]
        told = await api.get(f"{TASKS}/{task_of('running')}")
        assert (told.json()["results"], told.json()["failures"], told.json()["second"]) == (18, 2, "aigul")
        assert (await api.get(told.url.path, headers={"If-None-Match": told.headers["etag"]})).status_code == 304


async def test_the_second_person(seeded: Store, seeded_tasks: DeskStore) -> None:
    """Is not the author, nor who has no right to; a body's administrator does not even see tasks."""
    path = f"{TASKS}/{task_of('waiting')}"
    for user, status, code in (
        (OPERATOR, 403, "task-second-person"),
        (AUDITOR, 403, "task-right-missing"),
        (ADMINISTRATOR, 403, "task-right-missing"),
    ):
        async with client(seeded, user, tasks=seeded_tasks) as api:
            answer = await api.post(f"{path}/approve", json={})
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert (await api.get(path)).status_code == (403 if user is ADMINISTRATOR else 200)


async def test_a_console_without_tasks(standing: ConsoleSite) -> None:
    """Says so."""
    async with standing.client("olga") as client:
        answer = await client.get(TASKS)
    assert (answer.status_code, answer.json()["code"]) == (503, "tasks-not-here")
