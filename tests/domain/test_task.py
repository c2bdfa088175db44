"""A task's states as a table; what is next for it; and that order and repetition of what is heard do not matter."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.task import (
    ALONE_AT_MOST,
    FAILING,
    FAILURES,
    JUDGED_FROM,
    OWN_ACTS,
    SAMPLE_FAILED,
    TABLE,
    ItemState,
    Plan,
    Stage,
    TaskAct,
    TaskRefused,
    TaskState,
    after,
    begin,
    furthest,
    require_right,
    standing,
)
from exchange.domain.user import Role, User

ALLOWED = {
    TaskState.PREVIEWED: {
        TaskAct.START: TaskState.RUNNING,
        TaskAct.SUBMIT: TaskState.WAITING,
        TaskAct.CANCEL: TaskState.CANCELLED,
    },
    TaskState.WAITING: {TaskAct.APPROVE: TaskState.RUNNING, TaskAct.CANCEL: TaskState.CANCELLED},
    TaskState.RUNNING: {
        TaskAct.PAUSE: TaskState.PAUSED,
        TaskAct.CANCEL: TaskState.CANCELLED,
        TaskAct.FINISH: TaskState.DONE,
        TaskAct.STOP: TaskState.FAILED,
    },
    TaskState.PAUSED: {TaskAct.RESUME: TaskState.RUNNING, TaskAct.CANCEL: TaskState.CANCELLED},
}


@pytest.mark.parametrize(("state", "act"), [*product(TaskState, TaskAct)])
def test_every_act_in_every_state(state: TaskState, act: TaskAct) -> None:
    """The table allows what it must, and everything else is refused with what is possible instead."""
    leads_to = ALLOWED.get(state, {}).get(act)
    if leads_to is not None:
        assert after(state, act) is leads_to
        return
    with pytest.raises(TaskRefused) as refused:
        after(state, act)
    assert refused.value.code == "task-act-impossible"


def test_nothing_follows_the_last_states() -> None:
    """A task that ended stays as it is."""
    assert {state for state in TaskState if state.is_last} == set(TaskState) - {state for state, _ in TABLE}


@given(st.lists(st.sampled_from(TaskAct)))
def test_no_acts_lead_out_of_an_end_or_back_to_the_beginning(acts: list[TaskAct]) -> None:
    """Whatever is tried in whatever order: nothing begins twice, nothing runs that nobody let run."""
    state, started = TaskState.PREVIEWED, 0
    for act in acts:
        try:
            following = after(state, act)
        except TaskRefused:
            continue
        assert not state.is_last
        started += act in {TaskAct.START, TaskAct.APPROVE}
        state = following
    assert started <= 1
    assert started or state not in {TaskState.RUNNING, TaskState.PAUSED, TaskState.DONE, TaskState.FAILED}


def test_many_letters_need_a_second_person() -> None:
    """One person alone sets a bounded number going."""
    assert begin(ALONE_AT_MOST) is TaskAct.START
    assert begin(ALONE_AT_MOST + 1) is TaskAct.SUBMIT


def person(login: str, *roles: Role) -> User:
    """Somebody who signed in."""
    return User(login, login, frozenset(roles), "alpha")


@pytest.mark.parametrize("act", [act for act in TaskAct if act not in OWN_ACTS])
def test_only_operators_act_and_nobody_approves_their_own(act: TaskAct) -> None:
    """Auditors and bodies' administrators set nothing going; a second person is another one."""
    for role in (Role.AUDITOR, Role.BODY_ADMINISTRATOR):
        with pytest.raises(TaskRefused) as refused:
            require_right(person("asel", role), act, "bakyt")
        assert refused.value.code == "task-right-missing"
    require_right(person("asel", Role.OPERATOR), act, "bakyt")
    if act is TaskAct.APPROVE:
        with pytest.raises(TaskRefused) as refused:
            require_right(person("bakyt", Role.OPERATOR), act, "bakyt")
        assert refused.value.code == "task-second-person"


@pytest.mark.parametrize("act", sorted(OWN_ACTS))
def test_no_person_does_what_the_task_does_itself(act: TaskAct) -> None:
    """Its end is found, not said."""
    with pytest.raises(TaskRefused):
        require_right(person("asel", Role.OPERATOR), act, "bakyt")


@given(st.lists(st.sampled_from(ItemState), min_size=1))
def test_order_and_repetition_of_what_is_heard_do_not_matter(heard: list[ItemState]) -> None:
    """The furthest counts, however often and in whatever order it comes."""
    state = ItemState.WAITING
    for each in heard:
        state = furthest(state, each)
    again = ItemState.WAITING
    for each in sorted(heard * 2, key=str):
        again = furthest(again, each)
    assert state is again


@pytest.mark.parametrize(
    ("field", "plan"),
    [
        ("rate", {"rate": 0}),
        ("rate", {"rate": 1001}),
        ("sample", {"sample": 0}),
        ("share", {"share": 101}),
    ],
)
def test_a_plan_is_within_bounds(field: str, plan: dict[str, int]) -> None:
    """The error names the field and its bounds."""
    with pytest.raises(TaskRefused, match=f"^{field}: "):
        Plan(**plan)


@given(st.integers(1, 5000), st.integers(1, 100), st.integers(1, 100))
def test_stages_follow_each_other_and_hold_what_they_say(count: int, sample: int, share: int) -> None:
    """First so many, then so many per cent, then all the others."""
    plan = Plan(sample=sample, share=share)
    stages = [plan.stage_of(number, count) for number in range(count)]
    assert stages == sorted(stages, key=[*Stage].index)
    numbers = Counter(stages)
    assert numbers[Stage.SAMPLE] == min(sample, count)
    assert numbers[Stage.SHARE] == min(-(-count * share // 100), count - numbers[Stage.SAMPLE])


def test_the_next_stage_waits_for_the_results_of_the_one_before() -> None:
    """Nothing of the share is said while a letter of the sample is on its way."""
    tally = {Stage.SAMPLE: {ItemState.HANDED_OVER: 4, ItemState.TAKEN: 1}, Stage.SHARE: {ItemState.WAITING: 20}}
    assert (standing(tally).stage, standing(tally).awaited) == (None, 1)
    tally[Stage.SAMPLE] = {ItemState.HANDED_OVER: 5}
    assert standing(tally).stage is Stage.SHARE


def test_any_failure_of_the_sample_stops_it() -> None:
    """What failed for one would fail for all."""
    for failure in FAILURES:
        assert standing({Stage.SAMPLE: {failure: 1, ItemState.WAITING: 4}}).stop == SAMPLE_FAILED


def test_later_a_tenth_may_fail() -> None:
    """Judged from some results on, over all of them."""
    few = {Stage.SAMPLE: {ItemState.HANDED_OVER: 5}, Stage.SHARE: {ItemState.FAILED: JUDGED_FROM // 10}}
    assert not standing(few).stop
    few[Stage.SHARE][ItemState.FAILED] += 1
    assert standing(few).stop == FAILING
    many = {Stage.REST: {ItemState.HANDED_OVER: 900, ItemState.FAILED: 100}}
    assert not standing(many).stop
    many[Stage.REST] |= {ItemState.REFUSED: 1}
    assert standing(many).stop


TALLIES = st.dictionaries(
    st.sampled_from(Stage), st.dictionaries(st.sampled_from(ItemState), st.integers(0, 200)), max_size=3
)


@given(TALLIES)
def test_a_stage_is_only_begun_when_nothing_before_is_open(tally: dict[Stage, dict[ItemState, int]]) -> None:
    """For any tally at all: the stage that may be said has items, and those before it came to their results."""
    found = standing(tally)
    if found.stage is not None:
        assert tally[found.stage][ItemState.WAITING] > 0
        before = [*Stage][: [*Stage].index(found.stage)]
        assert not any(
            tally.get(stage, {}).get(state, 0) for stage in before for state in ItemState if not state.is_result
        )
    if not found.awaited:
        assert not any(number for states in tally.values() for state, number in states.items() if not state.is_result)
