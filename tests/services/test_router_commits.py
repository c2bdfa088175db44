"""A router that is ended behind any of its transactions: its successor loses nothing and says nothing twice."""

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.bus.connection import KafkaSettings
from exchange.bus.lane import Lane
from exchange.bus.producer import Outgoing
from exchange.bus.records import Record
from exchange.bus.topics import INBOXES, JOURNAL, SEQUENCES
from exchange.bus.transactions import Writes
from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.policy import RECIPIENTS
from exchange.domain.statement import Group, Signed
from exchange.journal.examine import Submission, examine
from exchange.journal.ledger import Ledger
from exchange.services.router.ground import Footing
from exchange.services.router.intake import Batch
from exchange.services.router.metrics import RouterMetrics
from exchange.services.router.service import Router
from exchange.services.router.writes import read_state
from tests.checker import Observations, violations
from tests.checker.records import read_entry, read_inbox_record
from tests.services.footing_fake import OneFooting
from tests.world import BODIES, NOW, World

NOWHERE = KafkaSettings("127.0.0.1:1", Path("ca"), Path("certificate"), Path("key"))
BATCH = 3
BATCHES = 5


class Killed(BaseException):
    """The end of the router."""


class Topics:
    """What Kafka holds: whole transactions only."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.records: defaultdict[tuple[str, int], list[Outgoing]] = defaultdict(list)

    @property
    def state(self) -> dict[bytes, bytes]:
        """The compacted topic, compacted."""
        return {record.key or b"": record.value or b"" for record in self.records[SEQUENCES, 0]}

    def read(self, name: str) -> list[Record]:
        """The records of a topic, partition by partition."""
        return [
            Record(topic, partition, offset, NOW, record.key, record.value)
            for (topic, partition), records in self.records.items()
            for offset, record in enumerate(records)
            if topic == name
        ]


class MortalLane(Lane):
    """A lane that writes into memory; its router ends right behind so many transactions."""

    def __init__(self, topics: Topics, commits: int) -> None:
        """After so many commits the end comes."""
        super().__init__(NOWHERE, 0)
        self._topics = topics
        self._left = commits

    async def commit(self, writes: Writes) -> None:
        """All of it, then perhaps the end."""
        for partition, records in writes.items():
            self._topics.records[partition] += records
        self._left -= 1
        if self._left == 0:
            raise Killed


async def live(router: Router, footing: Footing, topics: Topics, said: list[Submission], commits: int) -> None:
    """Arm the lane by what stands in the topics, and decide all that is left, batch by batch."""
    state, origins = read_state(0, topics.state)
    ledger, lane = Ledger(0, footing.ground, state, origins), MortalLane(topics, commits)
    for start in range(state.offset, len(said), BATCH):
        items = tuple(examine(submission, footing.ground, NOW) for submission in said[start : start + BATCH])
        await router._decide(lane, ledger, Batch(footing, NOW, items))


@pytest.mark.parametrize("commits", range(1, BATCHES + 1))
async def test_ended_behind_any_transaction(tmp_path: Path, commits: int) -> None:
    """Whatever the first one had written: in the end everything is decided once and told to everybody."""
    world = World(tmp_path, lanes=1)
    standing, topics = OneFooting(world.ground), Topics()
    router = Router(NOWHERE, standing, lambda: NOW, RouterMetrics(CollectorRegistry()), 10.0)
    alpha, beta = world.speaker("alpha"), world.speaker("beta")
    words: list[tuple[str, Signed]] = [("alpha", alpha.open()), ("beta", beta.open())]
    while len(words) < BATCH * BATCHES:
        letter = alpha.letter("beta", "gamma", message_id=f"m-{len(words)}")
        words += [("alpha", letter), ("beta", beta.receipt(letter, "alpha"))]
    said = [world.submission(signed, offset, body) for offset, (body, signed) in enumerate(words)]
    with suppress(Killed):
        await live(router, standing.current(), topics, said, commits)
    await live(router, standing.current(), topics, said, commits=len(said) + 1)
    lane, origins = read_state(0, topics.state)
    entries = [read_entry(record) for record in topics.read(JOURNAL)]
    inboxes = {body: [read_inbox_record(record) for record in topics.read(f"{INBOXES}{body}")] for body in BODIES}
    seen = Observations(entries=entries, inboxes=inboxes, lanes={0: lane}, origins=origins)
    assert violations(seen) == []
    assert {entry.said.statement for entry in entries if entry.said} == {signed.digest for _, signed in words}


async def test_a_circular_holds_up_none_before_it(tmp_path: Path) -> None:
    """What stands before it in a batch is committed first; all of its copies are in one transaction."""
    world = World(tmp_path, lanes=1)
    world.publish(tmp_path / "directory")
    names = Names("", "", "")
    villages = [f"village-{number}" for number in range(RECIPIENTS)]
    world.change(*(Body(code, names, "village", BodyStatus.CONNECTED) for code in villages))
    standing, topics = OneFooting(world.ground).current(), Topics()
    alpha, beta = world.speaker("alpha"), world.speaker("beta")
    words = [
        ("beta", beta.open()),
        ("alpha", alpha.open()),
        ("beta", beta.letter("alpha")),
        ("alpha", alpha.letter(group=Group("all, -gamma", 2))),
        ("beta", beta.letter("alpha", message_id="behind")),
    ]
    said = [examine(world.submission(signed, at, body), world.ground, NOW) for at, (body, signed) in enumerate(words)]
    lane, ledger = CountingLane(topics, commits=99), Ledger(0, world.ground, *read_state(0, {}))
    router = Router(NOWHERE, OneFooting(world.ground), lambda: NOW, RouterMetrics(CollectorRegistry()), 10.0)
    await router._decide(lane, ledger, Batch(standing, NOW, tuple(said)))
    assert lane.inboxes == [{"alpha", "beta"}, {"alpha", "beta", *villages}]
    value = topics.read(f"{INBOXES}village-0")[0].value
    assert all(topics.read(f"{INBOXES}{code}")[0].value is value for code in villages), "encoded once"


class CountingLane(MortalLane):
    """Remembers whose inboxes each transaction wrote to."""

    def __init__(self, topics: Topics, commits: int) -> None:
        """None yet."""
        super().__init__(topics, commits)
        self.inboxes: list[set[str]] = []

    async def commit(self, writes: Writes) -> None:
        """One more."""
        self.inboxes.append({topic.removeprefix(INBOXES) for topic, _ in writes if topic.startswith(INBOXES)})
        await super().commit(writes)
