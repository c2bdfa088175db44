"""The tracker follows the journal into its store, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.bus.connection import aiokafka_options
from exchange.bus.errors import PositionLost
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL
from exchange.domain.delivery import State
from exchange.domain.event import Event
from exchange.domain.fact import FlagCode
from exchange.embedded import EmbeddedPostgres
from exchange.journal.findings import FindingCode
from exchange.journal.replay import Replay
from exchange.security.errors import KeyRefused
from exchange.services.reading import JournalIncomplete
from exchange.services.replay import Asked, audit
from exchange.services.tracker import service
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.rows import position_at
from exchange.store.schema import deliveries
from exchange.store.writer import Taken
from tests.journal.synthetic import SyntheticJournal, story
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster
from tests.services.journal_fake import FakeJournal, as_taken, poisoned, unavailable
from tests.services.terms_fake import FakeTerms
from tests.store.support import counts, empty_store, flags, frozen
from tests.world import World


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("tracker")))


@pytest.fixture
def fake(journal: SyntheticJournal) -> FakeJournal:
    """The story as a reader gives it."""
    return FakeJournal(records=[as_taken(record) for record in journal.records])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with empty_store(tmp_path / "tracker.db") as opened:
        yield opened


@pytest.fixture
def registry() -> CollectorRegistry:
    """Metrics of one process."""
    return CollectorRegistry()


@pytest.fixture
def tracker(fake: FakeJournal, store: Store, registry: CollectorRegistry) -> Tracker:
    """A tracker of the story."""
    return Tracker(fake.open, store, fake.partitions, TrackerMetrics(registry), system.now, FakeTerms())


@asynccontextmanager
async def running(tracker: Tracker) -> AsyncIterator[None]:
    """The tracker at work until the end of the context; if it ends before, so does the test."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(tracker.run())
        yield
        task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a service that is at work will bring about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # the service has no event to wait for
            await asyncio.sleep(0.01)


async def until_ready(tracker: Tracker) -> None:
    """Wait until it has caught up."""
    await until(lambda: not tracker.waiting_for)


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)], indirect=True)
async def test_batches_before_a_failure_count(
    url: str, fake: FakeJournal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several are read at once: those that were stored stay, are counted, and the next ones follow them."""
    monkeypatch.setattr(service, "BATCH_RECORDS", 1)
    with Interrupted(url) as interrupted:
        interrupted.drop()
        interrupted.migrate()
        tracker = Tracker(fake.open, interrupted, fake.partitions, TrackerMetrics(CollectorRegistry()), system.now)
        with pytest.raises(StoreError):
            await tracker.catch_up()
        assert tracker.status.facts == 3
        assert await tracker.catch_up() == len(fake.records) - 3
        whole = Tracker(fake.open, store, fake.partitions, TrackerMetrics(CollectorRegistry()), system.now)
        await whole.catch_up()
        assert interrupted.digest() == store.digest()
        interrupted.drop()


class Interrupted(Store):
    """Does not take the fourth batch at the first time."""

    calls = 0

    def take(self, *arguments: Any, **named: Any) -> Taken:
        """As the store, but once."""
        self.calls += 1
        if self.calls == 4:
            raise StoreError("away for a moment", retriable=True)
        return super().take(*arguments, **named)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of another database, of the kind that is asked for."""
    found: str = (
        request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path}/other.db"
    )
    return found


async def test_catches_up(tracker: Tracker, store: Store, journal: SyntheticJournal) -> None:
    """Everything that is there, then it returns; a second time there is nothing to do."""
    assert await tracker.catch_up() == len(journal.records)
    assert await tracker.catch_up() == 0
    with store.reading() as connection:
        assert counts(connection)[State.REGISTERED] == 1


async def test_is_ready_once_it_has_caught_up(tracker: Tracker) -> None:
    """Before that it says what it waits for."""
    assert "not opened" in tracker.waiting_for
    async with running(tracker):
        await until_ready(tracker)
        assert tracker.status.facts > 0
        assert tracker.status.lag is not None


async def test_what_comes_later_is_taken_too(tmp_path: Path, store: Store, registry: CollectorRegistry) -> None:
    """It follows."""
    journal = SyntheticJournal(World(tmp_path / "later"))
    fake = FakeJournal(records=[as_taken(record) for record in journal.records])
    tracker = Tracker(fake.open, store, fake.partitions, TrackerMetrics(registry), system.now, FakeTerms())
    async with running(tracker):
        await until_ready(tracker)
        letter = journal.letter("alpha", "beta")
        journal.registered("beta", letter, "alpha", "7")
        fake.records = [as_taken(record) for record in journal.records]
        await until(lambda: tracker.status.facts == len(journal.records))
    with store.reading() as connection:
        assert counts(connection) == {State.REGISTERED: 1}


async def test_goes_on_after_kafka_was_away(
    tracker: Tracker, fake: FakeJournal, store: Store, monkeypatch: pytest.MonkeyPatch, journal: SyntheticJournal
) -> None:
    """Everything is opened anew behind the stored position."""
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.0)
    fake.failures = [unavailable(), unavailable()]
    async with running(tracker):
        await until_ready(tracker)
    assert fake.opened == 3
    assert tracker.status.facts == len(journal.records)
    assert len(store.positions(JOURNAL)) == 2


async def test_says_what_it_waits_for(tracker: Tracker, fake: FakeJournal) -> None:
    """Not ready while Kafka is away."""
    fake.failures = [unavailable() for _ in range(50)]
    async with running(tracker):
        await until(lambda: "bus-unavailable" in tracker.waiting_for)


async def test_waits_while_its_certificate_is_replaced(tracker: Tracker, fake: FakeJournal) -> None:
    """Between its two files a pair is none: it is not ended by that."""
    fake.failures = [KeyRefused("not a pair", code="key-certificate-mismatch")]
    async with running(tracker):
        await until(lambda: "key-certificate-mismatch" in tracker.waiting_for)
        await until_ready(tracker)


async def test_only_its_own_cancellation_ends_it(tracker: Tracker, fake: FakeJournal) -> None:
    """A cancellation that comes out of a client's own tasks is a lost connection, no more."""
    fake.failures = [asyncio.CancelledError()]
    async with running(tracker):
        await until(lambda: "lost" in tracker.waiting_for)
        await until_ready(tracker)
    assert fake.opened == 2


async def test_another_journal_ends_it(tracker: Tracker, fake: FakeJournal, store: Store, tmp_path: Path) -> None:
    """A topic that was created again holds other records: nothing is overwritten."""
    await tracker.catch_up()
    before = store.digest()
    other = story(World(tmp_path / "other"))
    fake.records = [as_taken(record) for record in other.records]
    with pytest.raises(PositionLost):
        await tracker.run()
    assert store.digest() == before


async def test_journal_without_its_beginning_ends_it(tracker: Tracker, fake: FakeJournal) -> None:
    """No state can be folded from it; one that was taken before may go on."""
    fake.begins = {(JOURNAL, 0): 5}
    with pytest.raises(JournalIncomplete):
        await tracker.run()
    fake.begins = {}
    await tracker.catch_up()
    fake.begins = {(JOURNAL, 0): 5}
    assert await tracker.catch_up() == 0


async def test_dropped_and_rebuilt(tracker: Tracker, store: Store) -> None:
    """To the identical state."""
    await tracker.catch_up()
    before = store.digest()
    store.drop()
    store.migrate()
    await tracker.catch_up()
    assert store.digest() == before


async def test_batches_that_were_not_unpacked_are_flagged(
    tracker: Tracker, fake: FakeJournal, store: Store, journal: SyntheticJournal
) -> None:
    """Nobody but the router may write there, so somebody should look; the tracker goes on."""
    fake.records.append(poisoned(900, journal.records[-1]))
    await tracker.catch_up()
    with store.reading() as connection:
        (flag,) = [flag for flag in flags(connection) if flag.code == FlagCode.UNREADABLE]
    assert (position_at(flag.place).offset, "unpacks to too much" in flag.detail) == (900, True)


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """The present value of a metric."""
    return registry.get_sample_value(name, labels)


async def test_metrics(tracker: Tracker, fake: FakeJournal, registry: CollectorRegistry) -> None:
    """Names of the console, bounded labels, no ids."""
    fake.unstable = 7
    async with running(tracker):
        await until_ready(tracker)
    value = partial(sample, registry)
    assert value("exchange_deliveries_total", outcome="on_time") == 3
    assert (
        value("exchange_deliveries_total", outcome="late") == value("exchange_deliveries_total", outcome="failed") == 0
    )
    assert value("exchange_deadlines_total", stage="deliver") == value("exchange_overdue", stage="deliver") == 0
    assert value("exchange_flags_total", code=FlagCode.NOT_ADDRESSED) == 1
    assert value("exchange_stage_duration_seconds_count", stage="deliver") == 3
    assert value("exchange_delivery_duration_seconds_count") == 3
    assert value("exchange_pending", state="refused") == 1
    assert value("exchange_pending", state="registered") == 0
    assert value("exchange_pending", state="accepted") == 0
    assert value("exchange_consumer_last_seen_timestamp_seconds", body="beta") is not None
    assert value("exchange_tracker_lag") == value("exchange_tracker_lag_seconds") == 0
    assert value("exchange_journal_unstable_offsets") == 7 * fake.partitions
    assert (value("exchange_tracker_progress_timestamp_seconds") or 0) > 0


async def test_audit_agrees_with_the_tracker(
    tracker: Tracker, fake: FakeJournal, store: Store, journal: SyntheticJournal
) -> None:
    """The journal alone gives what the tracker says; one altered row is found."""
    await tracker.catch_up()
    done: list[tuple[int, int]] = []
    found = await audit(fake.open, 2, journal.world.root, store, lambda at, of: done.append((at, of)))
    assert found.sound
    assert found.differences == ()
    assert found.report.records == len(journal.records)
    assert done[-1][0] == len(journal.records)
    with store._writing() as connection:
        connection.execute(deliveries.update().where(deliveries.c.recipient == "beta").values(reg_number="9"))
    found = await audit(fake.open, 2, journal.world.root, store)
    assert [difference.fields for difference in found.differences or ()] == [("reg_number",)]
    assert not found.sound


async def test_audit_as_of_an_instant(fake: FakeJournal, journal: SyntheticJournal) -> None:
    """What the journal had taken by then, by its own time; and what a body had sent and received."""
    whole = await audit(fake.open, 2, journal.world.root)
    for count in range(0, len(journal.records) + 1, 4):
        at = journal.records[count - 1].journalled if count else journal.world.now
        then = await audit(fake.open, 2, journal.world.root, asked=Asked(at, "beta"))
        assert then.sound
        assert then.report.records == count
        alone = Replay(journal.world.root)
        for record in journal.records[:count]:
            alone.feed(record)
        _, states = alone.finish(cut=True)
        listed = {(each.letter, each.recipient): each.delivery for each in then.deliveries}
        assert listed == {key: state for key, state in states.items() if key[1] == "beta"}
    both = await audit(fake.open, 2, journal.world.root, asked=Asked(body="gamma"))
    assert {(each.sender, each.recipient) for each in both.deliveries} == {("gamma", "alpha"), ("alpha", "gamma")}
    assert both.report.states == whole.report.states


async def test_audit_goes_as_far_as_the_tracker(
    fake: FakeJournal, store: Store, journal: SyntheticJournal, registry: CollectorRegistry
) -> None:
    """Letters go on flowing while it works; without a tracker it goes to the end."""
    every, fake.records = fake.records, fake.records[:9]
    await Tracker(fake.open, store, 2, TrackerMetrics(registry), system.now, FakeTerms()).catch_up()
    fake.records = every
    found = await audit(fake.open, 2, journal.world.root, store)
    assert (found.report.records, found.differences) == (9, ())
    assert set(found.report.found) <= {FindingCode.LANE_GAP}
    whole = await audit(fake.open, 2, journal.world.root)
    assert (whole.report.records, whole.differences, whole.sound) == (len(journal.records), None, True)


@pytest.mark.server
async def test_postgresql_freezes_and_is_killed(
    fake: FakeJournal, journal: SyntheticJournal, registry: CollectorRegistry
) -> None:
    """Started before its database; it goes on by itself each time, and says so meanwhile."""
    every, fake.records = fake.records, fake.records[:8]
    with (
        TemporaryDirectory(prefix="exchange-tracker-") as folder,
        EmbeddedPostgres(Path(folder)) as server,
        Store(server.url, 2) as store,
        Store(server.url, int(PATIENCE)) as patient,
    ):
        tracker = Tracker(fake.open, store, 2, TrackerMetrics(registry), system.now, FakeTerms())
        server.stop()
        async with running(tracker):
            await until(lambda: "store-unavailable" in tracker.waiting_for)
            await asyncio.to_thread(server.start)
            await until_ready(tracker)
            with frozen(server):
                fake.records = every[:15]
                await until(lambda: "did not answer" in tracker.waiting_for)
            await until_ready(tracker)
            await asyncio.to_thread(server.kill)
            fake.records = every
            await until(lambda: "store-unavailable" in tracker.waiting_for)
            await asyncio.to_thread(server.start)
            await until_ready(tracker)
            await until(lambda: tracker.status.facts >= len(every))
            with frozen(server):
                await until(lambda: "store-unavailable" in tracker.waiting_for)
        assert (sample(registry, "exchange_tracker_failures_total", code="store-unavailable") or 0) >= 4
        found = await audit(fake.open, 2, journal.world.root, patient)
        assert found.differences == ()
        assert found.report.records == len(every)


@pytest.mark.server
async def test_on_real_kafka(kafka: KafkaCluster, tmp_path: Path, store: Store, registry: CollectorRegistry) -> None:
    """With the tracker's own rights, through a broker that is killed on the way, and the audit behind it."""
    journal = SyntheticJournal(World(tmp_path / "kafka", journal_partitions=SHAPE.journal_partitions))
    opening = partial(PositionedReader, kafka.settings("svc-tracker"))
    tracker = Tracker(opening, store, SHAPE.journal_partitions, TrackerMetrics(registry), system.now, FakeTerms())
    async with running(tracker):
        await until_ready(tracker)
        letters = [journal.letter("alpha", "beta", message_id=f"m-{number}") for number in range(20)]
        await write(kafka, journal, 0)
        half = len(journal.records)
        kafka.server.brokers[0].kill()
        await asyncio.to_thread(kafka.server.brokers[0].start)
        await asyncio.to_thread(kafka.server.wait_ready)
        for number, letter in enumerate(letters):
            journal.receipt("beta", letter, "alpha", Event.REGISTERED, reg_number=f"n-{number}")
        await write(kafka, journal, half)
        await until(lambda: registered(store, 20))
    before = store.digest()
    store.drop()
    store.migrate()
    await tracker.catch_up()
    assert store.digest() == before
    found = await audit(
        partial(PositionedReader, kafka.settings("svc-auditor")), SHAPE.journal_partitions, journal.world.root, store
    )
    assert found.differences == ()


def registered(store: Store, number: int) -> bool:
    """Whether so many letters were registered with numbers of this test."""
    with store.reading() as connection:
        return all(queries.find(connection, f"n-{at}") for at in range(number))


async def write(kafka: KafkaCluster, journal: SyntheticJournal, first: int) -> None:
    """Append the records from `first` on to the real journal."""
    producer = AIOKafkaProducer(**aiokafka_options(kafka.settings(ADMINISTRATOR)), max_request_size=2**20)
    async with producer:
        for record in journal.records[first:]:
            await producer.send(JOURNAL, record.value, partition=record.position.partition)
