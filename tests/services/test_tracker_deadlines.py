"""Deadlines are said once, by the journal's own time, whatever dies, is lost or jumps meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from exchange.agent.drafts import DraftDeadline
from exchange.domain.deadline import Stage
from exchange.domain.decision import Decided, Decision, Journalled, Place, Tick, Verdict
from exchange.domain.delivery import Delivery
from exchange.domain.errors import SpoolError
from exchange.domain.event import Event
from exchange.domain.fact import DeadlineFact
from exchange.domain.ids import ZERO_DIGEST, digest, journal_partition
from exchange.domain.statement import Deadline, Head, Signed
from exchange.journal.facts import read_fact
from exchange.services.tracker import deadlines, service
from exchange.services.tracker.deadlines import Deadlines
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.store import queries
from exchange.store.database import Store
from exchange.wire.records import encode
from tests.journal.synthetic import STEP, SyntheticJournal
from tests.services.journal_fake import FakeJournal, as_taken
from tests.services.terms_fake import FakeTerms
from tests.services.test_tracker import until
from tests.store.support import empty_store
from tests.world import NOW, World

MINUTE = timedelta(minutes=1)
LANES = 2
COMMANDS = LANES
"""The lane of the services."""


@dataclass
class Town:
    """Two bodies, a journal in memory, and routers that do what the test tells them.

    What speakers say waits in `submitted` until `decide` journals it.
    """

    journal: SyntheticJournal
    fake: FakeJournal = field(default_factory=FakeJournal)
    submitted: list[DraftDeadline] = field(default_factory=list)
    numbers: int = 0

    def letter(self) -> Signed:
        """From alpha to beta, at the journal's present time."""
        letter = self.journal.letter("alpha", "beta")
        self.show()
        return letter

    def receipt(self, letter: Signed, event: Event) -> None:
        """Of beta."""
        self.journal.receipt("beta", letter, "alpha", event)
        self.show()

    def tick(self, at: datetime, lanes: tuple[int, ...] = (0, 1, COMMANDS), arrived: datetime | None = None) -> None:
        """These lanes tick in every partition at that time, idle, or busy with what `arrived` just then."""
        self.journal.now = at - STEP  # what it journals comes so much later
        for lane in lanes:
            for partition in range(self.journal.world.journal_partitions):
                self.numbers += 1
                place = Place(lane, self.numbers, ZERO_DIGEST)
                entry = encode(Tick(place, at, 0, arrived, arrived is None))
                self.journal.append(partition, encode(Journalled(entry, ())))
        self.show()

    def decide(self) -> None:
        """Journal everything that was said."""
        for draft in self.submitted:
            self.numbers += 1
            head = Head(bytes(32), "exchange-tracker", bytes(16), self.numbers, ZERO_DIGEST, self.journal.now)
            parties = (draft.sender, draft.recipient, draft.stage.value)
            said = encode(Deadline(head, draft.letter, *parties, draft.due, draft.through, draft.policy, draft.notify))
            decision = Decision(
                place=Place(COMMANDS, self.numbers, ZERO_DIGEST),
                partition=COMMANDS,
                offset=self.numbers,
                arrived=self.journal.now,
                decided=self.journal.now,
                directory_version=1,
                directory_digest=ZERO_DIGEST,
                policy_digest=ZERO_DIGEST,
                statement=digest(said),
                verdict=Verdict.ACCEPTED,
                reason="",
                detail="",
                recipients=draft.notify,
            )
            self.journal.write(draft.letter, Journalled(encode(Decided(decision, said, b"signature")), ()))
        self.submitted.clear()
        self.show()

    def show(self) -> None:
        """Readers see what is there."""
        self.fake.records = [as_taken(record) for record in self.journal.records]

    @property
    def said(self) -> list[tuple[str, str]]:
        """What the journal says has passed."""
        facts = map(read_fact, self.journal.records)
        return [(fact.recipient, fact.stage) for fact in facts if isinstance(fact, DeadlineFact)]


@dataclass
class FakeSpeaker:
    """Says a key once, as a spool does; `failures` are raised by the next calls."""

    town: Town
    keys: set[str] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)

    async def say(self, key: str, draft: DraftDeadline) -> bool:
        """Submit it unless it was said."""
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        new = key not in self.keys
        if new:
            self.keys.add(key)
            self.town.submitted.append(draft)
        return new


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    """With nothing in it."""
    monkeypatch.setattr(deadlines, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(service, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(service, "STAND_BY_SECONDS", 0.05)
    return Town(SyntheticJournal(World(tmp_path / "world", bodies=("alpha", "beta"))))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with empty_store(tmp_path / "tracker.db") as opened:
        yield opened


def made(town: Town, store: Store, speaker: FakeSpeaker) -> tuple[Tracker, CollectorRegistry]:
    """A tracker that says deadlines; its own clock shows anything."""
    registry, terms, random = CollectorRegistry(), FakeTerms(), Random(3)
    metrics = TrackerMetrics(registry)
    saying = Deadlines(store, terms, LANES, speaker, metrics.deadlines)

    def clock() -> datetime:
        return NOW + timedelta(days=random.randint(-9_000, 9_000))

    return Tracker(town.fake.open, store, 2, metrics, clock, terms, saying), registry


@asynccontextmanager
async def at_work(town: Town, store: Store, speaker: FakeSpeaker) -> AsyncIterator[tuple[Tracker, CollectorRegistry]]:
    """A tracker that has caught up, until the end of the context."""
    tracker, registry = made(town, store, speaker)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(tracker.run())
        await until(lambda: not tracker.waiting_for)
        yield tracker, registry
        task.cancel()


async def folded(town: Town, *stores: Store) -> None:
    """Wait until everything was taken, and several rounds went by."""
    ends = {partition: end - 2 for partition, end in town.journal.ends.items()}
    await until(
        lambda: all(
            {at: row.position for at, row in store.positions("exchange.journal").items()} == ends for store in stores
        )
    )
    await asyncio.sleep(0.1)


def state(store: Store, letter: Signed) -> Delivery:
    """Of the letter's one delivery."""
    with store.reading() as connection:
        story = queries.timeline(connection, letter.digest)
    assert story is not None
    return story.deliveries[0].delivery


async def test_a_body_that_is_silent(town: Town, store: Store) -> None:
    """Said once, with what gave it; then it stands in the journal, beside the state, and in the metrics."""
    letter, speaker = town.letter(), FakeSpeaker(town)
    async with at_work(town, store, speaker) as (_, registry):
        for minute in (1, 2, 14, 15):
            town.tick(NOW + minute * MINUTE)
        await folded(town, store)
        assert town.submitted == []
        town.tick(NOW + 16 * MINUTE)
        town.tick(NOW + 17 * MINUTE)
        await until(lambda: town.submitted != [])
        await folded(town, store)
        (draft,) = town.submitted
        assert (draft.recipient, draft.stage, draft.notify) == ("beta", Stage.DELIVER, ("alpha", "beta"))
        assert draft.due < draft.through == NOW + 16 * MINUTE
        assert draft.policy == FakeTerms().in_force.policy
        await until(lambda: registry.get_sample_value("exchange_deadlines_unheard") == 1)
        town.decide()
        town.tick(NOW + 40 * MINUTE)
        await folded(town, store)
        await until(lambda: registry.get_sample_value("exchange_deadlines_unheard") == 0)
        await until(lambda: registry.get_sample_value("exchange_deadlines_total", {"stage": "deliver"}) == 1)
        await until(lambda: registry.get_sample_value("exchange_deliveries_total", {"outcome": "late"}) == 1)
        await until(lambda: registry.get_sample_value("exchange_overdue", {"stage": "deliver"}) == 1)
        through = registry.get_sample_value("exchange_tracker_through_timestamp_seconds")
        assert through == (NOW + 17 * MINUTE).timestamp()
    assert town.said == [("beta", "deliver")]
    assert (state(store, letter).late, state(store, letter).overdue) == (frozenset({Stage.DELIVER}), True)


async def test_each_stage_in_its_turn(town: Town, store: Store) -> None:
    """What comes late is taken all the same, and its next stage has a deadline of its own."""
    letter, speaker = town.letter(), FakeSpeaker(town)
    async with at_work(town, store, speaker) as (_, registry):
        for minute in (1, 20, 30):
            town.tick(NOW + minute * MINUTE)
        await until(lambda: town.submitted != [])
        town.decide()
        town.receipt(letter, Event.DELIVERED)
        for minute in (40, 120, 130):
            town.tick(NOW + minute * MINUTE)
        await until(lambda: town.submitted != [])
        town.decide()
        await folded(town, store)
        await until(lambda: registry.get_sample_value("exchange_overdue", {"stage": "hand-over"}) == 1)
    assert town.said == [("beta", "deliver"), ("beta", "hand-over")]
    assert registry.get_sample_value("exchange_deliveries_total", {"outcome": "late"}) == 1


async def test_what_came_late_while_nobody_looked_is_said_all_the_same(town: Town, store: Store) -> None:
    """No tracker ran from before the time until after the receipt; it's said once, and again after a loss only once."""
    letter, speaker = town.letter(), FakeSpeaker(town)
    town.tick(NOW + 1 * MINUTE)
    town.tick(NOW + 20 * MINUTE)
    town.journal.now = town.journal.world.now = NOW + 30 * MINUTE
    town.receipt(letter, Event.DELIVERED)
    for minute in (40, 41):
        town.tick(NOW + minute * MINUTE)
    async with at_work(town, store, speaker):
        town.tick(NOW + 42 * MINUTE)
        town.tick(NOW + 43 * MINUTE)
        await until(lambda: town.submitted != [])
        town.decide()
        await folded(town, store)
    store.drop()
    store.migrate()
    async with at_work(town, store, FakeSpeaker(town)):
        town.tick(NOW + 44 * MINUTE)
        town.tick(NOW + 45 * MINUTE)
        await folded(town, store)
    assert town.said == [("beta", "deliver")]
    assert (state(store, letter).late, state(store, letter).overdue) == (frozenset({Stage.DELIVER}), False)
    assert town.submitted == []


async def test_a_receipt_that_waits_behind_a_stopped_router_is_not_late(town: Town, store: Store) -> None:
    """Its lane does not tick; when it goes on it decides first what arrived in time (rule 4.3)."""
    letter, speaker = town.letter(), FakeSpeaker(town)
    async with at_work(town, store, speaker):
        town.tick(NOW + 1 * MINUTE)
        town.tick(NOW + 2 * MINUTE)
        for minute in (30, 300, 301):
            town.tick(NOW + minute * MINUTE, lanes=(0, COMMANDS))
        await folded(town, store)
        assert town.submitted == []
        town.receipt(letter, Event.DELIVERED)
        town.tick(NOW + 302 * MINUTE, arrived=NOW + 10 * MINUTE)
        town.tick(NOW + 303 * MINUTE)
        await folded(town, store)
    assert town.submitted == []
    assert town.said == []
    assert state(store, letter).late == frozenset()


async def test_killed_between_saying_and_the_journal(town: Town, store: Store) -> None:
    """The next one says it under the same key, which its spool knows."""
    town.letter()
    speaker = FakeSpeaker(town)
    async with at_work(town, store, speaker):
        for minute in (1, 20, 30):
            town.tick(NOW + minute * MINUTE)
        await until(lambda: town.submitted != [])
    async with at_work(town, store, speaker):
        town.tick(NOW + 31 * MINUTE)
        town.tick(NOW + 32 * MINUTE)
        await folded(town, store)
        assert len(town.submitted) == 1
        town.decide()
        await folded(town, store)
    assert town.said == [("beta", "deliver")]


async def test_database_and_spool_lost_while_it_was_on_its_way(town: Town, store: Store) -> None:
    """Nothing is said before the services' lane has shown all that it was given before."""
    letter = town.letter()
    async with at_work(town, store, FakeSpeaker(town)):
        for minute in (1, 20, 30):
            town.tick(NOW + minute * MINUTE)
        await until(lambda: town.submitted != [])
    store.drop()
    store.migrate()
    async with at_work(town, store, FakeSpeaker(town)):
        town.tick(NOW + 31 * MINUTE)
        await folded(town, store)
        town.tick(NOW + 32 * MINUTE, lanes=(0, 1))
        await folded(town, store)
        assert len(town.submitted) == 1
        town.decide()
        town.tick(NOW + 33 * MINUTE)
        town.tick(NOW + 34 * MINUTE)
        await folded(town, store)
    assert town.said == [("beta", "deliver")]
    assert town.submitted == []
    assert state(store, letter).late == {Stage.DELIVER}


async def test_a_spool_that_is_full_is_tried_again(town: Town, store: Store) -> None:
    """What cannot be said at all is left alone, and the others are said."""
    town.letter()
    speaker = FakeSpeaker(town, failures=[SpoolError("full", code="spool-full", retriable=True)])
    async with at_work(town, store, speaker):
        for minute in (1, 20, 30):
            town.tick(NOW + minute * MINUTE)
        await until(lambda: town.submitted != [])
        town.decide()
        await folded(town, store)
        town.letter()
        speaker.failures.append(SpoolError("no"))
        for minute in (60, 120, 130):
            town.tick(NOW + minute * MINUTE)
        await folded(town, store)
        await until(lambda: speaker.failures == [])
        await folded(town, store)
    assert town.submitted == []


@pytest.mark.server
async def test_two_trackers_of_which_one_dies(town: Town, postgres: str) -> None:
    """Each says what is late in its partitions; the other goes on with them, and nothing is said twice."""
    letters = [town.letter()]
    while len({journal_partition(letter.digest, 2) for letter in letters}) < 2:  # each tracker has something to say
        letters.append(town.letter())
    speakers = [FakeSpeaker(town), FakeSpeaker(town)]
    with Store(postgres) as first, Store(postgres) as second:
        first.drop()
        tasks = {}
        for store, speaker in zip((first, second), speakers, strict=True):
            tracker, _ = made(town, store, speaker)
            tasks[tracker] = asyncio.create_task(tracker.run())
        await until(lambda: sorted(len(tracker.status.held) for tracker in tasks) == [1, 1])
        await until(lambda: not any(tracker.waiting_for for tracker in tasks))
        for minute in (1, 2, 20, 30):
            town.tick(NOW + minute * MINUTE)
            await folded(town, first)
        await until(lambda: len(town.submitted) == len(letters))
        assert all(speaker.keys for speaker in speakers)
        dying = next(iter(tasks))
        tasks.pop(dying).cancel()
        (staying,) = tasks
        await until(lambda: len(staying.status.held) == 2)
        town.tick(NOW + 40 * MINUTE)
        await folded(town, first)
        assert len(town.submitted) == len(letters)
        town.decide()
        for minute in (50, 51, 52):
            town.tick(NOW + minute * MINUTE)
        await folded(town, first)
        assert town.submitted == []
        assert town.said == [("beta", "deliver")] * len(letters)
        tasks[staying].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        first.drop()
