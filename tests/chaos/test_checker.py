"""The checker itself: silent where nothing is wrong, and naming exactly what was planted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.decision import LaneState, OriginState
from tests.chaos import checker_plants as plant
from tests.chaos.checker_plants import LONG, STRANGE, Plant, both, lines, more, said, spool
from tests.chaos.checker_story import BODIES, Plan, observations
from tests.chaos.history import (
    Answered,
    Arrived,
    FaultBegan,
    FaultEnded,
    Forgotten,
    HandedIn,
    Heard,
    Line,
    Outcome,
    Settled,
)
from tests.checker import Observations, Rule, violations
from tests.checker.observations import Incoming, LetterWords, ReceiptWords
from tests.checker.waiting import Wait, is_late, quiet, unfinished

RIGHT = observations(
    [
        Plan("alpha", ("beta", "gamma"), answer="registered"),
        Plan("alpha", ("beta",), answer="refused"),
        Plan("gamma", ("alpha", "nobody"), refused="recipient-unknown"),
        Plan("gamma", ("alpha", "nobody"), refused="recipient-unknown"),
        Plan("alpha", ("beta", "delta")),
        Plan("gamma", ("beta",), answer="registered"),
        Plan("delta", ("alpha",), answer="registered"),
    ]
)
"""Letters `m-0` to `m-6`. Lane 0 has alpha and gamma: numbers 1 and 14 are of the lane itself, 2 and 3 open the origins
of alpha and gamma, 4 is `m-0`, 5 gamma's `delivered`, 6 its `registered`, 7 `m-1`, 8 and 9 are the refused ones."""

plans = st.builds(
    lambda sender, others, refused, answer: Plan(sender, tuple(sorted(others - {sender})), refused, answer),
    st.sampled_from(BODIES),
    st.sets(st.sampled_from(BODIES), min_size=2),
    st.sampled_from(["", "", "", "card-unreadable"]),
    st.sampled_from(["", "registered", "refused"]),
)


@given(st.lists(plans, max_size=20))
def test_silent_where_nothing_is_wrong(planned: list[Plan]) -> None:
    """Any letters, accepted and refused, answered or not, seen in full, now or long afterwards."""
    seen = observations(planned)
    assert violations(seen) == []
    assert violations(plant.later()(seen)) == []


def test_nothing_seen_proves_nothing() -> None:
    """No observations, no violations."""
    assert violations(Observations()) == []


def digest_of(message_id: str) -> bytes:
    """Statement digest of one of the letters."""
    return next(line.letter for line in RIGHT.history if isinstance(line, Settled) and line.message_id == message_id)


ACKNOWLEDGED = HandedIn(0.0, "alpha", "m-9", ("beta",), Outcome.ACKNOWLEDGED)
ANSWERED = Answered(0.0, "beta", STRANGE, "progress", "", Outcome.ACKNOWLEDGED)
FIRST = {"message_id": "m-0"}
AT_BETA = {"message_id": "m-0", "body": "beta"}

PLANTED: dict[str, tuple[Rule, Plant]] = {
    "gap in a lane": (Rule.LANE_CHAIN, plant.without_entry(0, 1)),
    "forged digest": (Rule.LANE_CHAIN, plant.entry(0, 14, previous=STRANGE)),
    "altered entry": (Rule.LANE_CHAIN, plant.entry(0, 6, digest=STRANGE)),
    "submissions out of order": (Rule.LANE_CHAIN, said(0, 7, offset=3)),
    "decided and dead": (Rule.DECIDED_TWICE, plant.dead(0, 0)),
    "gap in an origin": (Rule.ORIGIN_CHAIN, said(0, 13, head_number=99)),
    "forged chain of an origin": (Rule.ORIGIN_CHAIN, said(0, 7, head_previous=STRANGE)),
    "lane stored behind": (Rule.SEQUENCES, lambda seen: replace(seen, lanes={**seen.lanes, 0: LaneState()})),
    "origin stored that nobody opened": (
        Rule.SEQUENCES,
        lambda seen: replace(seen, origins={**seen.origins, ("alpha", bytes(16)): OriginState(1, STRANGE)}),
    ),
    "no copy in an inbox": (Rule.INBOX_MISSING, plant.inbox("beta", plant.without_copy)),
    "two copies in an inbox": (Rule.INBOX_DOUBLED, plant.inbox("beta", plant.copy_again)),
    "letters exchanged in an inbox": (Rule.INBOX_ORDER, plant.inbox("beta", plant.copies_exchanged)),
    "something strange in an inbox": (Rule.INBOX_UNEXPLAINED, plant.inbox("beta", plant.strange_copy)),
    "a notice of another number": (Rule.NOTICE, plant.notice("beta", number=7)),
    "a notice of another statement": (Rule.NOTICE, plant.notice("beta", digest=STRANGE)),
    "a notice without its step": (Rule.NOTICE, plant.notice("beta", steps=())),
    "lost letter": (Rule.LETTER_LOST, more(ACKNOWLEDGED)),
    "letter lost for one recipient": (Rule.LETTER_LOST, lines(HandedIn, FIRST, recipients=("beta", "gamma", "delta"))),
    "letter decided twice": (Rule.LETTER_TWICE, said(0, 9, words=LetterWords("m-2", ("alpha", "nobody")))),
    "refused at the door, yet accepted": (
        Rule.REFUSED_YET_TAKEN,
        lines(HandedIn, FIRST, outcome=Outcome.REFUSED, code="spool-full"),
    ),
    "refused at the door, yet left in the spool": (
        Rule.REFUSED_YET_TAKEN,
        both(
            more(replace(ACKNOWLEDGED, outcome=Outcome.REFUSED, code="spool-full")),
            spool("alpha", plant.left(LetterWords("m-9", ("beta",)))),
        ),
    ),
    "refusal that nobody hears of": (
        Rule.REFUSAL_UNTOLD,
        spool("gamma", plant.incoming(lambda kept: [one for one in kept if one.kind != "rejection"])),
    ),
    "told accepted, was refused": (
        Rule.TOLD_OTHERWISE,
        lines(Settled, {"message_id": "m-3"}, state="taken", code=""),
    ),
    "told refused, was accepted": (Rule.TOLD_OTHERWISE, lines(Settled, FIRST, state="refused", code="oversized")),
    "told another reason": (Rule.TOLD_OTHERWISE, lines(Settled, {"message_id": "m-3"}, code="oversized")),
    "told before it was decided": (Rule.TOLD_OTHERWISE, lines(Settled, FIRST, letter=STRANGE)),
    "lost answer": (Rule.ANSWER_LOST, more(ANSWERED)),
    "heard twice": (Rule.HEARD_UNSAID, plant.again(Heard, FIRST)),
    "heard what nobody said": (Rule.HEARD_UNSAID, plant.again(Heard, FIRST, event="redirected")),
    "heard of a stranger": (Rule.HEARD_UNSAID, plant.again(Heard, FIRST, actor="delta")),
    "handed over twice": (Rule.HANDED_TWICE, plant.again(Arrived, AT_BETA, place=9)),
    "handed over to somebody else": (Rule.HANDED_UNEXPLAINED, plant.again(Arrived, AT_BETA, body="delta", place=9)),
    "handed over under another name": (
        Rule.HANDED_UNEXPLAINED,
        plant.again(Arrived, AT_BETA, body="alpha", letter=STRANGE, place=9),
    ),
    "handed over although refused": (
        Rule.HANDED_UNEXPLAINED,
        more(Arrived(0.0, "alpha", 9, "m-2", "gamma", digest_of("m-2"))),
    ),
    "handed over in another order": (Rule.ORDER, lines(Arrived, AT_BETA, place=9)),
    "kept in another order": (Rule.ORDER, spool("beta", plant.incoming(plant.exchanged))),
    "numbered in another order": (
        Rule.ORDER,
        spool("alpha", lambda old: plant.numbered(3, outgoing=1)(plant.numbered(2, outgoing=2)(old))),
    ),
    "receipt without its letter": (
        Rule.RECEIPT_WITHOUT_LETTER,
        said(0, 5, words=ReceiptWords(STRANGE, "alpha", "delivered")),
    ),
    "receipt about somebody else's letter": (
        Rule.RECEIPT_WITHOUT_LETTER,
        said(0, 5, words=ReceiptWords(digest_of("m-1"), "alpha", "delivered")),
    ),
    "spool ahead of its inbox": (Rule.SPOOL_POSITION, spool("beta", plant.standing(2))),
    "spool at another record": (Rule.SPOOL_POSITION, spool("beta", plant.standing())),
    "passed over by an agent": (Rule.SPOOL_MISSING, spool("beta", plant.incoming(lambda kept: kept[1:]))),
    "about to be passed over": (
        Rule.SPOOL_MISSING,
        spool("beta", lambda old: replace(old, position=None, incoming=(), next=3)),
    ),
    "receipt passed over by an agent": (Rule.SPOOL_MISSING, spool("alpha", plant.incoming(lambda kept: kept[1:]))),
    "twice in a spool": (Rule.SPOOL_DOUBLED, spool("beta", plant.incoming(lambda kept: [*kept, kept[-1]]))),
    "strange letter in a spool": (
        Rule.SPOOL_UNEXPLAINED,
        spool("beta", plant.incoming(lambda kept: [*kept, Incoming("letter", STRANGE, STRANGE)])),
    ),
    "agent believes too much": (Rule.SPOOL_TAKEN, spool("beta", plant.origin(taken=99))),
    "agent believes too little": (Rule.SPOOL_TAKEN, spool("beta", plant.origin(taken=1))),
    "agent believes in another statement": (Rule.SPOOL_TAKEN, spool("beta", plant.numbered(1, digest=STRANGE))),
    "agent takes a refusal for an acceptance": (
        Rule.SPOOL_TAKEN,
        spool("alpha", plant.outgoing(1, state="refused", reason="oversized")),
    ),
    "tracker ahead of the journal": (Rule.TRACKER_POSITION, plant.tracker_at(2)),
    "tracker of another journal": (Rule.TRACKER_POSITION, plant.tracker_at(0)),
    "delivery that the tracker lacks": (Rule.TRACKER_MISSING, plant.tracked("m-0", "beta")),
    "delivery that only the tracker has": (Rule.TRACKER_UNEXPLAINED, plant.tracked("m-0", "delta", "accepted", "")),
    "tracker's state ahead": (Rule.TRACKER_STATE, plant.tracked("m-4", "beta", "registered", "01-1")),
    "tracker's state behind": (Rule.TRACKER_STATE, plant.tracked("m-0", "beta", "delivered", "")),
    "tracker has another number": (Rule.TRACKER_STATE, plant.tracked("m-0", "beta", "registered", "strange")),
    "decided late": (Rule.LATE, plant.late(Settled)),
    "arrived late": (Rule.LATE, plant.late(Arrived)),
    "heard late": (Rule.LATE, plant.late(Heard)),
    "never sent": (
        Rule.LATE,
        both(more(ACKNOWLEDGED), spool("alpha", plant.left(LetterWords("m-9", ("beta",)))), plant.later()),
    ),
    "never read": (
        Rule.LATE,
        both(spool("beta", lambda old: replace(old, position=None, incoming=())), plant.later()),
    ),
    "never tracked": (
        Rule.LATE,
        both(
            lambda seen: replace(seen, tracker=seen.tracker and replace(seen.tracker, positions={}, deliveries={})),
            plant.later(),
        ),
    ),
}
"""What is planted: under which name it must be found, and nothing else."""


@pytest.mark.parametrize(("rule", "spoil"), PLANTED.values(), ids=PLANTED)
def test_what_was_planted_is_named(rule: Rule, spoil: Plant) -> None:
    """Each way of breaking a promise is found under its own name, and under no other."""
    found = violations(spoil(RIGHT))
    assert {violation.rule for violation in found} == {rule}, "\n".join(map(str, found))


def test_what_a_disk_has_lost_is_excused() -> None:
    """A letter that a replaced spool does not know may be lost, and nobody can be told of it."""
    lost, answered = both(more(ACKNOWLEDGED), plant.later()), both(plant.without(Heard), plant.later())
    for spoilt, letters in ((lost, ("m-9",)), (answered, tuple(f"m-{number}" for number in range(7)))):
        assert violations(spoilt(RIGHT)) != []
        forgotten = [Forgotten(0.0, body, letter) for body in BODIES for letter in letters]
        assert violations(both(more(*forgotten), spoilt)(RIGHT)) == []


@pytest.mark.parametrize("name", ["never sent", "never read", "never tracked"])
def test_what_is_unfinished(name: str) -> None:
    """What will be late one day is unfinished at once; where nothing is wrong nothing is."""
    assert unfinished(RIGHT) == []
    assert unfinished(PLANTED[name][1](RIGHT)) != []


def test_every_rule_was_broken() -> None:
    """No rule stands there that nothing shows to work."""
    assert {rule for rule, _ in PLANTED.values()} == set(Rule)


@pytest.mark.parametrize(
    ("since", "until", "late"),
    [
        (0.0, 40.0, False),
        (0.0, 80.0, False),
        (-20.0, 45.0, True),
        (90.0, 260.0, False),
        (90.0, 261.0, True),
        (150.0, 400.0, True),
        (350.0, 1000.0, True),
        (410.0, 480.0, False),
    ],
)
def test_only_time_without_faults_counts(since: float, until: float, late: bool) -> None:  # noqa: FBT001
    """Faults from 50 to 200 (two, one in the other), from 300 to 340, and one at 400 that does not end until 430."""
    history: list[Line] = [
        FaultBegan(50.0, 1, "kill", "router-1", 7),
        FaultBegan(100.0, 2, "stop", "broker-1", 7),
        FaultEnded(120.0, 2),
        FaultEnded(200.0, 1),
        FaultBegan(300.0, 3, "cut", "broker-2", 7),
        FaultEnded(340.0, 3),
        FaultBegan(400.0, 4, "kill", "tracker", 7),
        FaultEnded(430.0, 4),
    ]
    assert is_late(Wait("something", since, until, bound=60.0), quiet(history), now=LONG) is late


def test_what_still_waits_is_late_once_its_bound_has_passed() -> None:
    """A wait without an end is judged by the time of looking."""
    waits = Wait("something", 0.0, float("inf"), bound=60.0)
    assert [is_late(waits, quiet([]), now) for now in (59.0, 61.0)] == [False, True]


def test_a_fault_that_goes_on_excuses_everything() -> None:
    """Nothing can be late while the last fault still lasts."""
    history = [FaultBegan(10.0, 1, "kill", "router-1", 7)]
    assert not is_late(Wait("something", 5.0, float("inf"), bound=60.0), quiet(history), now=LONG)
