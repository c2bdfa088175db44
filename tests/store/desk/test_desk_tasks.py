"""Tasks as they are kept: on SQLite, and on PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.domain.ids import digest
from exchange.domain.task import ItemState, Plan, Stage, TaskAct, TaskRefused, TaskState
from exchange.store.desk import items, tasks
from exchange.store.desk.database import DeskStore
from exchange.store.desk.items import Item
from exchange.store.desk.tasks import Task, Words

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
PLAN = Plan(rate=10, sample=2, share=50)


def new_task(name: str = "t1", count: int = 6, **changes: object) -> Task:
    """A previewed task."""
    task = Task(name, "redrive", "to:beta", "asel", "", "", PLAN, count, 1, TaskState.PREVIEWED, NOW)
    return replace(task, **changes)  # type: ignore[arg-type]


def items_of(task: Task) -> list[Item]:
    """As many items as it says."""
    return [
        Item(
            task.id,
            number,
            digest(b"%d" % number),
            number * 65536,
            "alpha",
            "beta",
            "hand-over-failed",
            PLAN.stage_of(number, task.count).value,
            ItemState.WAITING.value,
        )
        for number in range(task.count)
    ]


def made(desk: DeskStore, name: str = "t1", **changes: object) -> Task:
    """A previewed task that is kept."""
    task = new_task(name, **changes)  # type: ignore[arg-type]
    with desk.writing() as connection:
        return tasks.create(connection, task, items_of(task))


def done(desk: DeskStore, what: TaskAct, person: str = "asel", **said: Any) -> Task:
    """An act in a transaction of its own."""
    with desk.writing() as connection:
        return tasks.act(connection, "t1", what, person, NOW, said=Words(**said))


def test_the_same_task_twice_is_one(desk: DeskStore) -> None:
    """A key that was used for another task is refused."""
    first = made(desk)
    assert made(desk) == first
    with pytest.raises(TaskRefused) as refused:
        made(desk, wanted="to:gamma")
    assert refused.value.code == "task-repeated"
    with desk.reading() as connection:
        assert len(items.listed(connection, "t1", [*ItemState], 0, 100)) == 6


def test_acts_change_a_task_and_wait_to_be_said(desk: DeskStore) -> None:
    """In their order; each once; what is impossible leaves no trace."""
    made(desk)
    done(desk, TaskAct.SUBMIT, reason="the archive was lost")
    done(desk, TaskAct.APPROVE, "bakyt", begins="0:7")
    with pytest.raises(TaskRefused):
        done(desk, TaskAct.APPROVE, "bakyt")
    stopped = done(desk, TaskAct.STOP, "", code="task-failing")
    assert (stopped.state, stopped.second, stopped.code) == (TaskState.FAILED, "bakyt", "task-failing")
    assert (stopped.started, stopped.ended, stopped.reason) == (NOW, NOW, "the archive was lost")
    assert stopped.begins == "0:7"
    with desk.writing() as connection:
        said = [(each.number, each.act, each.person) for each in tasks.acts(connection, "t1", unsaid=True)]
        assert said == [(0, TaskAct.SUBMIT, "asel"), (1, TaskAct.APPROVE, "bakyt"), (2, TaskAct.STOP, "")]
        tasks.acts_said(connection, "t1", 1)
        assert [each.number for each in tasks.acts(connection, "t1", unsaid=True)] == [2]
        assert tasks.get(connection, "t1") == stopped


def test_items_are_handed_out_by_stage(desk: DeskStore) -> None:
    """What was said is not handed out again; what is counted is what is there."""
    made(desk)
    with desk.writing() as connection:
        first = items.next_of(connection, "t1", Stage.SAMPLE, 10)
        assert [item.number for item in first] == [0, 1]
        items.change(connection, [item._replace(state=ItemState.SAID.value, said=9) for item in first])
    with desk.reading() as connection:
        assert items.next_of(connection, "t1", Stage.SAMPLE, 10) == []
        assert [item.number for item in items.next_of(connection, "t1", Stage.SHARE, 2)] == [2, 3]
        assert items.tallies(connection, ["t1", "t2"]) == {
            "t1": {
                Stage.SAMPLE: {ItemState.SAID: 2},
                Stage.SHARE: {ItemState.WAITING: 3},
                Stage.REST: {ItemState.WAITING: 1},
            },
            "t2": {},
        }
        said = items.listed(connection, "t1", [ItemState.SAID], 1, 10)
        assert [(item.number, item.said, item.letter) for item in said] == [(1, 9, digest(b"1"))]
        assert [item.number for item in items.sample(connection, "t1")] == [0, 1]


def test_lists_go_on_behind_the_last_one(desk: DeskStore) -> None:
    """The youngest first, those of one moment by their ids."""
    names = [("a", 0), ("b", 1), ("c", 1), ("d", 2)]
    for name, second in names:
        made(desk, name, created=NOW + timedelta(seconds=second))
    with desk.reading() as connection:
        page = tasks.listed(connection, [*TaskState], None, 2)
        assert [task.id for task in page] == ["d", "c"]
        rest = tasks.listed(connection, [*TaskState], (page[-1].created, page[-1].id), 9)
        assert [task.id for task in rest] == ["b", "a"]
        assert tasks.listed(connection, [TaskState.RUNNING], None, 9) == []


def test_only_tasks_with_something_to_do_are_at_work(desk: DeskStore) -> None:
    """A preview is nobody's work; an act to be said is; results are heard of for a while after the end."""
    made(desk)
    with desk.writing() as connection:
        assert tasks.at_work(connection, NOW) == []
        tasks.act(connection, "t1", TaskAct.START, "asel", NOW, said=Words("why not"))
        assert tasks.at_work(connection, NOW) == [("t1", False)]
        tasks.act(connection, "t1", TaskAct.CANCEL, "asel", NOW)
        assert tasks.at_work(connection, NOW + timedelta(seconds=1)) == [("t1", False)]
        tasks.acts_said(connection, "t1", 9)
        assert tasks.at_work(connection, NOW) == [("t1", True)]
        assert tasks.at_work(connection, NOW + timedelta(seconds=1)) == []


def test_previews_that_nobody_begins_are_forgotten(desk: DeskStore) -> None:
    """With their items; one that began stays."""
    made(desk)
    made(desk, "t2")
    with desk.writing() as connection:
        tasks.act(connection, "t1", TaskAct.START, "asel", NOW, said=Words("why not"))
        assert tasks.forget_previews(connection, NOW) == 0
        assert tasks.forget_previews(connection, NOW + timedelta(days=1)) == 1
        assert len(items.listed(connection, "t1", [*ItemState], 0, 9)) == 6
        assert items.listed(connection, "t2", [*ItemState], 0, 9) == []
        with pytest.raises(TaskRefused) as refused:
            tasks.get(connection, "t2")
    assert refused.value.code == "task-unknown"


def test_which_tasks_have_the_same_letters_under_way(desk: DeskStore) -> None:
    """Only those that were begun and not ended, and of their letters those without a result."""
    made(desk)
    made(desk, "t2")
    with desk.writing() as connection:
        assert items.overlapping(connection, "t2") is None
    done(desk, TaskAct.START, reason="the archive was lost")
    with desk.writing() as connection:
        assert items.overlapping(connection, "t1") is None
        assert items.overlapping(connection, "t2") == ("t1", 6)
        first = items.listed(connection, "t1", [*ItemState], 0, 1)[0]
        items.change(connection, [first._replace(state=ItemState.HANDED_OVER.value)])
        assert items.overlapping(connection, "t2") == ("t1", 5)
    done(desk, TaskAct.CANCEL)
    with desk.writing() as connection:
        assert items.overlapping(connection, "t2") is None


def test_awaited_items_are_those_that_a_list_of_their_states_has(desk: DeskStore) -> None:
    """By number, from a number on, and no more than asked for."""
    made(desk)
    states = (ItemState.SAID, ItemState.FAILED)
    with desk.writing() as connection:
        every = items.listed(connection, "t1", [*ItemState], 0, 10)
        items.change(connection, [each._replace(state=states[each.number % 2].value) for each in every[1:5]])
        for first, limit in ((0, 10), (2, 10), (0, 2)):
            found = items.awaited(connection, "t1", states, first, limit)
            assert found == items.listed(connection, "t1", states, first, limit)
        assert [each.number for each in items.awaited(connection, "t1", states, 0, 10)] == [1, 2, 3, 4]
