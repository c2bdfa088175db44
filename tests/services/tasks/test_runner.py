"""Tasks from their preview to their end: what is said, in which order, and what keeps it from doing harm."""

from collections import deque
from datetime import timedelta

import pytest

from exchange.agent.errors import DraftRefused
from exchange.domain.errors import SpoolError
from exchange.domain.event import Event
from exchange.domain.task import ItemState, Plan, TaskAct, TaskRefused, TaskState
from exchange.journal.facts import JournalRecord
from exchange.services.speaking import command_key
from exchange.services.tasks.letters import Flaw
from exchange.services.tasks.results import REPEAT
from exchange.services.tasks.runner import SETTLE
from exchange.services.tasks.tables import MOVED_ON
from exchange.services.tasks.throttle import ENOUGH, QUIET, WORK
from exchange.store.errors import StoreError
from tests.services.tasks.place import ASEL, BAKYT, REASON, Place, bus_away

HANDED = (ItemState.HANDED_OVER, "")


async def test_a_task_goes_its_way_in_stages(place: Place) -> None:
    """The sample first; the share when all of it was handed over; then the rest; then it is done."""
    letters = place.letters(10)
    task = await place.begun()
    lengths = []
    for _ in range(3):
        await place.rounds(2)
        lengths.append(len(place.speaker.redriven()))
        place.answer(Event.DELIVERED, Event.HANDED_OVER)
    assert lengths == [2, 7, 10]
    await place.rounds(2)
    assert await place.state(task) is TaskState.DONE
    assert await place.codes(task) == [HANDED] * 10
    assert {letter for letter, _ in place.speaker.redriven()} == {letter.digest for letter in letters}
    await place.rounds()
    assert place.speaker.acts() == [("task-start", "asel"), ("task-finish", "exchange-console")]


async def test_what_is_said_is_the_journals_record(place: Place) -> None:
    """Byte for byte, with person, reason and task beside it."""
    (letter,) = place.letters(1)
    task = await place.begun()
    await place.rounds(2)
    said = place.speaker.said[command_key("redrive", task, letter.digest, "beta")]
    assert said.carried in {record.value for record in place.journal.records}
    assert (said.letter, said.recipient, said.person, said.reason, said.task) == (
        letter.digest,
        "beta",
        "asel",
        REASON,
        task,
    )


async def test_the_acts_of_a_task_are_said_before_its_items(place: Place) -> None:
    """Nothing is set going that does not stand in the journal first."""
    place.letters(2)
    await place.begun()
    place.speaker.failures = [SpoolError("full: make room", code="spool-full", retriable=True)]
    assert "spool-full" in await place.rounds()
    assert place.speaker.said == {}
    await place.rounds(2)
    assert [draft.action for draft in place.speaker.said.values()] == ["task-start", "redrive", "redrive"]


async def test_a_failure_in_the_sample_stops_it(place: Place) -> None:
    """The other letters stay where they are."""
    place.letters(10)
    task = await place.begun()
    await place.rounds(2)
    place.answer(Event.HAND_OVER_FAILED)
    await place.rounds(2)
    story = await place.office.story(ASEL, task)
    assert (story.told.task.state, story.told.task.code) == (TaskState.FAILED, "task-sample-failed")
    assert len(place.speaker.redriven()) == 2
    assert story.told.counts[ItemState.FAILED] == 2
    assert place.speaker.acts()[-1] == ("task-stop", "exchange-console")


async def test_what_the_exchange_refuses_counts_as_a_failure(place: Place) -> None:
    """With the code that it gave."""
    (letter,) = place.letters(1)
    task = await place.begun()
    place.speaker.refused[command_key("redrive", task, letter.digest, "beta")] = "recipient-not-connected"
    await place.rounds(3)
    assert await place.codes(task) == [(ItemState.REFUSED, "recipient-not-connected")]
    assert await place.state(task) is TaskState.FAILED


async def test_an_agent_that_still_had_the_letter_recognises_the_repeat(place: Place) -> None:
    """It hands over again without taking it anew."""
    place.letters(1, Event.HANDED_OVER)
    task = await place.begun()
    await place.rounds(2)
    place.answer(Event.HANDED_OVER)
    await place.rounds(2)
    assert await place.codes(task) == [(ItemState.HANDED_OVER, REPEAT)]


@pytest.mark.parametrize("act", [TaskAct.CANCEL, TaskAct.PAUSE])
async def test_a_task_that_is_cancelled_or_paused_says_nothing_more(place: Place, act: TaskAct) -> None:
    """From the next look at it on; what was said still comes to its result."""
    place.letters(10)
    task = await place.begun()
    await place.rounds(2)
    await place.office.act(BAKYT, task, act)
    place.answer(Event.HANDED_OVER)
    await place.rounds(4)
    assert len(place.speaker.redriven()) == 2
    assert (await place.office.story(ASEL, task)).told.counts[ItemState.HANDED_OVER] == 2
    assert place.speaker.acts()[-1] == (act.command, "bakyt")
    if act is TaskAct.PAUSE:
        await place.office.act(ASEL, task, TaskAct.RESUME)
        await place.rounds(2)
        assert len(place.speaker.redriven()) == 7


async def test_killed_between_saying_and_marking(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process says the same keys again, which is nothing new to the speaker, and goes on."""
    place.letters(4)
    task = await place.begun()
    with monkeypatch.context() as patched:
        patched.setattr(place.runner._tables, "change", _killed)
        with pytest.raises(Killed):
            await place.rounds(2)
    before = place.speaker.redriven()
    assert len(before) == 2
    place.again()
    await place.rounds(2)
    assert place.speaker.redriven() == before
    for _ in range(3):
        place.answer(Event.HANDED_OVER)
        await place.rounds(2)
    assert await place.state(task) is TaskState.DONE
    assert len(place.speaker.redriven()) == 4


class Killed(BaseException):
    """The process ends here."""


def _killed(_: object) -> None:
    raise Killed


async def test_waits_for_a_journal_that_is_away(place: Place) -> None:
    """It is opened anew, and nothing is left out."""
    place.letters(2)
    task = await place.begun()
    place.records.failures = [bus_away(), bus_away()]
    assert "bus-unavailable" in await place.rounds(2)
    assert place.speaker.redriven() == []
    await place.rounds(3)
    assert place.records.opened == 3
    place.answer(Event.HANDED_OVER)
    await place.rounds(2)
    assert await place.state(task) is TaskState.DONE


async def test_waits_for_a_database_that_is_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round ends with the reason, and the next one goes on."""
    place.letters(2)
    await place.begun()
    with monkeypatch.context() as patched:
        patched.setattr(place.desk, "reading", _away)
        assert await place.rounds(2) == "store-unavailable: away"
    await place.rounds(2)
    assert len(place.speaker.redriven()) == 2


def _away() -> None:
    raise StoreError("away", retriable=True)


async def test_a_letter_that_moved_on_by_itself_is_left_alone(place: Place) -> None:
    """Who is handed a letter over meanwhile does not get it twice."""
    letters = place.letters(3)
    task = await place.begun()
    place.journal.receipt("beta", letters[1], "alpha", Event.HANDED_OVER)
    place.catch_up()
    await place.rounds(2)
    place.answer(Event.HANDED_OVER)
    await place.rounds(4)
    assert (ItemState.HANDED_OVER, MOVED_ON) in await place.codes(task)
    assert letters[1].digest not in {letter for letter, _ in place.speaker.redriven()}


@pytest.mark.parametrize("flaw", [Flaw.MISSING, Flaw.ALTERED])
async def test_a_record_that_is_not_the_letter_is_never_said(place: Place, flaw: Flaw) -> None:
    """It counts as a failure, and names the next step by its code."""
    place.letters(1)
    task = await place.begun()
    records = place.journal.records
    for index, record in enumerate(records):
        value = b"" if flaw is Flaw.MISSING else record.value[:-1] + bytes([record.value[-1] ^ 1])
        records[index] = JournalRecord(record.position, record.journalled, value)
    await place.rounds(3)
    assert await place.codes(task) == [(ItemState.REFUSED, flaw.value)]
    assert place.speaker.redriven() == []
    assert await place.state(task) is TaskState.FAILED


async def test_a_recipient_that_is_silent_does_not_hold_the_end_up_for_ever(place: Place) -> None:
    """The letter lies in its inbox; the task waits some minutes, is done, and still hears what comes later."""
    place.letters(1)
    task = await place.begun()
    await place.rounds(3)
    assert await place.state(task) is TaskState.RUNNING
    place.ahead = SETTLE + timedelta(seconds=1)
    await place.rounds(2)
    assert await place.state(task) is TaskState.DONE
    assert await place.codes(task) == [(ItemState.TAKEN, "")]
    place.answer(Event.HANDED_OVER)
    await place.rounds(1)
    assert await place.codes(task) == [(ItemState.HANDED_OVER, REPEAT)]


async def test_a_spool_that_was_lost_is_no_end(place: Place) -> None:
    """Its successor says once more what nobody can prove was said."""
    place.letters(2)
    task = await place.begun()
    await place.rounds(1)
    place.speaker.said.clear()
    place.again()
    await place.rounds(3)
    assert len(place.speaker.redriven()) == 2
    place.answer(Event.HANDED_OVER)
    await place.rounds(2)
    assert await place.state(task) is TaskState.DONE


async def test_a_command_that_would_be_refused_is_a_failure(place: Place) -> None:
    """The speaker tells at once what the exchange would say."""
    place.letters(1)
    task = await place.begun()
    place.speaker.unsayable = DraftRefused("too large", code="oversized")
    await place.rounds(2)
    assert await place.codes(task) == [(ItemState.REFUSED, "oversized")]


async def test_large_tasks_wait_for_a_second_person(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the request is said before somebody else approves it."""
    monkeypatch.setattr("exchange.domain.task.ALONE_AT_MOST", 3)
    place.letters(4)
    task = await place.begun(plan=Plan(rate=1000, sample=4))
    await place.rounds(2)
    assert await place.state(task) is TaskState.WAITING
    with pytest.raises(TaskRefused) as refused:
        await place.office.act(ASEL, task, TaskAct.APPROVE)
    assert refused.value.code == "task-second-person"
    await place.office.act(BAKYT, task, TaskAct.APPROVE)
    await place.rounds(2)
    assert place.speaker.acts() == [("task-submit", "asel"), ("task-approve", "bakyt")]
    assert {draft.second for draft in place.speaker.said.values() if draft.letter} == {"bakyt"}


SLOWLY = Plan(rate=3, sample=100)
"""Six letters a round: two seconds' worth."""


async def test_live_letters_that_wait_slow_it_down(place: Place) -> None:
    """By what the tracker knows of the turn that ended; pace and reason stand beside the task for people."""
    place.letters(20)
    task = await place.begun(plan=SLOWLY)
    await place.rounds(2)
    throttle = place.runner._turns.throttle
    throttle.pace = 3.0
    throttle._working, throttle._quiet = [0.020] * ENOUGH, deque([0.010] * ENOUGH)
    place.ahead += WORK + QUIET
    await place.rounds()
    assert throttle.waits is None  # the tracker does not know the end of that turn
    place.journal.now += WORK + QUIET
    place.letters(1)
    await place.rounds()
    going = (await place.office.story(ASEL, task)).told.task.going
    assert (going.pace, going.working, going.quiet) == (2, 0.020, 0.010)


async def test_nothing_is_said_in_quiet_seconds(place: Place) -> None:
    """In which live letters show how long they take without a task."""
    place.letters(20)
    await place.begun(plan=SLOWLY)
    await place.rounds(2)
    place.ahead += WORK
    await place.rounds(2)
    assert len(place.speaker.redriven()) == 6
    place.ahead += QUIET
    await place.rounds()
    assert len(place.speaker.redriven()) == 12
