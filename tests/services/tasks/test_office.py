"""What people may do to tasks, and what they are shown."""

import pytest

from exchange.domain.event import Event
from exchange.domain.task import ItemState, TaskAct, TaskRefused, TaskState
from exchange.services.tasks.choosing import Chosen
from exchange.services.tasks.office import BEGUN, Asked
from exchange.store.lists import DeliveryFilter
from tests.services.tasks.place import ASEL, AUDITOR, BAKYT, CLERK, PLAN, REASON, Place

ASKED = Asked(DeliveryFilter(recipient="beta"), "to:beta", PLAN, "key-00001")


async def test_a_preview_names_count_risk_and_sample(place: Place) -> None:
    """And sets nothing going; asked for again it is the same task."""
    place.letters(3)
    place.letters(2, Event.HANDED_OVER)
    preview = await place.office.preview(ASEL, ASKED)
    assert (preview.task.count, preview.task.repeats, preview.left_out) == (5, 2, 0)
    assert (len(preview.sample), preview.act) == (2, TaskAct.START)
    await place.rounds(2)
    assert place.speaker.said == {}
    place.letters(1)
    again = await place.office.preview(ASEL, ASKED)
    assert again.task == preview.task
    assert await place.office.listed(ASEL, BEGUN, None, 10) == []


async def test_what_runs_is_what_was_shown(place: Place) -> None:
    """Letters that come to match after the preview are none of its."""
    place.letters(2)
    task = (await place.office.preview(ASEL, ASKED)).task
    place.letters(2)
    await place.office.begin(ASEL, task.id, REASON)
    await place.rounds(2)
    assert len(place.speaker.redriven()) == 2


async def test_the_journal_is_known_up_to_somewhere_when_a_task_begins(place: Place) -> None:
    """What was told before it is no result of its: a hand-over that had failed does not stop it."""
    place.letters(2)
    task = await place.begun()
    await place.rounds(3)
    assert await place.state(task) is TaskState.RUNNING
    story = await place.office.story(ASEL, task)
    assert story.told.task.begins
    assert (story.told.counts[ItemState.TAKEN], story.told.new_failures) == (2, 0)


async def test_new_failures_since_the_start_are_counted(place: Place) -> None:
    """Of all letters to the same bodies, not only the task's own."""
    place.letters(2)
    task = await place.begun()
    place.letters(3)
    assert (await place.office.story(ASEL, task)).told.new_failures == 3


@pytest.mark.parametrize("reason", ["", "why ", "x" * 501])
async def test_a_reason_is_asked_for(place: Place, reason: str) -> None:
    """It stands in the journal for ever."""
    place.letters(1)
    task = (await place.office.preview(ASEL, ASKED)).task
    with pytest.raises(TaskRefused, match="^reason: "):
        await place.office.begin(ASEL, task.id, reason)


async def test_only_operators_set_anything_going(place: Place) -> None:
    """Auditors look on; a body's administrator does not even see what concerns other bodies."""
    place.letters(1)
    for user in (AUDITOR, CLERK):
        with pytest.raises(TaskRefused) as refused:
            await place.office.preview(user, ASKED)
        assert refused.value.code == "task-right-missing"
    task = await place.begun()
    with pytest.raises(TaskRefused):
        await place.office.act(AUDITOR, task, TaskAct.CANCEL)
    assert len(await place.office.listed(AUDITOR, BEGUN, None, 10)) == 1
    assert len(await place.office.items(AUDITOR, task, [*ItemState], 0, 10)) == 1
    for looking in (
        place.office.listed(CLERK, BEGUN, None, 10),
        place.office.story(CLERK, task),
        place.office.items(CLERK, task, [*ItemState], 0, 10),
    ):
        with pytest.raises(TaskRefused) as refused:
            await looking
        assert refused.value.code == "task-right-missing"


async def test_another_ones_preview_is_not_begun(place: Place) -> None:
    """Who begins a task has looked at its preview."""
    place.letters(1)
    task = (await place.office.preview(ASEL, ASKED)).task
    with pytest.raises(TaskRefused) as refused:
        await place.office.begin(BAKYT, task.id, REASON)
    assert refused.value.code == "task-right-missing"
    mine = await place.office.preview(BAKYT, ASKED)
    assert mine.task.id != task.id


@pytest.mark.parametrize("key", ["", "short", "x" * 201])
async def test_an_idempotency_key_is_asked_for(place: Place, key: str) -> None:
    """Else a form that is sent twice would make two tasks."""
    with pytest.raises(TaskRefused, match="^Idempotency-Key: "):
        await place.office.preview(ASEL, Asked(DeliveryFilter(), "", PLAN, key))


async def test_an_unknown_task(place: Place) -> None:
    """Whatever its id may be."""
    with pytest.raises(TaskRefused) as refused:
        await place.office.act(ASEL, "' OR 1=1 --", TaskAct.CANCEL)
    assert refused.value.code == "task-unknown"


async def test_a_single_letter_is_a_task_of_its_own(place: Place) -> None:
    """As the page of a letter has it."""
    (letter,) = place.letters(1)
    asked = Asked([Chosen(letter.digest, "beta")], letter.digest.hex(), PLAN, "key-00002")
    task = (await place.office.preview(ASEL, asked)).task
    await place.office.begin(ASEL, task.id, REASON)
    await place.rounds(2)
    assert place.speaker.redriven() == [(letter.digest, "beta")]


async def test_a_letter_is_in_one_task_at_a_time(place: Place) -> None:
    """What is under way in one is refused to another, until it came to its result or its task ended."""
    first, second = place.letters(2)
    task = await place.begun()
    other = (await place.office.preview(BAKYT, ASKED)).task.id
    with pytest.raises(TaskRefused, match=f"^2 of these letters are under way in task {task}: ") as refused:
        await place.office.begin(BAKYT, other, REASON)
    assert refused.value.code == "task-overlaps"
    assert (await place.office.story(BAKYT, other)).told.task.state is TaskState.PREVIEWED
    await place.rounds(2)
    place.answer(Event.DELIVERED, Event.HANDED_OVER, only={first.digest})
    await place.rounds(2)
    with pytest.raises(TaskRefused, match="^1 of these letters"):
        await place.office.begin(BAKYT, other, REASON)
    alone = Asked([Chosen(first.digest, "beta")], "one", PLAN, "key-00003")
    await place.office.begin(BAKYT, (await place.office.preview(BAKYT, alone)).task.id, REASON)
    await place.office.act(ASEL, task, TaskAct.CANCEL)
    left = Asked([Chosen(second.digest, "beta")], "other", PLAN, "key-00004")
    await place.office.begin(BAKYT, (await place.office.preview(BAKYT, left)).task.id, REASON)
