"""What the API is asked about operators' tasks, and what it answers."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from exchange.console.api.model import Code, Digest, Link
from exchange.console.api.parameters import PAGE, After, FilterQuery, Limit
from exchange.domain.delivery import State
from exchange.domain.task import RATE, SAMPLE, SHARE, ItemState, Plan, Stage, TaskAct, TaskState
from exchange.services.http.model import Answer, BodyCode, Time
from exchange.services.tasks.choosing import LETTERS_AT_MOST

TaskId = Annotated[str, Meta(description="Id of a task, 16 hexadecimal digits.")]
Rate = Annotated[int, Meta(ge=RATE.start, lt=RATE.stop, description="Letters a second at most.")]
Sample = Annotated[int, Meta(ge=SAMPLE.start, lt=SAMPLE.stop, description="So many letters come first.")]
Share = Annotated[int, Meta(ge=SHARE.start, lt=SHARE.stop, description="Per cent of all letters that come then.")]
Why = Annotated[str, Meta(max_length=2000, description="Why, in words for people; it stands in the journal.")]
LiveSeconds = Annotated[
    float | None,
    Meta(
        description="Seconds that the exchange lately took over a live letter while tasks worked, or were quiet; "
        "null: there were too few to say."
    ),
]
_PLAN = Plan()


class TasksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page of tasks."""

    state: Annotated[
        str, Meta(description="Only in one of these states, between commas; all but those only previewed when empty.")
    ] = ""
    after: After = ""
    limit: Limit = PAGE


class TaskLettersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page of a task's letters."""

    state: Annotated[str, Meta(description="Only in one of these states, between commas.")] = ""
    first: Annotated[int, Meta(ge=0, description="From this number on.")] = 0
    limit: Limit = PAGE


class LetterNamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A letter that is to be redelivered."""

    letter: Digest
    recipient: Annotated[str, Meta(max_length=63, description="To this recipient; to all of them when empty.")] = ""


class TaskWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a task is to be about: a filter of deliveries, or letters by name."""

    filter: Annotated[FilterQuery | None, Meta(description="As lists of letters have it.")] = None
    letters: Annotated[tuple[LetterNamed, ...], Meta(max_length=LETTERS_AT_MOST)] = ()
    rate: Rate = _PLAN.rate
    sample: Sample = _PLAN.sample
    share: Share = _PLAN.share


class TaskBegun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a task begins."""

    reason: Why
    rate: Annotated[int, Meta(ge=0, lt=RATE.stop, description="Letters a second at most; 0: as it was previewed.")] = 0


class TaskActed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A remark to an act."""

    remark: Annotated[str, Meta(max_length=500, description="Stands in the journal beside the act.")] = ""


class TaskTold(Answer, frozen=True, kw_only=True):
    """A task of an operator, and how far it came."""

    id: TaskId
    kind: Annotated[str, Meta(description="`redrive`: letters are redelivered.")]
    wanted: Annotated[str, Meta(description="What its letters were chosen by.")]
    person: Annotated[str, Meta(description="Who made it.")]
    second: Annotated[str, Meta(description="Who approved it; empty when nobody did or must.")]
    reason: Annotated[str, Meta(description="Why; empty before it is begun.")]
    rate: Rate
    sample: Sample
    share: Share
    count: Annotated[int, Meta(description="Its letters, each counted once for each recipient.")]
    repeats: Annotated[int, Meta(description="How many of these were handed over before.")]
    state: TaskState
    code: Annotated[str, Meta(description="Why it stopped by itself, else empty.")]
    created: Time
    started: Annotated[Time | None, Meta(description="When it was let run.")]
    ended: Time | None
    stage: Annotated[Stage | None, Meta(description="Whose letters may be said now; null: all that may were.")]
    results: Annotated[int, Meta(description="How many came to a result.")]
    failures: Annotated[int, Meta(description="How many results are failures.")]
    states: Annotated[Mapping[ItemState, int], Meta(description="How many letters are in which state.")]


class Tasks(Answer, frozen=True, kw_only=True):
    """A page of tasks, the youngest first."""

    items: tuple[TaskTold, ...]
    next: Link


class TaskActTold(Answer, frozen=True, kw_only=True):
    """Something that was done to a task; it stands in the journal."""

    act: TaskAct
    person: Annotated[str, Meta(description="Empty for the task itself.")]
    detail: str
    at: Time


class TaskDetail(TaskTold, frozen=True, kw_only=True):
    """One task with everything that was done to it."""

    acts: tuple[TaskActTold, ...]
    new_failures: Annotated[int, Meta(description="Deliveries to the same bodies that failed since it was let run.")]
    said_lately: Annotated[int, Meta(description="Letters said within the last minute, while it runs.")]
    pace: Annotated[int, Meta(description="Letters a second that live letters bear; 0: it never went.")]
    live_working: LiveSeconds
    live_quiet: LiveSeconds


class TaskLetter(Answer, frozen=True, kw_only=True):
    """A letter of a task, to one recipient."""

    number: Annotated[int, Meta(description="From 0, in the order in which they are said.")]
    letter: Digest
    sender: BodyCode
    recipient: BodyCode
    was: Annotated[State, Meta(description="The delivery's state when the task was previewed.")]
    stage: Stage
    state: ItemState
    code: Code
    said: Annotated[Time | None, Meta(description="When it was said; null: not yet.")]


class TaskLetters(Answer, frozen=True, kw_only=True):
    """A page of a task's letters, by number."""

    items: tuple[TaskLetter, ...]
    next: Link


class TaskPreviewed(Answer, frozen=True, kw_only=True):
    """A task as it would run; nothing was set going."""

    task: TaskTold
    letters: Annotated[tuple[TaskLetter, ...], Meta(description="The sample: those that come first.")]
    left_out: Annotated[int, Meta(description="How many match that the exchange itself refused: these stay.")]
    act: Annotated[TaskAct, Meta(description="What beginning it means: `start`, or `submit` to a second person.")]
