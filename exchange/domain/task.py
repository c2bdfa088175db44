"""Tasks of operators: setting a group of letters going again, with everything that keeps it from doing harm.

    previewed ──start──▶ running ◀──────────────┐
        │                 │  │  └──pause──▶ paused ──resume
        │                 │  ├──finish──▶ done
        └─submit─▶ waiting-for-approval         ├──stop────▶ failed      more of it fails than may
                       └──approve──▶ running    └──cancel──▶ cancelled   from every state before the last three

Who previews a task gets its exact list of items; what runs later is this list and no other. It runs in stages:
a sample first, then a share, then all; each begins when the one before came to its results, and too many
failures stop the task by itself.

An item is one (letter, recipient). Its state is that of the furthest thing that is known about it, so order and
repetition of what is heard do not matter:

    waiting → said → taken → delivered → failed → handed-over         refused: the exchange took it without effect
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from exchange.domain.errors import ExchangeError
from exchange.domain.user import Right, User

ALONE_AT_MOST = 100
"""Letters that one person may set going; more need a second person."""
ITEMS_AT_MOST = 100_000
"""Letters of one task; more are several tasks."""
REASON_CHARACTERS = range(5, 501)
RATE = range(1, 1001)
"""Letters a second."""
SAMPLE = range(1, 101)
SHARE = range(1, 101)
"""Per cent of all items."""

ALLOWED_SHARE = 10
"""One result of so many may be a failure."""
SAMPLE_FAILED = "task-sample-failed"
FAILING = "task-failing"
"""Why a task stops by itself."""
JUDGED_FROM = 20
"""Results from which on that share is judged; before, as many failures are allowed as then."""


class TaskRefused(ExchangeError):
    """A task that cannot be made, or an act that it does not allow."""

    code = "task-invalid"


class TaskState(StrEnum):
    """Where a task is."""

    PREVIEWED = "previewed"
    WAITING = "waiting-for-approval"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self in {TaskState.DONE, TaskState.CANCELLED, TaskState.FAILED}


UNDER_WAY = (TaskState.WAITING, TaskState.RUNNING, TaskState.PAUSED)
"""Begun and not ended: a letter is in one such task at a time, so that nobody redelivers it twice unawares."""


class TaskAct(StrEnum):
    """What people, or the task itself, do to it; each but the preview stands in the journal as `task-…`."""

    SUBMIT = "submit"
    START = "start"
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISH = "finish"
    STOP = "stop"

    @property
    def command(self) -> str:
        """Its name among the commands of the journal."""
        return f"task-{self}"


OWN_ACTS = frozenset({TaskAct.FINISH, TaskAct.STOP})
"""What no person does."""

_CANCELLED = {
    (state, TaskAct.CANCEL): TaskState.CANCELLED
    for state in (TaskState.PREVIEWED, TaskState.WAITING, TaskState.RUNNING, TaskState.PAUSED)
}

TABLE: Mapping[tuple[TaskState, TaskAct], TaskState] = MappingProxyType(
    {
        (TaskState.PREVIEWED, TaskAct.START): TaskState.RUNNING,
        (TaskState.PREVIEWED, TaskAct.SUBMIT): TaskState.WAITING,
        (TaskState.WAITING, TaskAct.APPROVE): TaskState.RUNNING,
        (TaskState.RUNNING, TaskAct.PAUSE): TaskState.PAUSED,
        (TaskState.PAUSED, TaskAct.RESUME): TaskState.RUNNING,
        (TaskState.RUNNING, TaskAct.FINISH): TaskState.DONE,
        (TaskState.RUNNING, TaskAct.STOP): TaskState.FAILED,
        **_CANCELLED,
    }
)
"""All acts that a state allows, and where they lead."""


def after(state: TaskState, act: TaskAct) -> TaskState:
    """The state that an act leads to.

    Raises:
        TaskRefused: `task-act-impossible`; nothing changes.
    """
    found = TABLE.get((state, act))
    if found is None:
        possible = ", ".join(each for (at, each) in TABLE if at is state and each not in OWN_ACTS) or "nothing"
        message = f"the task is {state}, which allows {possible}: look at it again before you {act} it"
        raise TaskRefused(message, code="task-act-impossible")
    return found


def begin(count: int) -> TaskAct:
    """What its author does with a previewed task of so many items: start it, or ask a second person."""
    return TaskAct.START if count <= ALONE_AT_MOST else TaskAct.SUBMIT


def require_right(user: User, act: TaskAct, author: str) -> None:
    """A person may do this to a task of `author`.

    Raises:
        TaskRefused: `task-right-missing`, `task-second-person`.
    """
    right = Right.APPROVE if act is TaskAct.APPROVE else Right.REDRIVE
    if act in OWN_ACTS or not user.may(right):
        message = f"{act} a task: '{user.login}' has no right to: ask an operator"
        raise TaskRefused(message, code="task-right-missing")
    if act is TaskAct.APPROVE and user.login == author:
        message = f"approve: '{author}' made the task itself: another person with the right to must look at it"
        raise TaskRefused(message, code="task-second-person")


class ItemState(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    SAID = "said"
    """The command is durable with us, and goes out by itself."""
    TAKEN = "taken"
    """The exchange took it: the letter lies in the recipient's inbox once more."""
    DELIVERED = "delivered"
    """The recipient's agent took it."""
    FAILED = "failed"
    """The hand-over failed again."""
    HANDED_OVER = "handed-over"
    """The recipient's document system has it, once more or as the repeat that it recognised."""
    REFUSED = "refused"
    """The exchange took the command without effect, or there was nothing to say it with: the code says why."""

    @property
    def is_result(self) -> bool:
        """Whether a stage need not wait for it any longer."""
        return self in _RESULTS


_RESULTS = frozenset({ItemState.FAILED, ItemState.HANDED_OVER, ItemState.REFUSED})
FAILURES = frozenset({ItemState.FAILED, ItemState.REFUSED})
"""What counts against a task."""
OPEN = tuple(state for state in ItemState if state not in _RESULTS)
_RANKS = {state: rank for rank, state in enumerate(ItemState)}


def furthest(one: ItemState, other: ItemState) -> ItemState:
    """Of two things known about an item the one that counts."""
    return max(one, other, key=_RANKS.__getitem__)


class Stage(StrEnum):
    """Parts of a task, one after the other."""

    SAMPLE = "sample"
    SHARE = "share"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a task goes about its items, which are numbered from 0 in the order in which they are said.

    Attributes:
        rate: letters a second at most.
        sample: how many items come first.
        share: per cent of all that come then.
    """

    rate: int = 10
    sample: int = 5
    share: int = 20

    def __post_init__(self) -> None:
        """Refuse what is out of bounds.

        Raises:
            TaskRefused: `task-invalid`, naming the field.
        """
        for name, value, bounds in (
            ("rate", self.rate, RATE),
            ("sample", self.sample, SAMPLE),
            ("share", self.share, SHARE),
        ):
            if value not in bounds:
                message = f"{name}: {value} is not within {bounds.start} to {bounds.stop - 1}: choose one that is"
                raise TaskRefused(message)

    def stage_of(self, number: int, count: int) -> Stage:
        """The stage of an item.

        Args:
            number: from 0.
            count: items of the task.
        """
        if number < self.sample:
            return Stage.SAMPLE
        return Stage.SHARE if number < self.sample + -(-count * self.share // 100) else Stage.REST


Tally = Mapping[Stage, Mapping[ItemState, int]]
"""How many items of each stage are in which state."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is next for a running task.

    Attributes:
        stage: whose items may be said now; None: there is nothing left to say.
        awaited: results that are still to come of what was said, before the next stage or the end.
        failures: results that are failures.
        stop: code of why the task must stop; empty when it may go on.
    """

    stage: Stage | None
    awaited: int
    failures: int
    stop: str


def standing(tally: Tally) -> Standing:
    """What is next for a task with these items: pure, so that a process that starts anew comes to the same.

    A failure in the sample stops it; later more than a tenth of all results do.
    """
    counted = {stage: tally.get(stage, {}) for stage in Stage}
    results = sum(number for states in counted.values() for state, number in states.items() if state.is_result)
    failed = {stage: sum(states.get(state, 0) for state in FAILURES) for stage, states in counted.items()}
    failures = sum(failed.values())
    stop = SAMPLE_FAILED if failed[Stage.SAMPLE] else ""
    if not stop and failures * ALLOWED_SHARE > max(results, JUDGED_FROM):
        stop = FAILING
    for stage, states in counted.items():
        awaited = sum(number for state, number in states.items() if not state.is_result)
        if awaited:
            unsaid = states.get(ItemState.WAITING, 0)
            return Standing(stage if unsaid else None, awaited, failures, stop)
    return Standing(None, 0, failures, stop)
