"""The delivery table and its fold: order, repetition and loss do not matter."""

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.deadline import Stage
from exchange.domain.delivery import (
    AWAITED,
    DECISIVE,
    NEGATIVE,
    TABLE,
    Actor,
    Delivery,
    Fact,
    Position,
    State,
    advance,
    contradicts,
    fold,
)
from exchange.domain.event import Event

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def fact(event: Event, offset: int, reg_number: str = "", stage: Stage = Stage.DELIVER) -> Fact:
    """An event at a place of the journal, a minute per offset; `stage` is that of an expiry."""
    journalled = START + timedelta(minutes=offset)
    reason = "why" if event in {Event.REFUSED, Event.REJECTED} else ""
    reg_date = journalled.date().isoformat() if reg_number else ""
    of = stage if event is Event.EXPIRED else None
    return Fact(event, Position(0, offset), journalled, journalled, reason, reg_number, reg_date, f"text {offset}", of)


def story(*events: Event | Stage) -> list[Fact]:
    """Events in the journal's order; a stage stands for its expiry."""
    return [
        fact(Event.EXPIRED, offset, "", event) if isinstance(event, Stage) else fact(event, offset, f"n-{offset}")
        for offset, event in enumerate(events)
    ]


def due(stage: Stage, began: datetime) -> datetime | None:
    """Until when each stage may last; nobody waits for a reply."""
    minutes = {Stage.DELIVER: 1, Stage.HAND_OVER: 10, Stage.REGISTER: 100}.get(stage)
    return None if minutes is None else began + timedelta(minutes=minutes)


def contradicted(facts: list[Fact]) -> list[int]:
    """Offsets of the facts that contradict, each seen when it came."""
    found = []
    delivery: Delivery | None = None
    for one in facts:
        delivery = advance(delivery, one)
        if contradicts(one, delivery):
            found.append(one.position.offset)
    return found


STATED = [event for event in Event if event is not Event.EXPIRED]
stories = st.tuples(st.sampled_from(STATED), st.lists(st.sampled_from([*STATED, *Stage]), max_size=12)).map(
    lambda events: story(events[0], *events[1])
)
"""The first is never an expiry: a deadline passes of a delivery that there is."""


def test_every_event_has_a_row() -> None:
    """The table is total, this test knows all of it, and every state is reached by some event."""
    assert set(TABLE) == set(STATED) == {event for event, _, _ in WAY + ASIDE}
    assert {rule.state for rule in TABLE.values()} == set(State)


WAY = [
    (Event.ACCEPTED, State.ACCEPTED, Actor.RECIPIENT_AGENT),
    (Event.RELAY_FAILED, State.RELAY_FAILED, Actor.OPERATOR),
    (Event.NOT_DELIVERED, State.NOT_DELIVERED, Actor.OPERATOR),
    (Event.DELIVERED, State.DELIVERED, Actor.RECIPIENT_EDMS),
    (Event.HAND_OVER_FAILED, State.HAND_OVER_FAILED, Actor.OPERATOR),
    (Event.HANDED_OVER, State.HANDED_OVER, Actor.RECIPIENT),
    (Event.REGISTERED, State.REGISTERED, Actor.RECIPIENT),
    (Event.PROGRESS, State.IN_WORK, Actor.RECIPIENT),
    (Event.REPLY_PREPARED, State.REPLY_PREPARED, Actor.RECIPIENT),
    (Event.REPLY_SENT, State.ANSWERED, Actor.NOBODY),
]
"""The way of a delivery as rule 4.2 has it, each event further than the one before."""

ASIDE = [
    (Event.EXECUTOR_ASSIGNED, State.IN_WORK, Actor.RECIPIENT),
    (Event.REFUSED, State.REFUSED, Actor.SENDER),
    (Event.REDIRECTED, State.REDIRECTED, Actor.NOBODY),
    (Event.REJECTED, State.REJECTED, Actor.SENDER),
]


@pytest.mark.parametrize(("event", "state", "actor"), WAY + ASIDE)
def test_one_event_alone_leads_to_its_state(event: Event, state: State, actor: Actor) -> None:
    """Whatever comes first decides by its row alone."""
    delivery = fold([fact(event, 3)])
    assert (delivery.state, delivery.next, delivery.since) == (state, actor, START + timedelta(minutes=3))
    assert delivery.decided == (event if TABLE[event].decides else None)


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(WAY)), ids=lambda row: row[0])
def test_what_is_further_on_the_way_counts(
    earlier: tuple[Event, State, Actor], later: tuple[Event, State, Actor]
) -> None:
    """In whichever order the journal has the two; of two attempts the last in the journal counts."""
    assert fold(story(earlier[0], later[0])).state is later[1]
    tried_again = TABLE[earlier[0]].again and TABLE[later[0]].again
    assert fold(story(later[0], earlier[0])).state is (earlier[1] if tried_again else later[1])


def test_what_a_sender_of_errors_only_wants_to_see() -> None:
    """Whatever stops the letter; that it was passed on to somebody else does not."""
    stopped = {Event.RELAY_FAILED, Event.NOT_DELIVERED, Event.HAND_OVER_FAILED, Event.EXPIRED}
    assert {Event.REJECTED, Event.REFUSED, *stopped} == NEGATIVE


def test_final_states_are_final() -> None:
    """Nothing is further than a refusal, a redirection or a rejection, and of two decisions the first holds."""
    final = {event for event, rule in TABLE.items() if rule.state in {State.REFUSED, State.REDIRECTED, State.REJECTED}}
    for event in final:
        assert all(fold(story(event, other)).state is TABLE[event].state for other in [*STATED, *Stage])
    assert {Event.REGISTERED, *final} == DECISIVE


def test_thousands_of_contradictions_cost_a_look_each() -> None:
    """A recipient may contradict itself as often as its budget lets it."""
    facts = story(Event.ACCEPTED, *[Event.REFUSED, Event.REGISTERED] * 15_000)
    assert fold(facts).state is State.REFUSED
    assert len(contradicted(facts)) == 15_000


def test_no_facts_are_no_delivery() -> None:
    """There is nothing to fold."""
    with pytest.raises(ValueError, match="at least one fact"):
        fold([])


@given(stories, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(facts: list[Fact], random: Random) -> None:
    """Any order, any repetition: the same value."""
    shuffled = facts + random.choices(facts, k=len(facts))
    random.shuffle(shuffled)
    assert fold(shuffled, due) == fold(facts, due)


@given(stories, st.data())
def test_going_on_from_a_fold_is_folding_everything(facts: list[Fact], data: st.DataObject) -> None:
    """Whatever was folded before, in any order and with any repetition: the rest advances it to the same value."""
    cut = data.draw(st.integers(1, len(facts)))
    before = data.draw(st.permutations(facts[:cut] + data.draw(st.lists(st.sampled_from(facts[:cut])))))
    delivery = fold(before, due)
    for one in facts[cut:]:
        delivery = advance(delivery, one, due)
    assert delivery == fold(data.draw(st.permutations(facts)), due)


@given(stories)
def test_the_fold_is_what_the_table_says(facts: list[Fact]) -> None:
    """Said once more: the first decision, and the first of the furthest that it leaves standing.

    Of hand-overs, which may fail and be made again, the last that says otherwise; a stage begins with the first
    fact of those that await it without another between them.
    """
    deciding = [one for one in facts if one.event in DECISIVE]
    standing = [one for one in facts if one not in deciding[1:] and one.event is not Event.EXPIRED]
    path = standing[:1]
    for one in standing[1:]:
        rule, reached = TABLE[one.event], TABLE[path[-1].event]
        if rule.rank > reached.rank or (rule.again and rule.rank == reached.rank and rule.state is not reached.state):
            path.append(one)
    furthest = path[-1]
    rule, first = TABLE[furthest.event], deciding[0] if deciding else None
    registered = first if first is not None and first.event is Event.REGISTERED else None
    while len(path) > 1 and TABLE[path[-2].event].awaits is rule.awaits:
        path.pop()
    began = path[-1].journalled
    assert fold(facts, due) == Delivery(
        rule.state,
        furthest.journalled,
        rule.next,
        furthest.reason,
        registered.reg_number if registered else "",
        registered.reg_date if registered else "",
        first.event if first else None,
        furthest.text,
        rule.awaits,
        began if rule.awaits else None,
        due(rule.awaits, began) if rule.awaits else None,
        frozenset(one.stage for one in facts if one.stage),
    )


@given(stories)
def test_a_fact_told_again_changes_nothing(facts: list[Fact]) -> None:
    """Not even the object; and it contradicts only what it contradicted before."""
    delivery = fold(facts)
    for one in facts:
        if one.event in TABLE and TABLE[one.event].again:
            continue  # told behind its opposite it is another attempt
        assert advance(delivery, one) is delivery
        assert contradicts(one, delivery) == (one.position.offset in contradicted(facts))


@given(stories)
def test_a_delivery_lost_and_rebuilt_is_the_same(facts: list[Fact]) -> None:
    """Folding again from the beginning, at any moment, gives what was there at that moment."""
    for length in range(1, len(facts) + 1):
        assert fold(facts[:length], due) == fold(iter(reversed(facts[:length])), due)


@given(stories, st.sampled_from(list(Event)))
def test_later_facts_never_change_what_was_decided(facts: list[Fact], event: Event) -> None:
    """The first deciding fact holds whatever the journal brings later."""
    deciding = [one for one in facts if one.event in DECISIVE]
    later = fold([*facts, fact(event, 99, "late")])
    if not deciding:
        return
    assert later.reg_number == (deciding[0].reg_number if deciding[0].event is Event.REGISTERED else "")
    if deciding[0].event in {Event.REFUSED, Event.REDIRECTED, Event.REJECTED}:
        assert later.state is TABLE[deciding[0].event].state
    if event in DECISIVE:
        assert later == fold(facts)
        otherwise = event is not deciding[0].event or event is Event.REGISTERED
        assert contradicts(fact(event, 99, "late"), later) == otherwise


@given(stories)
def test_state_only_moves_forward(facts: list[Fact]) -> None:
    """Without a decision against it, a delivery never goes back."""
    ranks = []
    for length in range(1, len(facts) + 1):
        state = fold(facts[:length]).state
        ranks.append(max(rule.rank for rule in TABLE.values() if rule.state is state))
    assert ranks == sorted(ranks)


def test_usual_way() -> None:
    """Accepted, delivered, handed over, registered, in work, answered."""
    events = [Event.ACCEPTED, Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED]
    registered = fold(story(*events))
    assert (registered.state, registered.next, registered.reg_number) == (State.REGISTERED, Actor.RECIPIENT, "n-3")
    assert registered.reg_date == "2026-03-01"
    answered = fold(story(*events, Event.EXECUTOR_ASSIGNED, Event.REPLY_SENT))
    assert (answered.state, answered.next, answered.reg_number) == (State.ANSWERED, Actor.NOBODY, "n-3")


def test_first_of_contradictory_decisions_holds() -> None:
    """Refused after registered is flagged and changes nothing; and the other way round (rule 4.2)."""
    registered = story(Event.ACCEPTED, Event.REGISTERED, Event.REFUSED)
    assert (fold(registered).state, contradicted(registered)) == (State.REGISTERED, [2])
    facts = story(Event.ACCEPTED, Event.REFUSED, Event.REGISTERED, Event.EXECUTOR_ASSIGNED)
    refused = fold(facts)
    assert (refused.state, refused.reason, refused.text) == (State.REFUSED, "why", "text 1")
    assert (refused.reg_number, refused.reg_date, contradicted(facts)) == ("", "", [2])


def test_a_repeated_decision_contradicts_only_when_it_says_otherwise() -> None:
    """The same registration told again is a repetition; another number is not."""
    first = fact(Event.REGISTERED, 1, "7")
    again = fact(Event.REGISTERED, 2, "7")
    other = fact(Event.REGISTERED, 3, "8")
    facts = [fact(Event.ACCEPTED, 0), first, again, other]
    delivery = fold(facts)
    assert (delivery.reg_number, contradicted(facts)) == ("7", [3])
    assert delivery.since == first.journalled


def test_a_registration_behind_progress_is_kept() -> None:
    """It moves nothing back, but its number holds, and what decides otherwise after it does not."""
    events = [Event.ACCEPTED, Event.EXECUTOR_ASSIGNED, Event.REGISTERED]
    for delivery in (fold(story(*events)), fold(story(*events, Event.REFUSED))):
        assert (delivery.state, delivery.since) == (State.IN_WORK, START + timedelta(minutes=1))
        assert (delivery.decided, delivery.reg_number, delivery.reg_date) == (Event.REGISTERED, "n-2", "2026-03-01")


def test_failures_are_healed_by_what_comes_after() -> None:
    """Not delivered, then delivered; hand-over failed, then handed over."""
    assert fold(story(Event.ACCEPTED, Event.NOT_DELIVERED)).next is Actor.OPERATOR
    assert fold(story(Event.ACCEPTED, Event.NOT_DELIVERED, Event.DELIVERED)).state is State.DELIVERED
    failed = story(Event.ACCEPTED, Event.DELIVERED, Event.HAND_OVER_FAILED)
    assert fold(failed).state is State.HAND_OVER_FAILED
    assert fold([*failed, fact(Event.HANDED_OVER, 9)]).state is State.HANDED_OVER


def test_a_document_system_may_lose_what_it_was_given() -> None:
    """It awaits the hand-over again, from then on; once it is registered nothing was lost."""
    lost = story(Event.ACCEPTED, Event.DELIVERED, Event.HANDED_OVER, Event.HAND_OVER_FAILED)
    delivery = fold(lost, due)
    assert (delivery.state, delivery.next) == (State.HAND_OVER_FAILED, Actor.OPERATOR)
    assert (delivery.stage, delivery.due) == (Stage.HAND_OVER, START + timedelta(minutes=13))
    assert fold([*lost, fact(Event.HANDED_OVER, 8)]).state is State.HANDED_OVER
    registered = story(Event.ACCEPTED, Event.HANDED_OVER, Event.REGISTERED, Event.HAND_OVER_FAILED)
    assert fold(registered).state is State.REGISTERED


def test_a_deadline_that_passed_stands_beside_the_state() -> None:
    """It changes neither state nor actor, is not forgotten when what was awaited comes, and counts once."""
    facts = story(Event.ACCEPTED, Event.DELIVERED, Event.HANDED_OVER, Stage.REGISTER, Stage.REGISTER)
    late = fold(facts, due)
    assert (late.state, late.next, late.late) == (State.HANDED_OVER, Actor.RECIPIENT, frozenset({Stage.REGISTER}))
    assert (late.stage, late.due, late.overdue) == (Stage.REGISTER, START + timedelta(minutes=102), True)
    then = fold([*facts, fact(Event.REGISTERED, 9)], due)
    assert (then.state, then.late, then.overdue) == (State.REGISTERED, frozenset({Stage.REGISTER}), False)


def test_a_stage_begins_where_it_is_first_awaited() -> None:
    """A failed hand-over awaits the hand-over still, and until the same time as before."""
    delivered = story(Event.ACCEPTED, Event.DELIVERED)
    failed = fold([*delivered, fact(Event.HAND_OVER_FAILED, 7)], due)
    assert failed.stage is Stage.HAND_OVER
    assert failed.due == fold(delivered, due).due == START + timedelta(minutes=11)


def test_what_states_await() -> None:
    """Stages follow each other along the way, and final states await nothing."""
    way = [AWAITED[state] for _, state, _ in WAY]
    assert list(dict.fromkeys(way)) == [*Stage, None]
    assert all(AWAITED[state] is None for state in (State.REFUSED, State.REDIRECTED, State.REJECTED))


def test_a_deadline_of_no_delivery() -> None:
    """Whoever reads the journal sets it aside before."""
    with pytest.raises(ValueError, match="a delivery that there is"):
        fold([fact(Event.EXPIRED, 0)])


def test_facts_are_values() -> None:
    """Frozen: a fold cannot change what it folds."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        fact(Event.ACCEPTED, 0).reason = "other"  # type: ignore[misc]  # that it may not is the test


def test_the_operators_page_says_whose_move_it_is() -> None:
    """Each state with its actor, a step for whoever must act, and the stage after which it is late."""
    page = (Path(__file__).parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")
    section = page.partition("## Whose move it is")[2].partition("\n## ")[0]
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")
    ]
    known = {rule.state: (rule.next, rule.awaits) for rule in TABLE.values()}
    assert {row[0]: (row[1], row[3]) for row in rows} == {
        state.value: (actor.value, stage.value if stage else "") for state, (actor, stage) in known.items()
    }
    assert all(bool(row[2]) == (row[1] != Actor.NOBODY) or row[0] == State.REDIRECTED for row in rows)
