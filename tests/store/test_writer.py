"""What the tracker's tables hold after facts were taken: the fold, whatever the batches were."""

import dataclasses
import itertools
import pickle
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Position, State
from exchange.domain.event import Event
from exchange.domain.fact import Course, DeadlineFact, FlagCode, LetterFact
from exchange.domain.ids import journal_partition
from exchange.domain.reason import Reason
from exchange.domain.statement import Signed
from exchange.journal.facts import JournalRecord, read_fact
from exchange.journal.findings import compare
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreConflict
from exchange.store.rows import PositionRow, position_at
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import TOPIC, counts, fill, flags, reached, take, terms_of
from tests.world import NOW, World


@pytest.fixture(scope="module")
def expected(journal: SyntheticJournal, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the story taken as one batch."""
    return folded(journal.records, tmp_path_factory.mktemp("expected"))


def folded(records: list[JournalRecord], folder: Path) -> str:
    """Digest of a fresh SQLite store that took `records` at once."""
    with Store(f"sqlite:///{folder}/fresh.db") as store:
        store.migrate()
        if records:
            take(store, records)
        return store.digest()


def test_states_of_the_story(store: Store, journal: SyntheticJournal) -> None:
    """Registered, refused, in work and rejected, each once."""
    taken = take(store, journal.records)
    with store.reading() as connection:
        assert counts(connection) == {
            State.REGISTERED: 1,
            State.REFUSED: 1,
            State.IN_WORK: 1,
            State.REJECTED: 1,
        }
        found = {flag.code: flag for flag in flags(connection)}
    assert set(found) == {FlagCode.NOT_ADDRESSED, FlagCode.CONTRADICTED, FlagCode.STATEMENT_REFUSED}
    assert (found[FlagCode.NOT_ADDRESSED].body, found[FlagCode.CONTRADICTED].body) == ("beta", "alpha")
    assert len(taken.letters) == 3
    assert len([move for move in taken.moves if move.before is None]) == 4


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_batches_do_not_matter(store: Store, journal: SyntheticJournal, expected: str, batch: int) -> None:
    """One record at a time or all at once, SQLite or PostgreSQL: the same rows."""
    fill(store, journal.records, batch)
    assert store.digest() == expected


def test_partitions_do_not_wait_for_each_other(store: Store, journal: SyntheticJournal, expected: str) -> None:
    """One partition after the other gives the same as interleaved."""
    fill(store, sorted(journal.records, key=lambda record: -record.position.partition), 4)
    assert store.digest() == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=6)
@given(cuts=st.lists(st.integers(0, 22), max_size=4))
def test_any_cuts_give_the_same(
    journal: SyntheticJournal, expected: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """Batches of any sizes."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('cut')}/cut.db") as store:
        store.migrate()
        edges = [0, *sorted(cuts), len(journal.records)]
        for start, end in itertools.pairwise(edges):
            if start < end:
                take(store, journal.records[start:end])
        assert store.digest() == expected


def test_dropped_and_rebuilt(store: Store, journal: SyntheticJournal, expected: str) -> None:
    """The journal holds everything: what is dropped comes back identical."""
    fill(store, journal.records, 5)
    store.drop()
    store.migrate()
    assert list(store.dump()) == []
    fill(store, journal.records, 3)
    assert store.digest() == expected


def test_equals_the_replay(store: Store, journal: SyntheticJournal) -> None:
    """What the auditor folds from the journal alone is what the tracker says, what is due included."""
    fill(store, journal.records, 4, terms_of(journal.world))
    _, states = journal.replayed()
    assert any(delivery.stage is Stage.REPLY and delivery.began for delivery in states.values())
    with store.reading() as connection:
        assert compare(states, queries.tracked(connection)) == []


def test_positions_are_stored_with_the_facts(store: Store, journal: SyntheticJournal) -> None:
    """Offset and digest of the last record of each partition."""
    fill(store, journal.records, 4)
    stored = store.positions(TOPIC)
    assert sorted(stored.values()) == sorted(reached(journal.records))
    assert store.positions("exchange.other") == {}


def test_second_tracker_is_found_out(store: Store, journal: SyntheticJournal) -> None:
    """Facts that are there already are refused, and nothing of the batch stays."""
    take(store, journal.records[:10])
    before = store.digest()
    with pytest.raises(StoreConflict) as caught:
        take(store, journal.records[8:])
    assert (caught.value.code, caught.value.retriable) == ("store-position-moved", False)
    assert store.digest() == before


def test_letter_repeated_in_the_journal(store: Store, journal: SyntheticJournal) -> None:
    """The same statement journalled twice is flagged, in the same batch or a later one."""
    letters = [record for record in journal.records if isinstance(read_fact(record), LetterFact)]
    for repetition in range(3):
        moved = [
            dataclasses.replace(record, position=Position(5, 10 * repetition + at)) for at, record in enumerate(letters)
        ]
        take(store, [*moved, dataclasses.replace(moved[0], position=Position(5, 10 * repetition + 9))])
    with store.reading() as connection:
        found = [flag.code for flag in flags(connection)]
    assert found == [FlagCode.LETTER_REPEATED] * 9
    assert sum(line.startswith('["letters"') for line in store.dump()) == len(letters) == 3


def test_bytes_that_are_no_record_are_flagged(store: Store, journal: SyntheticJournal) -> None:
    """Somebody wrote into the journal: it is shown, and the tracker goes on."""
    junk = JournalRecord(Position(0, 500), journal.now, b"junk")
    take(store, [*journal.records, junk])
    with store.reading() as connection:
        (flag,) = [flag for flag in flags(connection) if flag.code == FlagCode.UNREADABLE]
    assert (position_at(flag.place), flag.about) == (Position(0, 500), b"")


def test_receipts_of_one_letter_from_many(store: Store, tmp_path: Path) -> None:
    """Each recipient's delivery goes its own way."""
    world = World(tmp_path / "many", bodies=("alpha", "beta", "gamma", "delta", "epsilon"))
    journal = SyntheticJournal(world)
    recipients = ("beta", "gamma", "delta", "epsilon")
    letter = journal.letter("alpha", *recipients)
    for number, body in enumerate(recipients):
        for event in [Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED][:number]:
            journal.receipt(body, letter, "alpha", event, reg_number=f"n-{number}")
    fill(store, journal.records, 2)
    with store.reading() as connection:
        story = queries.timeline(connection, letter.digest)
    assert story is not None
    assert {part.recipient: part.delivery.state for part in story.deliveries} == {
        "beta": State.ACCEPTED,
        "gamma": State.DELIVERED,
        "delta": State.HANDED_OVER,
        "epsilon": State.REGISTERED,
    }


def said(letter: Signed, recipient: str, stage: str, offset: int, sender: str = "alpha") -> DeadlineFact:
    """That a stage's deadline has passed."""
    at = NOW + timedelta(hours=offset)
    return DeadlineFact(
        position=Position(journal_partition(letter.digest, 2), 1000 + offset),
        statement=bytes([offset]) * 32,
        body="exchange-tracker",
        letter=letter.digest,
        sender=sender,
        recipient=recipient,
        stage=stage,
        due=NOW,
        through=at,
        policy=b"p" * 32,
        notify=(sender,),
        course=Course(at, at, at, at),
    )


def test_deadlines_that_passed(store: Store, tmp_path: Path) -> None:
    """Beside the state, once for each stage, in the timeline; what is of no delivery is flagged."""
    journal = SyntheticJournal(World(tmp_path / "late", bodies=("alpha", "beta", "gamma")))
    letter = journal.letter("alpha", "beta", "gamma")
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    fill(store, journal.records, 2, terms_of(journal.world))
    facts = [
        said(letter, "beta", Stage.DELIVER, 1),
        said(letter, "beta", Stage.HAND_OVER, 2),
        said(letter, "beta", Stage.HAND_OVER, 3),
        said(letter, "gamma", "no-such-stage", 4),
        said(letter, "delta", Stage.DELIVER, 5),
        said(letter, "gamma", Stage.DELIVER, 6, sender="beta"),
    ]
    for fact in facts:
        at = PositionRow(TOPIC, fact.position.partition, fact.position.offset, b"d" * 32)
        store.take([fact], [at], terms=terms_of(journal.world))
    with store.reading() as connection:
        story = queries.timeline(connection, letter.digest)
    assert story is not None
    beta, gamma = (part.delivery for part in story.deliveries)
    assert (beta.state, beta.late, beta.overdue) == (State.DELIVERED, frozenset({Stage.DELIVER, Stage.HAND_OVER}), True)
    assert (gamma.state, gamma.late, gamma.overdue) == (State.ACCEPTED, frozenset(), False)
    assert beta.due is not None
    assert beta.began is not None
    assert beta.due - beta.began == timedelta(hours=1)
    assert gamma.due == story.letter.journalled + timedelta(minutes=15)
    late = [step.reason for step in story.deliveries[0].steps if step.event == Event.EXPIRED]
    assert late == [Reason.NOT_DELIVERED_IN_TIME, *[Reason.NOT_HANDED_OVER_IN_TIME] * 2]
    assert [flag.code for flag in story.flags] == [FlagCode.DEADLINE_IGNORED] * 3


KILLED = """
import os, pickle, signal, sys
import sqlalchemy as sa
from exchange.store.database import Store
from tests.store.support import fill

url, records, statements = sys.argv[1], sys.argv[2], int(sys.argv[3])
executed = 0

def die(*_):
    global executed
    executed += 1
    if executed == statements:
        os.kill(os.getpid(), signal.SIGKILL)

with Store(url) as store:
    sa.event.listen(store._engine, "before_cursor_execute", die)
    with open(records, "rb") as file:
        fill(store, pickle.load(file), 4)
"""


@pytest.mark.parametrize("statements", [10, 31])
def test_killed_in_the_middle_of_a_batch(
    url: str, store: Store, journal: SyntheticJournal, expected: str, tmp_path: Path, statements: int
) -> None:
    """After kill -9 the state is exactly the fold up to the stored position, and goes on from there."""
    records = tmp_path / "records"
    records.write_bytes(pickle.dumps(journal.records))
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(records), str(statements)], check=False)
    assert killed.returncode == -signal.SIGKILL
    stored = store.positions(TOPIC)
    taken: list[JournalRecord] = []
    left: list[JournalRecord] = []
    for record in journal.records:
        place = record.position
        done = place.partition in stored and place.offset <= stored[place.partition].position
        (taken if done else left).append(record)
    assert left
    assert store.digest() == folded(taken, tmp_path)
    fill(store, left, 4)
    assert store.digest() == expected
