"""The table of all operations. Routes and the OpenAPI document are made of it, so that they agree."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from exchange.console.api import ROOT, acts, audits, letters, overviews, tasks
from exchange.console.api.acts_model import Acts
from exchange.console.api.asking import Asked
from exchange.console.api.audits_model import AuditSaid, AuditTold
from exchange.console.api.letters_model import Found, Letters, LogTold, Overview, Story
from exchange.console.api.overviews_model import Bodies, BodyDetail, Failures, Present, Report, Routes
from exchange.console.api.parameters import (
    ActsQuery,
    FailuresQuery,
    FindQuery,
    LettersQuery,
    MonthQuery,
    OverviewQuery,
    Query,
    StreamQuery,
    WindowQuery,
)
from exchange.console.api.tasks_model import (
    TaskActed,
    TaskBegun,
    TaskDetail,
    TaskLetters,
    TaskLettersQuery,
    TaskPreviewed,
    Tasks,
    TasksQuery,
    TaskWanted,
)

Handler = Callable[[Asked[Any]], Awaitable[Response]]

STREAM = "stream"
PREVIEW = "task-preview"

PARTS = {
    "digest": "Id of the letter: its digest, 64 hexadecimal digits.",
    "code": "Code of the body.",
    "task": "Id of the task, 16 hexadecimal digits.",
}
"""What the variable parts of paths are."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked; see `exchange.services.http.openapi.Operation`.

    Attributes:
        handle: answers it; None for the stream, which needs more than a desk.
        content: what the request brings, as JSON; None: nothing.
    """

    path: str
    name: str
    summary: str
    description: str
    query: type[msgspec.Struct]
    handle: Handler | None
    answers: type[msgspec.Struct] | None
    method: str = "GET"
    status: HTTPStatus = HTTPStatus.OK
    problems: tuple[HTTPStatus, ...] = ()
    is_open: bool = False
    content: type[msgspec.Struct] | None = None


def _act(word: str, handle: Handler, summary: str, description: str) -> Operation:
    """What is done to a task; asked once more by who did it last, it is answered as the first time."""
    return Operation(
        f"{ROOT}/tasks/{{task}}/{word}",
        f"task-{word}",
        summary,
        f"{description} For operators; it stands in the journal with the caller's login.",
        Query,
        handle,
        TaskDetail,
        method="POST",
        problems=_REFUSED,
        content=TaskBegun if word == "begin" else TaskActed,
    )


_REFUSED = (HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY)
"""What acts on tasks are answered with besides."""


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        f"{ROOT}/letters",
        "letters",
        "Deliveries by any filter",
        "One line for each recipient of each letter, the youngest letter first. A body administrator sees those from "
        "or to the own body. `next` is the path of the next page; a page costs the same wherever it is.",
        LettersQuery,
        letters.letters,
        Letters,
    ),
    Operation(
        f"{ROOT}/letters/{{digest}}",
        "letter",
        "One letter's story",
        "Every recipient's timeline with its waits, who must act next, and records of the journal that stand out. A "
        "recipient's administrator sees its own part.",
        Query,
        letters.letter,
        Story,
    ),
    Operation(
        f"{ROOT}/letters/{{digest}}/log",
        "letter-log",
        "How far one letter stands in the log",
        "Which of the entries about it are under the archive's newest checkpoint, and whether witnesses cosigned that. "
        "As the console's machine reads the archive's folder: what proves it is an evidence package. For those who see "
        "every body's letters.",
        Query,
        letters.log,
        LogTold,
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
    Operation(
        f"{ROOT}/overview",
        "overview",
        "Letters, a circular in one line",
        "The youngest first: a line for each delivery, but one for a letter to more than `most` bodies. For those who "
        "see every body's letters, or of the own body as sender.",
        OverviewQuery,
        letters.overview,
        Overview,
    ),
    Operation(
        f"{ROOT}/find",
        "find",
        "Letters that a text names",
        "By the beginning of the digest (4 characters or more), or exactly by message id, document id, registration "
        "number at the sender or at a recipient.",
        FindQuery,
        letters.find,
        Found,
    ),
    Operation(
        f"{ROOT}/failures",
        "failures",
        "What failed, by reason and route",
        "Deliveries that came into a failing state within the last `days` and are in it still, the largest groups "
        "first; `href` lists the deliveries of each.",
        FailuresQuery,
        overviews.failures,
        Failures,
    ),
    Operation(
        f"{ROOT}/routes",
        "routes",
        "Sender × recipient",
        "Routes with the most deliveries that began within the last `days`: volume, lateness, how long it took.",
        WindowQuery,
        overviews.routes,
        Routes,
    ),
    Operation(
        f"{ROOT}/bodies",
        "bodies",
        "Bodies of the directory",
        "With status and last word. A body administrator sees the own one.",
        Query,
        overviews.bodies,
        Bodies,
    ),
    Operation(
        f"{ROOT}/bodies/{{code}}",
        "body",
        "One body",
        "What waits for it and of it, its volumes in the present month, its certificates and their ends.",
        Query,
        overviews.body,
        BodyDetail,
    ),
    Operation(
        f"{ROOT}/now",
        "now",
        "How the exchange is now",
        "What is awaited, overdue and failing; bodies with the oldest unfetched letters, bodies that are silent.",
        Query,
        overviews.present,
        Present,
    ),
    Operation(
        f"{ROOT}/report",
        "report",
        "The service report of a month",
        "By recipient and kind, those with the most breaches first.",
        MonthQuery,
        overviews.report,
        Report,
    ),
    Operation(
        f"{ROOT}/tasks",
        "tasks",
        "Tasks of operators",
        "Letters that somebody set going again, the youngest task first. For those who see every body's letters.",
        TasksQuery,
        tasks.tasks,
        Tasks,
    ),
    Operation(
        f"{ROOT}/tasks/preview",
        PREVIEW,
        "Preview a redelivery",
        "Fixes the exact list of letters that a task would redeliver, and tells the count, how many of them were "
        "handed over before, and the sample that goes first. Nothing is set going. What runs later is this list and "
        "no other. `Idempotency-Key`, 8 to 200 characters, is needed: the same key is the same task. For operators.",
        Query,
        tasks.preview,
        TaskPreviewed,
        method="POST",
        status=HTTPStatus.CREATED,
        problems=_REFUSED,
        content=TaskWanted,
    ),
    Operation(
        f"{ROOT}/tasks/{{task}}",
        "task",
        "One task",
        "How far it came, what was done to it, and what failed at the same bodies since it was let run.",
        Query,
        tasks.task,
        TaskDetail,
    ),
    Operation(
        f"{ROOT}/tasks/{{task}}/letters",
        "task-letters",
        "A task's letters",
        "Each with its result, by number.",
        TaskLettersQuery,
        tasks.letters,
        TaskLetters,
    ),
    _act("begin", tasks.begin, "Begin a task", "Lets a task run that the caller previewed; a large one asks others."),
    _act("approve", tasks.approve, "Approve a task", "The second person's yes to a task that another one made."),
    _act("pause", tasks.pause, "Pause a task", "Nothing more is said until somebody resumes it."),
    _act("resume", tasks.resume, "Resume a task", "Goes on where it was paused."),
    _act("cancel", tasks.cancel, "Cancel a task", "Nothing more is said, ever; what was said stays said."),
    Operation(
        f"{ROOT}/acts",
        "acts",
        "Who did or looked at what",
        "The audit trail, as the journal has it, the youngest first. For auditors.",
        ActsQuery,
        acts.acts,
        Acts,
    ),
    Operation(
        f"{ROOT}/audits",
        "audits",
        "An auditor's own check",
        "What an auditor is about to do with journal or log on a machine of their own, and later what came of it: both "
        "stand in the journal as acts of one task, with the caller's login. Said again, they are the same acts. "
        "For auditors; `exchange audit` says it.",
        Query,
        audits.audits,
        AuditTold,
        method="POST",
        problems=(*_REFUSED[1:], HTTPStatus.SERVICE_UNAVAILABLE),
        content=AuditSaid,
    ),
    Operation(
        f"{ROOT}/stream",
        STREAM,
        "What happens, as it happens",
        "Server-Sent Events. Each message's id is a place in the journal: come back with it as `Last-Event-ID` and "
        "nothing is missed or repeated. `open`: the stream begins behind that place. `changes`: a list of what "
        "happened (`Changes`). `stale` and `live`: the database is away, and there again; the stream goes on by "
        "itself. `reset`: too much was missed, load the list again. `lagging`: you took too slowly and are cut off; "
        "come back. `beat`: ten seconds have passed.",
        StreamQuery,
        None,
        None,
    ),
)
