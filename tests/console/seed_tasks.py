"""Tasks beside the seeded letters, one in each state that pages tell apart; the same every time.

Their lists are chosen from the seeded letters as the office chooses, and their acts pass the office's own tables,
so that nothing stands here that people and the runner could not have left. Only what became of single letters is
said below, in the order in which they were said.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from exchange.domain.delivery import State
from exchange.domain.task import SAMPLE_FAILED, ItemState, Plan, TaskAct, TaskState
from exchange.journal.commands import REDRIVE
from exchange.services.tasks.choosing import choose
from exchange.services.tasks.letters import Flaw
from exchange.services.tasks.results import REPEAT
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.desk import items, tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.tasks import NO_WORDS, Task, Words
from exchange.store.lists import DeliveryFilter
from exchange.store.rows import micros
from tests.console.seed import FAILING, NOW, TOPIC

AUTHOR, SECOND = "talant", "aigul"
"""Operators; the author of most tasks, and who is asked for a second word."""
LOST = "Базасы бузулган, каттар жоголду · Хранилище ЭДО утрачено, письма просят повторно"
MENDED = "Орун бошотулду · Место в базе освобождено, отправить повторно"

ToldItems = tuple[int, ItemState, str]
"""So many items, in their order, and what became of them."""
_HANDED = ItemState.HANDED_OVER


@dataclass(frozen=True, slots=True)
class Done:
    """An act: by whom, how long before `NOW`, and its words."""

    act: TaskAct
    person: str
    ago: timedelta
    said: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class SeededTask:
    """A task to be seeded.

    Attributes:
        person: its author.
        ago: how long before `NOW` it was previewed.
        became: what became of its items, from the first; the others were not said.
    """

    person: str
    wanted: DeliveryFilter
    words: str
    ago: timedelta
    acts: tuple[Done, ...] = ()
    became: tuple[ToldItems, ...] = ()
    rate: int = 10


_ROUTE = DeliveryFilter(sender=FAILING[0], recipient=FAILING[1], states=(State.HAND_OVER_FAILED,))
_ROUTE_WORDS = f"from:{FAILING[0]} to:{FAILING[1]} state:hand-over-failed"


def _taken(recipient: str, days: int) -> DeliveryFilter:
    """Letters that a body has registered, of so many days."""
    states = (State.REGISTERED, State.IN_WORK, State.ANSWERED)
    return DeliveryFilter(recipient=recipient, states=states, since=NOW - timedelta(days=days))


def _begun(person: str, ago: timedelta, reason: str, second: str = "") -> tuple[Done, ...]:
    if not second:
        return (Done(TaskAct.START, person, ago, Words(reason)),)
    later = ago - timedelta(minutes=6)
    return Done(TaskAct.SUBMIT, person, ago, Words(reason)), Done(TaskAct.APPROVE, second, later)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_LIST = "state:registered,in-work,answered"

SEEDED = {
    "previewed": SeededTask(AUTHOR, _ROUTE, _ROUTE_WORDS, 2 * MINUTE),
    "repeats": SeededTask(AUTHOR, _taken("ak-bulun", 30), f"to:ak-bulun {_LIST} age:30d", 4 * MINUTE),
    "running": SeededTask(
        AUTHOR,
        _taken("minekonom", 60),
        f"to:minekonom {_LIST} age:60d",
        40 * MINUTE,
        _begun(AUTHOR, 38 * MINUTE, LOST, SECOND),
        (
            (5, _HANDED, ""),
            (11, _HANDED, REPEAT),
            (2, ItemState.REFUSED, Flaw.DELETED.value),
            (9, ItemState.DELIVERED, ""),
            (6, ItemState.TAKEN, ""),
            (3, ItemState.SAID, ""),
        ),
        rate=1,
    ),
    "waiting": SeededTask(
        SECOND,
        _taken("natstatkom", 60),
        f"to:natstatkom {_LIST} age:60d",
        25 * MINUTE,
        (Done(TaskAct.SUBMIT, SECOND, 22 * MINUTE, Words(LOST)),),
    ),
    "paused": SeededTask(
        AUTHOR,
        _taken("prezident", 20),
        f"to:prezident {_LIST} age:20d",
        5 * HOUR,
        (*_begun(AUTHOR, 5 * HOUR, LOST), Done(TaskAct.PAUSE, SECOND, 4 * HOUR, Words("Алардын ЭДОсу кайра токтоду"))),
        ((7, _HANDED, ""), (2, ItemState.DELIVERED, "")),
    ),
    "done": SeededTask(
        AUTHOR,
        _taken("ak-bulun", 45),
        f"to:ak-bulun {_LIST} age:45d",
        6 * DAY,
        (*_begun(AUTHOR, 6 * DAY - MINUTE, LOST), Done(TaskAct.FINISH, "", 6 * DAY - HOUR)),
        ((9, _HANDED, ""), (1, ItemState.FAILED, "hand-over-failed"), (90, _HANDED, REPEAT)),
    ),
    "failed": SeededTask(
        SECOND,
        _ROUTE,
        _ROUTE_WORDS,
        DAY,
        (
            *_begun(SECOND, DAY - MINUTE, MENDED),
            Done(TaskAct.STOP, "", DAY - 3 * MINUTE, Words(code=SAMPLE_FAILED)),
        ),
        ((2, _HANDED, ""), (1, ItemState.FAILED, "hand-over-failed"), (2, ItemState.DELIVERED, "")),
    ),
    "cancelled": SeededTask(
        AUTHOR,
        _taken("mfa", 10),
        f"to:mfa {_LIST} age:10d",
        9 * DAY,
        (*_begun(AUTHOR, 9 * DAY, LOST), Done(TaskAct.CANCEL, SECOND, 9 * DAY - MINUTE, Words("Каттар табылды"))),
        ((5, _HANDED, ""),),
    ),
}
"""By the name of what each is good for."""
LOOKED_AT = ("repeats", "running", "waiting", "done")
"""Whose pages differ most."""


def task_of(name: str) -> str:
    """The id of a seeded task."""
    return sha256(name.encode()).hexdigest()[:16]


def seed_tasks(desk: DeskStore, tracker: Store) -> DeskStore:
    """Fill a migrated desk with tasks about a seeded tracker's letters; the same desk."""
    for name in SEEDED:
        _seed(desk, tracker, name)
    return desk


def _seed(desk: DeskStore, tracker: Store, name: str) -> None:
    seeded, plan = SEEDED[name], Plan(rate=SEEDED[name].rate)
    with tracker.reading() as connection:
        choice = choose(connection, seeded.wanted, plan.sample)
        begins = str(queries.reached(connection, TOPIC))
    task = Task(
        id=task_of(name),
        kind=REDRIVE,
        wanted=seeded.words,
        person=seeded.person,
        second="",
        reason="",
        plan=plan,
        count=len(choice.deliveries),
        repeats=choice.repeats,
        state=TaskState.PREVIEWED,
        created=NOW - seeded.ago,
        begins=begins,
    )
    chosen = choice.items(task.id, plan)
    with desk.writing() as connection:
        tasks.create(connection, task, chosen)
        for done in seeded.acts:
            task = tasks.act(connection, task.id, done.act, done.person, NOW - done.ago, said=done.said)
        items.change(connection, list(_became(seeded, chosen, task)))


def _became(seeded: SeededTask, chosen: list[items.Item], task: Task) -> list[items.Item]:
    """Items of which something is known, said one after the other at the task's rate."""
    told = [(state, code) for number, state, code in seeded.became for _ in range(number)]
    if task.started is None:
        return []
    return [
        item._replace(
            state=state.value, code=code, said=micros(task.started + timedelta(seconds=item.number / seeded.rate))
        )
        for item, (state, code) in zip(chosen, told, strict=False)
    ]
