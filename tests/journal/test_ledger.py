"""A lane's ledger: order, chain, notices, dead letters."""

import dataclasses
from datetime import timedelta

from exchange.domain.decision import Basis, DeadLetter, Decided, LaneState, Notice, Verdict
from exchange.domain.directory import BodyStatus
from exchange.domain.ids import ZERO_DIGEST, digest, lane_of
from exchange.domain.reason import Reason
from exchange.domain.statement import Predecessor, Signed
from exchange.journal.examine import Standing, Submission, examine
from exchange.journal.ledger import Entry, Ledger
from exchange.wire.records import decode
from tests.world import NOW, World


def ledger_of(world: World) -> Ledger:
    """Alpha's lane from its beginning."""
    return Ledger(lane_of("alpha", world.lanes), world.ground, LaneState(), {})


def take(world: World, ledger: Ledger, *said: Signed) -> list[Entry | DeadLetter | None]:
    """Submit at the lane's next offsets."""
    results = []
    for signed in said:
        submission = world.submission(signed, ledger.state.offset)
        results.append(ledger.take(examine(submission, world.ground, NOW), NOW))
    return results


def notice_of(ledger: Ledger, origin: bytes) -> Notice | None:
    """What one origin is told."""
    return next((notice for _, notice in ledger.notices(NOW) if notice.origin == origin), None)


def decisions(entries: list[Entry | DeadLetter | None]) -> list[Decided]:
    """The entries as values."""
    return [decode(Decided, entry.entry) for entry in entries if isinstance(entry, Entry)]


def test_accepted_goes_to_each_inbox_and_refused_to_none(world: World) -> None:
    """The verdict, and who gets a copy."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    entries = take(world, ledger, alpha.open(), alpha.letter("beta", "gamma"), alpha.letter("beta", "nobody"))
    assert [entry.inboxes for entry in entries if isinstance(entry, Entry)] == [(), ("beta", "gamma"), ()]
    first, second, third = decisions(entries)
    assert (first.decision.verdict, second.decision.verdict) == (Verdict.ACCEPTED, Verdict.ACCEPTED)
    assert (third.decision.verdict, third.decision.reason) == (Verdict.REFUSED, Reason.RECIPIENT_UNKNOWN)
    assert third.decision.detail == "recipients[1]: 'nobody'"


def test_entries_of_a_lane_are_chained(world: World) -> None:
    """Each names the digest of the one before (rule 3.1)."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    entries = [entry for entry in take(world, ledger, alpha.open(), alpha.letter("beta"), alpha.void()) if entry]
    previous = ZERO_DIGEST
    for number, entry in enumerate(entries, 1):
        assert isinstance(entry, Entry)
        place = decode(Decided, entry.entry).decision.place
        assert (place.number, place.previous) == (number, previous)
        previous = digest(entry.entry)
    assert ledger.state == LaneState(offset=3, number=3, digest=previous)


def test_notice_names_every_number_taken(world: World) -> None:
    """A spool restored from a backup can tell which of its statements were taken (rule 2.5)."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    said = [alpha.open(), alpha.letter("beta"), alpha.letter("nobody")]
    take(world, ledger, *said)
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert (notice.number, notice.digest, notice.trouble) == (3, said[-1].digest, None)
    assert [step.digest for step in notice.steps] == [signed.digest for signed in said]
    assert [step.reason for step in notice.steps] == ["", "", "recipient-unknown"]
    assert ledger.notices(NOW) == []


def test_gap_is_told_once_and_counted(world: World) -> None:
    """What follows a gap is only counted until the expected number arrives (rule 2.4)."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    first, second, third, fourth = alpha.open(), alpha.letter("beta"), alpha.letter("beta"), alpha.letter("beta")
    assert take(world, ledger, first, third, fourth)[1:] == [None, None]
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert notice.number == 1
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.GAP
    assert take(world, ledger, third) == [None]
    assert notice_of(ledger, alpha.origin) is None
    assert ledger.drain_origins()["alpha", alpha.origin].ignored == 3
    assert None not in take(world, ledger, second, third, fourth)
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert (notice.number, notice.trouble) == (4, None)


def test_repeat_is_answered_each_time(world: World) -> None:
    """That is how an agent asks where it stands; nothing moves."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    opened, letter = alpha.open(), alpha.letter("beta")
    take(world, ledger, opened, letter)
    ledger.notices(NOW)
    for _ in range(2):
        assert take(world, ledger, letter) == [None]
        notice = notice_of(ledger, alpha.origin)
        assert notice is not None
        assert (notice.number, notice.digest, notice.steps) == (2, letter.digest, ())


def test_open_within_a_chain_is_refused_and_the_lane_goes_on(world: World) -> None:
    """Whatever predecessor it names: the number moves (rule 2.4), no other origin does."""
    ledger, alpha, other = ledger_of(world), world.speaker("alpha"), world.speaker("alpha")
    take(world, ledger, alpha.open(), other.open())
    named = [Predecessor(bytes(16), 3, ZERO_DIGEST), Predecessor(other.origin, 1, other.last)]
    entries = take(world, ledger, *[alpha.open(predecessor) for predecessor in named])
    assert [entry.decision.reason for entry in decisions(entries)] == [Reason.KIND_FORBIDDEN] * 2
    assert len(decisions(take(world, ledger, alpha.letter("beta"), other.letter("beta")))) == 2


def test_old_statement_of_an_expired_key_is_only_a_repeat(world: World) -> None:
    """Recipients hold such bytes: who sends them again must not hold the origin back (rule 2.4)."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    opened, letter = alpha.open(), alpha.letter("beta")
    take(world, ledger, opened, letter)
    ledger.notices(NOW)
    later = NOW + timedelta(days=4000)
    expired = examine(world.submission(opened, ledger.state.offset), world.ground, later)
    assert expired.standing is Standing.HELD
    assert ledger.take(expired, later) is None
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert notice.trouble is not None
    assert (notice.number, notice.trouble.reason) == (2, Reason.REPEAT)
    assert not ledger.drain_origins()["alpha", alpha.origin].notified


def test_rewritten_number_is_not_taken(world: World) -> None:
    """Another statement under a taken number, and a chain that does not fit."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    take(world, ledger, alpha.open(), alpha.letter("beta", message_id="first"))
    fork = dataclasses.replace(alpha, number=1, last=digest(b"elsewhere"))
    assert take(world, ledger, fork.letter("beta", message_id="second"), fork.letter("gamma")) == [None, None]
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.CHAIN_BROKEN


def test_unknown_origin_is_told_that_it_is_not_open(world: World) -> None:
    """Number 0: begin with an open."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    alpha.open()
    assert take(world, ledger, alpha.letter("beta")) == [None]
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert (notice.number, notice.digest) == (0, ZERO_DIGEST)
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.ORIGIN_UNKNOWN


def test_successor_closes_its_predecessor(world: World) -> None:
    """A restored spool goes on in a new origin; the old one is closed for ever."""
    ledger, old, new = ledger_of(world), world.speaker("alpha"), world.speaker("alpha")
    opened = old.open()
    take(world, ledger, opened, new.open(Predecessor(old.origin, 1, opened.digest)))
    assert take(world, ledger, old.letter("beta")) == [None]
    notice = notice_of(ledger, old.origin)
    assert notice is not None
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.ORIGIN_CLOSED


def test_dead_letters_leave_coordinates_and_tell_nobody(world: World) -> None:
    """500 forged statements: 500 dead letters, no notice, nothing moves (rule 3.4)."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    take(world, ledger, alpha.open())
    ledger.notices(NOW)
    forged = dataclasses.replace(alpha.letter("beta"), signature=b"forged")
    for dead in take(world, ledger, *[forged] * 500):
        assert isinstance(dead, DeadLetter)
        assert dead.reason == Reason.SIGNATURE_FORM
        assert len(dead.sample) <= 1024
    assert ledger.notices(NOW) == []
    assert (ledger.state.offset, ledger.state.number) == (501, 1)


def test_over_budget_waits_and_nothing_is_lost(world: World) -> None:
    """A flood is held at its lane's share and told once; a minute later it goes on (rule 3.4)."""
    policy = dataclasses.replace(world.policy, statements_per_second=1, burst_seconds=3)
    ground = dataclasses.replace(world.ground, policy=policy)
    ledger = Ledger(lane_of("alpha", world.lanes), ground, LaneState(), {})
    alpha = world.speaker("alpha")
    said = [alpha.open(), *[alpha.letter("beta") for _ in range(5)]]
    assert [entry is None for entry in take(world, ledger, *said)] == [False] * 3 + [True] * 3
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert notice.number == 3
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.OVER_BUDGET
    later = Submission(ledger.lane, ledger.state.offset, NOW + timedelta(minutes=1), world.submission(said[3]).value)
    assert isinstance(ledger.take(examine(later, ground, NOW), NOW), Entry)


def test_nothing_is_written_to_a_suspended_body(world: World) -> None:
    """Its statements wait; back again, it is told where it stands as if nothing had been."""
    ledger, alpha = ledger_of(world), world.speaker("alpha")
    opened, missing, letter = alpha.open(), alpha.letter("beta"), alpha.letter("beta")
    take(world, ledger, opened)
    ledger.notices(NOW)
    body = dataclasses.replace(world.directory.bodies["alpha"], status=BodyStatus.SUSPENDED)
    suspended = dataclasses.replace(world.directory, bodies={**world.directory.bodies, "alpha": body})
    ledger.stand_on(dataclasses.replace(world.ground, directory=suspended))
    held = examine(world.submission(missing, ledger.state.offset), ledger.ground, NOW)
    assert held.refusal is not None
    assert held.refusal.reason is Reason.BODY_SUSPENDED
    assert ledger.take(held, NOW) is None
    assert ledger.notices(NOW) == []
    ledger.stand_on(world.ground)
    assert take(world, ledger, letter) == [None]
    notice = notice_of(ledger, alpha.origin)
    assert notice is not None
    assert notice.trouble is not None
    assert notice.trouble.reason == Reason.GAP


def test_basis_is_journalled_before_it_is_named(world: World) -> None:
    """A directory or policy that decisions name is an entry first, in the lane's chain (rule 5.3)."""
    ledger = ledger_of(world)
    assert ledger.known == (bytes(32), bytes(32))
    assert ledger.stand_on(world.ground)
    for number in (1, 2):  # one for each part of the files
        entry = ledger.basis(NOW)
        basis = decode(Basis, entry)
        assert (basis.place.number, basis.directory_digest) == (number, world.directory.digest)
        assert ledger.state.digest == digest(entry)
    assert ledger.known == (world.directory.digest, world.policy.digest)
    assert not ledger.stand_on(world.ground)


def test_successor_goes_on_where_the_state_says(world: World) -> None:
    """After a crash a new ledger from the kept state decides as the old one would have."""
    first, alpha = ledger_of(world), world.speaker("alpha")
    take(world, first, alpha.open(), alpha.letter("beta"))
    second = Ledger(first.lane, world.ground, first.state, first.drain_origins())
    letter = alpha.letter("gamma")
    assert decisions(take(world, second, letter)) == decisions(take(world, first, letter))
