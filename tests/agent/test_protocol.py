"""Notices as a table, and what holds for every notice whatever."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.agent.protocol import (
    CURES,
    DIVERGED,
    Abandon,
    Action,
    Chain,
    Halt,
    Replace,
    Resend,
    SignAgain,
    Stand,
    Take,
    respond,
)
from exchange.domain.decision import Notice, Step, Trouble
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.domain.reason import Reason
from tests.world import NOW

ORIGIN = bytes(16)


def own(number: int) -> bytes:
    """Digest of our statement `number`."""
    return ZERO_DIGEST if number == 0 else digest(b"ours %d" % number)


def foreign(number: int) -> bytes:
    """Digest of somebody else's statement `number`."""
    return digest(b"theirs %d" % number)


def chain(signed: int = 9, taken: int = 4) -> Chain:
    """A chain that signed up to `signed`."""
    return Chain(signed, taken, {number: own(number) for number in range(1, signed + 1)})


def notice(number: int, *steps: Step, trouble: str = "", said: bytes | None = None) -> Notice:
    """A notice that bears our digests unless it is told otherwise."""
    told = Trouble(trouble, "detail") if trouble else None
    return Notice(ORIGIN, number, own(number) if said is None else said, steps, told, NOW)


def taken(*numbers: int) -> tuple[Step, ...]:
    """Steps of our own, accepted."""
    return tuple(Step(own(number), "", "") for number in numbers)


def again(number: int, reason: str, *, later: bool) -> Resend:
    """Send from `number` on."""
    return Resend(number, reason, later)


def leave(reason: str, *, continued: bool = False) -> Abandon:
    """Open another origin."""
    return Abandon(continued, reason)


TABLE: list[tuple[str, Notice, tuple[Action, ...]]] = [
    ("taken", notice(6, *taken(5, 6)), (Take(5, "", ""), Take(6, "", ""), Stand(6))),
    ("refused", notice(5, Step(own(5), "clock-ahead", "x")), (Take(5, "clock-ahead", "x"), Stand(5))),
    ("behind us, no news", notice(3), ()),
    ("a repeat tells where we stand", notice(7, trouble="repeat"), (Stand(7),)),
    ("a gap", notice(5, *taken(5), trouble="gap"), (Take(5, "", ""), Stand(5), again(6, "gap", later=False))),
    ("a restored exchange", notice(2, trouble="gap"), (Stand(2), again(3, "gap", later=False))),
    ("it knows nothing", notice(0, trouble="origin-unknown"), (Stand(0), again(1, "origin-unknown", later=False))),
    ("a copy's statement", notice(4, trouble="chain-broken"), (Stand(4), again(5, "chain-broken", later=False))),
    ("over budget", notice(4, trouble="over-budget"), (again(5, "over-budget", later=True),)),
    ("suspended", notice(4, trouble="body-suspended"), (again(5, "body-suspended", later=True),)),
    ("a trouble of a later router", notice(4, trouble="moon-phase"), (again(5, "moon-phase", later=True),)),
    ("a trouble of a verdict", notice(4, trouble="card-missing"), (again(5, "card-missing", later=True),)),
    ("expired", notice(4, trouble="certificate-expired"), (SignAgain(5, "certificate-expired"),)),
    ("never to be taken", notice(4, trouble="oversized"), (Replace(5, "oversized"),)),
    ("an open never to be taken", notice(0, trouble="oversized"), (leave("oversized"),)),
    ("closed", notice(4, trouble="origin-closed"), (leave("origin-closed"),)),
    ("predecessor", notice(0, trouble="predecessor-mismatch"), (leave("predecessor-mismatch"),)),
    ("exhausted", notice(0, trouble="origins-exhausted"), (Halt("origins-exhausted", "detail"),)),
    ("wrong lane", notice(4, trouble="wrong-lane"), (Halt("wrong-lane", "detail"),)),
    ("trouble with what we no longer say", notice(9, trouble="over-budget"), (Stand(9),)),
    ("beyond us", notice(12, said=foreign(12)), (Stand(4), leave(DIVERGED, continued=True))),
    ("another digest", notice(6, said=foreign(6)), (Stand(4), leave(DIVERGED, continued=True))),
    (
        "ours, then not ours",
        notice(6, *taken(5), Step(foreign(6), "", ""), said=foreign(6)),
        (Take(5, "", ""), Stand(5), leave(DIVERGED, continued=True)),
    ),
]


@pytest.mark.parametrize(("heard", "actions"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(heard: Notice, actions: tuple[Action, ...]) -> None:
    """Signed up to 9, proven up to 4: what each notice leads to."""
    assert respond(chain(), heard) == actions


@pytest.mark.parametrize("reason", CURES)
def test_every_cure_leads_somewhere(reason: Reason) -> None:
    """Each trouble of the table is answered, alone and behind news."""
    for heard in (notice(4, trouble=reason), notice(5, *taken(5), trouble=reason), notice(0, trouble=reason)):
        respond(chain(), heard)


STEPS = st.builds(
    Step,
    st.integers(0, 12).flatmap(lambda number: st.sampled_from([own(number), foreign(number)])),
    st.sampled_from(["", "clock-ahead"]),
    st.just(""),
)
NOTICES = st.builds(
    Notice,
    st.just(ORIGIN),
    st.integers(0, 12),
    st.integers(0, 12).flatmap(lambda number: st.sampled_from([own(number), foreign(number)])),
    st.lists(STEPS, max_size=14).map(tuple),
    st.none() | st.builds(Trouble, st.sampled_from([*Reason, "later"]).map(str), st.just("")),
    st.just(NOW),
)
CHAINS = st.integers(0, 10).flatmap(lambda signed: st.builds(chain, st.just(signed), st.integers(0, signed)))


@given(CHAINS, NOTICES)
def test_only_our_own_digests_count(ours: Chain, heard: Notice) -> None:
    """Nothing is taken but what we signed, and at the number where we signed it."""
    actions = respond(ours, heard)
    first = heard.number - len(heard.steps) + 1
    for action in actions:
        if isinstance(action, Take):
            assert heard.steps[action.number - first].digest == own(action.number)
            assert 1 <= action.number <= ours.signed
        if isinstance(action, Stand):
            assert 0 <= action.number <= ours.signed


@given(CHAINS, NOTICES)
def test_at_most_one_remedy_and_last(ours: Chain, heard: Notice) -> None:
    """What changes the way on comes once, after what was taken is known."""
    actions = respond(ours, heard)
    remedies = [action for action in actions if not isinstance(action, Take | Stand)]
    assert len(remedies) <= 1
    assert not remedies or actions[-1] == remedies[0]


@given(CHAINS, NOTICES)
def test_a_remedy_is_for_the_next_statement(ours: Chain, heard: Notice) -> None:
    """We go back to the number behind what is taken, never further, and never beyond what we signed."""
    for action in respond(ours, heard):
        if isinstance(action, Resend | SignAgain | Replace):
            assert action.number == heard.number + 1 <= ours.signed


@given(CHAINS, NOTICES)
def test_another_digest_always_ends_the_origin(ours: Chain, heard: Notice) -> None:
    """Whatever else a notice says, one that does not bear our digest means a copied spool."""
    if heard.number and heard.digest != ours.digests.get(heard.number):
        assert isinstance(respond(ours, heard)[-1], Abandon)


@given(CHAINS, st.integers(0, 10), st.integers(0, 10))
def test_true_notices_never_end_the_origin(ours: Chain, number: int, steps: int) -> None:
    """Notices about our own chain, in any order and repeated, only move what is proven."""
    number = min(number, ours.signed)
    heard = notice(number, *taken(*range(max(1, number - steps), number + 1)) if number else ())
    once = respond(ours, heard)
    assert not any(isinstance(action, Abandon | Halt | Replace) for action in once)
    stood = max((action.number for action in once if isinstance(action, Stand)), default=ours.taken)
    assert stood == max(ours.taken, number)
    assert not any(isinstance(action, Stand) for action in respond(dataclasses.replace(ours, taken=stood), heard))
