"""What services say: who may, in which lane, in which form; and how it is replayed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.domain.decision import Decided, Journalled
from exchange.domain.event import Event
from exchange.domain.fact import CommandFact, DeadlineFact, LetterFact, StatementRefused, TickFact
from exchange.domain.ids import digest, journal_partition
from exchange.domain.own_bodies import ARCHIVE_BODY, CONSOLE_BODY, TRACKER_BODY
from exchange.domain.reason import Reason
from exchange.domain.statement import Command, Signed
from exchange.journal.deliveries import DeliveryKey
from exchange.journal.examine import Standing, examine
from exchange.journal.facts import read_fact
from exchange.journal.findings import FindingCode
from exchange.journal.ledger import Entry
from exchange.services.router.writes import Transaction
from exchange.wire.records import decode, encode
from tests.journal.synthetic import SyntheticJournal
from tests.world import Speaker, World

BODIES = ("alpha", "beta", "gamma", TRACKER_BODY, CONSOLE_BODY, ARCHIVE_BODY)
TEXT = "щ" * 1001
Said = Callable[[Speaker, Signed, bytes], Signed]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Bodies and services."""
    return World(tmp_path_factory.mktemp("commands"), BODIES)


@pytest.fixture
def journal(world: World) -> SyntheticJournal:
    """An empty journal."""
    return SyntheticJournal(world)


def refusal(journal: SyntheticJournal, body: str, said: Said) -> str:
    """Why what a body says about a letter of alpha's to beta is refused; empty when it is taken."""
    letter = journal.letter("alpha", "beta")
    journal.say(body, said(journal.speaker(body), letter, journal.record_of(letter)))
    fact = read_fact(journal.records[-1])
    return fact.reason if isinstance(fact, StatementRefused | LetterFact) else ""


def test_what_stands_in_the_journal(journal: SyntheticJournal) -> None:
    """Both stand in the letter's partition, with what they name; of an act about no letter only that it was."""
    letter = journal.letter("alpha", "beta")
    journal.say(TRACKER_BODY, journal.speaker(TRACKER_BODY).deadline(letter, "alpha", "beta"))
    late = read_fact(journal.records[-1])
    record = journal.record_of(letter)
    journal.say(CONSOLE_BODY, journal.speaker(CONSOLE_BODY).redrive(letter, "beta", record))
    redriven = read_fact(journal.records[-1])
    journal.say(CONSOLE_BODY, journal.speaker(CONSOLE_BODY).act("view", detail="a\nb", recipient="beta"))
    seen = read_fact(journal.records[-1])
    assert isinstance(late, DeadlineFact)
    assert isinstance(redriven, CommandFact)
    assert isinstance(seen, CommandFact)
    assert (late.letter, late.stage, late.notify) == (letter.digest, "register", ("alpha", "beta"))
    assert (redriven.letter, redriven.action, redriven.second) == (letter.digest, "redrive", "osmonov")
    assert (seen.letter, seen.detail, seen.recipient) == (None, "a b", "beta")
    place = journal_partition(letter.digest, journal.world.journal_partitions)
    assert {late.position.partition, redriven.position.partition} == {place}


@pytest.mark.parametrize(
    ("body", "said", "reason"),
    [
        (TRACKER_BODY, lambda me, letter, _: me.deadline(letter, "alpha", "beta"), ""),
        (TRACKER_BODY, lambda me, letter, _: me.deadline(letter, "alpha", "beta", notify=()), ""),
        (TRACKER_BODY, lambda me, _letter, _record: me.act(), Reason.KIND_FORBIDDEN),
        (TRACKER_BODY, lambda me, _letter, _record: me.letter("beta"), Reason.KIND_FORBIDDEN),
        (ARCHIVE_BODY, lambda me, _letter, _record: me.act("archive-begin-anew"), ""),
        (ARCHIVE_BODY, lambda me, letter, _: me.act("delete-contents", letter=letter.digest), Reason.KIND_FORBIDDEN),
        (ARCHIVE_BODY, lambda me, letter, record: me.redrive(letter, "beta", record), Reason.KIND_FORBIDDEN),
        (CONSOLE_BODY, lambda me, letter, _: me.deadline(letter, "alpha", "beta"), Reason.KIND_FORBIDDEN),
        (CONSOLE_BODY, lambda me, letter, _: me.receipt(letter, "alpha", Event.REGISTERED), Reason.KIND_FORBIDDEN),
        ("beta", lambda me, letter, _: me.deadline(letter, "alpha", "beta"), Reason.KIND_FORBIDDEN),
        ("beta", lambda me, letter, record: me.redrive(letter, "beta", record), Reason.KIND_FORBIDDEN),
        *(
            (TRACKER_BODY, lambda me, letter, _, changes=changes: me.deadline(letter, "alpha", "beta", **changes),
             Reason.COMMAND_INVALID)
            for changes in (
                {"stage": "never"},
                {"sender": "Альфа"},
                {"notify": ("gamma",)},
                {"notify": ("beta", "beta")},
                {"through": World.now},
            )
        ),
        *(
            (CONSOLE_BODY, lambda me, _letter, _record, changes=changes: me.act(**changes), Reason.COMMAND_INVALID)
            for changes in (
                {"action": "Sign in"},
                {"action": "redrive"},
                {"person": ""},
                {"person": "a" * 201},
                {"reason": TEXT},
                {"detail": TEXT},
                {"recipient": "two words"},
            )
        ),
        (CONSOLE_BODY, lambda me, letter, record: me.redrive(letter, "beta", record, action="view"),
         Reason.COMMAND_INVALID),
        (CONSOLE_BODY, lambda me, letter, record: me.redrive(letter, "gamma", record), Reason.REDRIVE_MISMATCH),
        (CONSOLE_BODY, lambda me, letter, record: me.redrive(letter, "beta", record, letter=digest(b"")),
         Reason.REDRIVE_MISMATCH),
        (CONSOLE_BODY, lambda me, letter, _: me.redrive(letter, "beta", letter.statement), Reason.REDRIVE_MISMATCH),
        (CONSOLE_BODY, lambda me, letter, record: me.redrive(letter, "beta", record[:-1]), Reason.REDRIVE_MISMATCH),
        (CONSOLE_BODY, lambda me, letter, record: me.redrive(letter, "nobody", record), Reason.RECIPIENT_UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_taken(journal: SyntheticJournal, body: str, said: Said, reason: str) -> None:
    """Each says its own, in bounded words; a redrive carries the letter that it names, for one of its recipients."""
    assert refusal(journal, body, said) == reason


def test_a_refused_letter_is_not_redriven(journal: SyntheticJournal) -> None:
    """What was never accepted is not handed over by an operator's word."""
    refused = journal.letter("alpha", "nobody")
    said = journal.speaker(CONSOLE_BODY).redrive(refused, "beta", journal.record_of(refused))
    journal.say(CONSOLE_BODY, said)
    fact = read_fact(journal.records[-1])
    assert isinstance(fact, StatementRefused)
    assert fact.reason == Reason.REDRIVE_MISMATCH


def test_nobody_writes_to_a_service(journal: SyntheticJournal) -> None:
    """Alone it is refused; a group goes past it."""
    journal.letter("alpha", TRACKER_BODY)
    refused = journal.facts()[-1]
    assert getattr(refused, "reason", "") == Reason.RECIPIENT_NOT_CONNECTED


def test_each_word_has_its_lane(world: World) -> None:
    """In the other kind of lane it moves nothing, whoever could write it there."""
    for body, lane in ((CONSOLE_BODY, 0), ("alpha", world.lanes)):
        submission = replace(world.submission(world.speaker(body).open(), body=body), partition=lane)
        examined = examine(submission, world.ground, world.now)
        assert examined.refusal is not None
        assert (examined.standing, examined.refusal.reason) == (Standing.DEAD, Reason.WRONG_LANE)


def test_a_redrive_s_letter_goes_to_the_inbox_alone(journal: SyntheticJournal) -> None:
    """The journal has it already."""
    letter = journal.letter("alpha", "beta")
    record = journal.record_of(letter)
    journal.speaker(CONSOLE_BODY)
    said, ledger = journal.speakers[CONSOLE_BODY].redrive(letter, "beta", record), journal.ledgers[journal.world.lanes]
    submission = journal.world.submission(said, ledger.state.offset, CONSOLE_BODY)
    entry = ledger.take(examine(submission, ledger.ground, journal.now), journal.now)
    assert isinstance(entry, Entry)
    transaction = Transaction(ledger.lane, journal.world.journal_partitions)
    transaction.add(entry)
    (journalled,) = [records for (topic, _), records in transaction.writes.items() if "journal" in topic]
    (delivered,) = transaction.writes["exchange.inbox.beta", 0]
    assert decode(Journalled, journalled[0].value or b"") == Journalled(entry.entry, ())
    assert decode(Journalled, delivered.value or b"").contents[0].data == record


def told(world: World) -> SyntheticJournal:
    """A letter that was late, was redriven and registered then; ticks between."""
    journal = SyntheticJournal(world)
    letter = journal.letter("alpha", "beta")
    journal.tick()
    journal.say(TRACKER_BODY, journal.speaker(TRACKER_BODY).deadline(letter, "alpha", "beta"))
    journal.tick(waiting=1)
    console = journal.speaker(CONSOLE_BODY)
    journal.say(CONSOLE_BODY, console.redrive(letter, "beta", journal.record_of(letter)))
    journal.say(CONSOLE_BODY, console.redrive(letter, "gamma", journal.record_of(letter)))
    journal.say(CONSOLE_BODY, console.act())
    journal.registered("beta", letter, "alpha", "77")
    journal.tick()
    return journal


def replayed(journal: SyntheticJournal) -> tuple[list[FindingCode], set[DeliveryKey]]:
    """What an auditor finds, and the deliveries."""
    report, states = journal.replayed()
    return [finding.code for finding in report.findings], set(states)


def test_replay_finds_nothing(world: World) -> None:
    """Ticks, deadlines and commands are decided again like everything; a redrive without what it carried."""
    journal = told(world)
    report, states = journal.replayed()
    assert report.findings == []
    lanes = world.all_lanes * world.journal_partitions
    assert (report.kinds["tick"], report.kinds["deadline"], report.kinds["command"]) == (3 * lanes, 1, 3)
    assert [(recipient, state.reg_number) for (_, recipient), state in states.items()] == [("beta", "77")]
    idle = [fact.idle for fact in journal.facts() if isinstance(fact, TickFact)]
    assert idle == [True] * lanes + [False] * lanes + [True] * lanes


def test_replay_finds_what_was_altered(world: World, tmp_path: Path) -> None:
    """A command's words, a verdict, a tick that is gone: each is found."""
    assert tmp_path.exists()
    whole = told(world).records
    for index, record in enumerate(whole):
        journal = SyntheticJournal(world)
        fact = read_fact(record)
        carried = decode(Journalled, record.value)
        if isinstance(fact, TickFact):
            journal.records = [*whole[:index], *whole[index + 1 :]]
            expected = FindingCode.LANE_GAP
            if not any(
                isinstance(other := read_fact(after), TickFact) and other.lane == fact.lane
                for after in whole[index + 1 :]
            ):
                continue  # behind the last entry of a lane nothing says that there was one more
        elif isinstance(fact, CommandFact):
            decided = decode(Decided, carried.entry)
            command = replace(decode(Command, decided.statement), person="somebody")
            altered = Journalled(encode(replace(decided, statement=encode(command))), ())
            journal.records = [*whole[:index], replace(record, value=encode(altered)), *whole[index + 1 :]]
            expected = FindingCode.STATEMENT_DIGEST
        else:
            continue
        assert expected in replayed(journal)[0], index


def test_nothing_is_decided_before_a_tick_that_it_stands_behind(world: World) -> None:
    """A router that says that it was further than it was is found out."""
    journal = SyntheticJournal(world)
    speaker = journal.speaker("alpha")
    ledger = next(ledger for ledger in journal.ledgers.values() if ledger.state.offset == 1)
    ledger._offset += 5
    journal.tick()
    ledger._offset -= 5
    journal.say("alpha", speaker.letter("beta"))
    assert FindingCode.SUBMISSION_DISORDER in replayed(journal)[0]
