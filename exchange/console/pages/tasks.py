"""Tasks: the list, one task with everything about it, and the way to a new one; all of it without a script.

/tasks/preview    a filter or a letter ─▶ the exact list is fixed ─▶ /tasks/<id>
/tasks/<id>       previewed: count, risk, sample; reason ─▶ begin. Later: progress, results, acts
"""

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages import task_words
from exchange.console.pages.asking import renderer_of
from exchange.console.pages.filters import ListFilter
from exchange.console.pages.forms import form_of, text_of
from exchange.console.task_desk import after_of, as_refused, office_of, place_of
from exchange.domain.task import ALONE_AT_MOST, ItemState, Plan, TaskAct, TaskRefused, TaskState
from exchange.domain.user import Right
from exchange.services.tasks.choosing import Chosen
from exchange.services.tasks.office import BEGUN, Asked, Story

ROWS = 50
ITEMS = 100
_ACTS: Mapping[str, TaskAct] = MappingProxyType(
    {act.value: act for act in (TaskAct.APPROVE, TaskAct.PAUSE, TaskAct.RESUME, TaskAct.CANCEL)}
)
_NUMBER = re.compile(r"[0-9]{1,6}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@require(Right.SEE_ALL)
async def listed(request: Request) -> Response:
    """All tasks, the youngest first."""
    before = place_of(request.query_params.get("before", ""))
    told = await office_of(request).listed(signed_in(request), BEGUN, before, ROWS)
    last = told[-1].task if len(told) == ROWS else None
    return _page(
        request,
        "tasks.html",
        told=told,
        is_first=before is None,
        older="" if last is None else after_of(last),
    )


@require(Right.SEE_ALL)
async def task(request: Request) -> Response:
    """One task."""
    try:
        story = await office_of(request).story(signed_in(request), request.path_params["task"])
    except TaskRefused as error:
        raise as_refused(error) from error
    return await _task_page(request, story)


@require(Right.REDRIVE)
async def preview(request: Request) -> Response:
    """Fix the list of a new task, and go to it."""
    form = await form_of(request)
    asked = _asked(form, desk_of(request).now(), request)
    try:
        found = await office_of(request).preview(signed_in(request), asked)
    except TaskRefused as error:
        return _page(request, "task_refused.html", HTTPStatus.UNPROCESSABLE_ENTITY, error=error, back=_back(form))
    return _to(found.task.id, found.left_out)


@require(Right.REDRIVE)
async def begin(request: Request) -> Response:
    """Let a previewed task run, or ask the second person."""
    form = await form_of(request)
    name, user = request.path_params["task"], signed_in(request)
    try:
        await office_of(request).begin(user, name, text_of(form, "reason"), _rate(form))
    except TaskRefused as error:
        return await _again(request, name, error, text_of(form, "reason"))
    return _to(name)


@require(Right.REDRIVE)
async def act(request: Request) -> Response:
    """Approve, pause, resume or cancel."""
    form = await form_of(request)
    name, user = request.path_params["task"], signed_in(request)
    wanted = _ACTS.get(text_of(form, "act"))
    if wanted is None:
        message = "act: is none that this form has: use the page's buttons"
        return await _again(request, name, TaskRefused(message), "")
    try:
        await office_of(request).act(user, name, wanted, text_of(form, "remark"))
    except TaskRefused as error:
        return await _again(request, name, error, "")
    return _to(name)


ROUTES = (
    Route("/tasks", listed, methods=["GET"]),
    Route("/tasks/preview", preview, methods=["POST"]),
    Route("/tasks/{task}", task, methods=["GET"]),
    Route("/tasks/{task}/begin", begin, methods=["POST"]),
    Route("/tasks/{task}/act", act, methods=["POST"]),
)


async def _task_page(
    request: Request, story: Story, error: TaskRefused | None = None, reason: str = "", status: int = 200
) -> Response:
    """The page of a task in whatever state; what went wrong above it."""
    params = request.query_params
    state = params.get("state", "")
    states = [ItemState(state)] if state in {*ItemState} else [*ItemState]
    first = int(params["first"]) if _NUMBER.fullmatch(params.get("first", "")) else 0
    name = story.told.task.id
    items = await office_of(request).items(signed_in(request), name, states, first, ITEMS + 1)
    return _page(
        request,
        "task_preview.html" if story.told.task.state is TaskState.PREVIEWED else "task.html",
        status,
        story=story,
        told=story.told,
        task=story.told.task,
        items=items[:ITEMS],
        next=items[ITEMS].number if len(items) > ITEMS else None,
        state=state,
        error=error,
        reason=reason,
        alone=ALONE_AT_MOST,
        left_out=int(params["left"]) if _NUMBER.fullmatch(params.get("left", "")) else 0,
    )


async def _again(request: Request, name: str, error: TaskRefused, reason: str) -> Response:
    """The task's page with what was wrong with the form.

    Raises:
        ApiRefused: there is no such task to be shown.
    """
    refused = as_refused(error)
    try:
        story = await office_of(request).story(signed_in(request), name)
    except TaskRefused:
        raise refused from error
    return await _task_page(request, story, error, reason, refused.status.value)


def _asked(form: FormData, now: datetime, request: Request) -> Asked:
    """What a form asks a preview of: one letter, or the filter of a list."""
    letter, recipient = text_of(form, "letter"), text_of(form, "recipient")
    key = text_of(form, "key") or desk_of(request).new_id()
    if _DIGEST.fullmatch(letter):
        words = f"letter {letter}" + (f" to:{recipient}" if recipient else "")
        return Asked([Chosen(bytes.fromhex(letter), recipient)], words, Plan(), key)
    filters = ListFilter.of(QueryParams([(name, str(value)) for name, value in form.multi_items()]))
    if filters.faults or not filters.narrows:
        word = filters.faults[0][0] if filters.faults else "filter"
        message = f"{word}: is missing or not known: come here from a list, a group of failures or a letter"
        raise as_refused(TaskRefused(message))
    words = " ".join(f"{word}:{value}" for word, value in filters.words.items())
    return Asked(filters.wanted(signed_in(request), now), words, Plan(), key)


def _rate(form: FormData) -> int:
    """Letters a second at most; 0 when nothing was chosen.

    Raises:
        TaskRefused: it is no number.
    """
    text = text_of(form, "rate")
    if text and not _NUMBER.fullmatch(text):
        message = "rate: is no number: choose one"
        raise TaskRefused(message)
    return int(text or "0")


def _page(request: Request, template: str, status: int = 200, /, **context: object) -> Response:
    return renderer_of(request).page(request, template, status, task_words=task_words, **context)


def _back(form: FormData) -> str:
    letter = text_of(form, "letter")
    return f"/letters/{letter}" if _DIGEST.fullmatch(letter) else "/failures"


def _to(name: str, left_out: int = 0) -> Response:
    query = f"?left={left_out}" if left_out else ""
    return RedirectResponse(f"/tasks/{name}{query}", HTTPStatus.SEE_OTHER)
