"""Tasks: their list, one of them with its letters, and what people do to them.

POST …/tasks/preview    the exact list is fixed; nothing is set going    Idempotency-Key: the same key, the same task
POST …/tasks/<id>/begin   …/approve   …/pause   …/resume   …/cancel      asked again by who did it: as it is now
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.responses import Response

from exchange.console.api import tasks_telling as telling
from exchange.console.api.asking import PRIVATE, Asked, answer, content, wanted
from exchange.console.api.parameters import FilterQuery, Query
from exchange.console.api.tasks_model import (
    LetterNamed,
    TaskActed,
    TaskBegun,
    TaskLetters,
    TaskLettersQuery,
    Tasks,
    TasksQuery,
    TaskWanted,
)
from exchange.console.task_desk import after_of, as_refused, office_of, place_of
from exchange.domain.task import ItemState, Plan, TaskAct, TaskRefused, TaskState, require_right
from exchange.services.http.openapi import JSON
from exchange.services.http.problems import ApiRefused
from exchange.services.tasks import office
from exchange.services.tasks.choosing import Chosen
from exchange.services.tasks.office import BEGUN, Story, TaskOffice
from exchange.store.lists import DeliveryFilter

IDEMPOTENCY_KEY = "idempotency-key"
_INVALID = "task-invalid"
_BEGINNINGS = frozenset({TaskAct.START, TaskAct.SUBMIT})

State = TypeVar("State", bound=StrEnum)


async def tasks(asked: Asked[TasksQuery]) -> Response:
    """Tasks, the youngest first."""
    query = asked.query
    states = _states(query.state, TaskState) or list(BEGUN)
    before = place_of(query.after)
    if query.after and before is None:
        message = "after: is no place in this list: begin at its first page"
        raise ApiRefused(message, code="cursor-invalid")
    with _refusing():
        told = await office_of(asked.request).listed(asked.user, states, before, query.limit)
    last = after_of(told[-1].task) if len(told) == query.limit else None
    return answer(asked.request, Tasks(items=tuple(map(telling.task, told)), next=asked.next_page(last)))


async def task(asked: Asked[Query]) -> Response:
    """One task."""
    with _refusing():
        story = await office_of(asked.request).story(asked.user, asked.part("task"))
    return answer(asked.request, telling.detail(story))


async def letters(asked: Asked[TaskLettersQuery]) -> Response:
    """A task's letters, by number."""
    query = asked.query
    states = _states(query.state, ItemState) or [*ItemState]
    with _refusing():
        found = await office_of(asked.request).items(
            asked.user, asked.part("task"), states, query.first, query.limit + 1
        )
    items = tuple(map(telling.letter, found[: query.limit]))
    following = found[query.limit].number if len(found) > query.limit else None
    return answer(asked.request, TaskLetters(items=items, next=asked.next_page(following, "first")))


async def preview(asked: Asked[Query]) -> Response:
    """Fix the list of a new task."""
    with _refusing():
        require_right(asked.user, TaskAct.START, asked.user.login)
        said = await content(asked.request, TaskWanted, _INVALID)
        which, words = _wanted(asked, said)
        plan = Plan(said.rate, said.sample, said.share)
        key = asked.request.headers.get(IDEMPOTENCY_KEY, "")
        found = await office_of(asked.request).preview(asked.user, office.Asked(which, words, plan, key))
        story = await office_of(asked.request).story(asked.user, found.task.id)
    told = msgspec.json.encode(telling.previewed(found, story))
    headers = PRIVATE | {"Location": f"/api/v1/tasks/{found.task.id}"}
    return Response(told, HTTPStatus.CREATED, headers=headers, media_type=JSON)


async def begin(asked: Asked[Query]) -> Response:
    """Let a previewed task run, or ask the second person."""
    with _refusing():
        require_right(asked.user, TaskAct.START, asked.user.login)
        said, tasks, name = (
            await content(asked.request, TaskBegun, _INVALID),
            office_of(asked.request),
            asked.part("task"),
        )
        try:
            await tasks.begin(asked.user, name, said.reason, said.rate)
        except TaskRefused as error:
            await _require_done(tasks, asked, error, _BEGINNINGS)
        return await task(asked)


async def approve(asked: Asked[Query]) -> Response:
    """The second person's yes."""
    return await _act(asked, TaskAct.APPROVE)


async def pause(asked: Asked[Query]) -> Response:
    """Say nothing more for now."""
    return await _act(asked, TaskAct.PAUSE)


async def resume(asked: Asked[Query]) -> Response:
    """Go on."""
    return await _act(asked, TaskAct.RESUME)


async def cancel(asked: Asked[Query]) -> Response:
    """Say nothing more, ever."""
    return await _act(asked, TaskAct.CANCEL)


async def _act(asked: Asked[Query], act: TaskAct) -> Response:
    with _refusing():
        # Any author but the caller will do: whose task it is, is looked at below.
        require_right(asked.user, act, "")
        said, tasks, name = (
            await content(asked.request, TaskActed, _INVALID),
            office_of(asked.request),
            asked.part("task"),
        )
        try:
            await tasks.act(asked.user, name, act, said.remark)
        except TaskRefused as error:
            await _require_done(tasks, asked, error, frozenset({act}))
        return await task(asked)


async def _require_done(tasks: TaskOffice, asked: Asked[Query], error: TaskRefused, acts: frozenset[TaskAct]) -> None:
    """Whoever asks once more for what they did last is answered as the first time: the first answer may be lost.

    Raises:
        TaskRefused: it was not done, or not by this person, or somebody did something since.
    """
    if error.code != "task-act-impossible":
        raise error
    story: Story = await tasks.story(asked.user, asked.part("task"))
    by_people = [each for each in story.acts if each.person]
    if not by_people or by_people[-1].act not in acts or by_people[-1].person != asked.user.login:
        raise error


def _wanted(asked: Asked[Query], said: TaskWanted) -> tuple[DeliveryFilter | list[Chosen], str]:
    """What a preview is asked of, and the same in words for people."""
    words = {} if said.filter is None else _words(said.filter)
    if bool(words) == bool(said.letters):
        message = "filter, letters: give one of them, and not an empty one"
        raise TaskRefused(message)
    if said.filter is None or not words:
        chosen = [Chosen(bytes.fromhex(each.letter), each.recipient) for each in said.letters]
        return chosen, " ".join(map(_named, said.letters))
    which = wanted(said.filter, asked.user, asked.desk.now())
    return which, " ".join(f"{word}:{value}" for word, value in words.items())


def _words(query: FilterQuery) -> dict[str, str]:
    return {word: str(value) for word, value in msgspec.to_builtins(query).items() if value}


def _named(named: LetterNamed) -> str:
    return f"letter {named.letter}" + (f" to:{named.recipient}" if named.recipient else "")


def _states(text: str, kind: type[State]) -> list[State]:
    try:
        return [kind(part) for part in text.split(",") if part]
    except ValueError:
        message = f"query: state: '{text[:63]}' is none of {', '.join(kind)}: correct it"
        raise ApiRefused(message, code="api-parameter-invalid") from None


@contextmanager
def _refusing() -> Iterator[None]:
    """What a task refuses is answered with its status."""
    try:
        yield
    except TaskRefused as error:
        raise as_refused(error) from error
