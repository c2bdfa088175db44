"""Tasks as requests find them: the office, a refusal's status, and a place in the list of tasks."""

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType

from starlette.requests import Request

from exchange.console.desk import desk_of
from exchange.domain.task import TaskRefused
from exchange.services.http.problems import ApiRefused
from exchange.services.tasks.office import TaskOffice
from exchange.store.desk.tasks import Task

_PLACE = re.compile(r"([0-9T:.+-]{10,40})~([0-9a-f]{16})")

_STATUSES: Mapping[str, HTTPStatus] = MappingProxyType(
    {
        "task-unknown": HTTPStatus.NOT_FOUND,
        "task-right-missing": HTTPStatus.FORBIDDEN,
        "task-second-person": HTTPStatus.FORBIDDEN,
        "task-act-impossible": HTTPStatus.CONFLICT,
        "task-repeated": HTTPStatus.CONFLICT,
        "task-overlaps": HTTPStatus.CONFLICT,
    }
)


def office_of(request: Request) -> TaskOffice:
    """Where tasks are kept of the application that a request came to.

    Raises:
        ApiRefused: `tasks-not-here`, 503.
    """
    office = desk_of(request).tasks
    if office is None:
        message = "this console runs no tasks: ask one whose file has [speaking]"
        raise ApiRefused(message, status=HTTPStatus.SERVICE_UNAVAILABLE, code="tasks-not-here")
    return office


def as_refused(error: TaskRefused) -> ApiRefused:
    """What a task refuses, as a request is answered."""
    status = _STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    return ApiRefused(str(error), status=status, code=error.code)


def after_of(task: Task) -> str:
    """The place behind a task in the list of tasks."""
    return f"{task.created.isoformat()}~{task.id}"


def place_of(text: str) -> tuple[datetime, str] | None:
    """A place in the list of tasks, as `exchange.store.desk.tasks.listed` takes it; None for what is none."""
    found = _PLACE.fullmatch(text.replace(" ", "+"))
    if found is None:
        return None
    try:
        created = datetime.fromisoformat(found[1])
    except ValueError:
        return None
    return None if created.tzinfo is None else (created, found[2])
