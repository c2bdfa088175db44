"""The checker's readers on what the product really writes: signed records, spools of agents, a tracker's database."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from exchange.agent.agent import Agent
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.domain.decision import Journalled
from exchange.domain.delivery import Position
from exchange.domain.event import Event
from exchange.domain.ids import journal_partition
from exchange.journal.facts import JournalRecord
from exchange.store.database import Store
from exchange.wire.records import encode
from tests.agent.edms import plain_letter, plain_receipt
from tests.agent.place import Place, TickingClock, until_heard, until_settled
from tests.agent.simulator import Simulator
from tests.checker import Observations, Rule, read_spool, read_tracker, violations
from tests.checker.records import read_entry, read_inbox_record
from tests.store.support import fill
from tests.world import NOW, World

BODIES = ("alpha", "beta")


@dataclass(frozen=True, slots=True)
class Lived:
    """What is left of an exchange after some letters: its records in memory, its databases in a folder."""

    folder: Path
    simulator: Simulator

    def spool(self, body: str) -> Path:
        """File of a body's spool."""
        return self.folder / f"{body}.spool"

    @property
    def tracker(self) -> Path:
        """The tracker's SQLite file."""
        return self.folder / "tracker.db"

    def journal(self) -> list[JournalRecord]:
        """The journal's records, partition by partition."""
        partitions = self.simulator.world.journal_partitions
        records: dict[int, list[JournalRecord]] = {partition: [] for partition in range(partitions)}
        for entry in self.simulator.entries:
            of = records[journal_partition(entry.about, partitions)]
            place = Position(journal_partition(entry.about, partitions), len(of))
            of.append(JournalRecord(place, NOW, encode(Journalled(entry.entry, entry.contents))))
        return [record for of in records.values() for record in of]

    def observations(self) -> Observations:
        """All of it as the checker reads it."""
        ledgers = self.simulator._ledgers
        return Observations(
            entries=[
                read_entry(Record(JOURNAL, record.position.partition, record.position.offset, NOW, None, record.value))
                for record in self.journal()
            ],
            inboxes={
                topic.rpartition(".")[2]: [read_inbox_record(record) for record in records]
                for topic, records in self.simulator.inboxes.items()
            },
            lanes={lane: ledger.state for lane, ledger in enumerate(ledgers)},
            origins={key: state for ledger in ledgers for key, state in ledger._origins._states.items()},
            spools={body: read_spool(self.spool(body), body) for body in BODIES},
            tracker=read_tracker(f"sqlite:///{self.tracker}"),
        )


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Letters between two agents, one of them registered, one refused by its recipient, one by the exchange."""
    folder = tmp_path_factory.mktemp("lived")
    world = World(folder / "authority")
    directory = world.publish(folder / "directory")
    clock = TickingClock(NOW)
    simulator = Simulator(world, clock)
    asyncio.run(_live(Place(world, simulator, folder, directory, clock)))
    lived = Lived(folder, simulator)
    with Store(f"sqlite:///{lived.tracker}") as store:
        store.migrate()
        fill(store, lived.journal())
    return lived


@pytest.fixture
def lived(once: Lived, tmp_path: Path) -> Lived:
    """The same, to be spoilt."""
    for name in once.folder.iterdir():
        if name.is_file():
            shutil.copy(name, tmp_path)
    return Lived(tmp_path, once.simulator)


async def _live(place: Place) -> None:
    async with place.agent("alpha") as sender, place.agent("beta") as recipient:
        letters = [plain_letter(name, "beta") for name in ("one", "two", "three")]
        await sender.mailbox("alpha").submit(*letters, plain_letter("stray", "nobody"))
        await until_heard(sender, "three", 1)
        await _answer(recipient)
        await until_heard(sender, "two", 3)
        await until_settled(sender)
        await until_settled(recipient)


async def _answer(recipient: Agent) -> None:
    box = recipient.mailbox("beta")
    for received in reversed(await box.arrived()):
        digest, name = received.arrived.digest, received.arrived.letter.message_id
        if name != "three":
            event = Event.REGISTERED if name == "one" else Event.REFUSED
            await box.take(digest)
            await box.say(digest, plain_receipt(event, NOW.isoformat(), "", reg_number="01-5"))


def test_nothing_is_wrong_with_what_the_product_writes(lived: Lived) -> None:
    """Letters, receipts and refusals, read and found right; and they are really there."""
    seen = lived.observations()
    assert violations(seen) == []
    assert seen.tracker is not None
    assert Counter(seen.tracker.deliveries.values()) == {
        ("registered", "01-5"): 1,
        ("refused", ""): 1,
        ("delivered", ""): 1,
        ("rejected", ""): 1,
    }
    sent, received = seen.spools["alpha"], seen.spools["beta"]
    assert Counter(row.state for row in sent.outgoing) == {"taken": 3, "refused": 1}
    assert Counter(one.kind for one in sent.incoming) == {"receipt": 7, "rejection": 1}
    assert Counter(one.kind for one in received.incoming) == {"letter": 3}
    assert [origin.taken for origin in (*sent.origins, *received.origins)] == [5, 8]


@pytest.mark.parametrize(
    ("body", "damage", "rule"),
    [
        ("beta", 'UPDATE inboxes SET "offset" = "offset" + 1', Rule.SPOOL_POSITION),
        ("beta", "UPDATE inboxes SET digest = zeroblob(32)", Rule.SPOOL_POSITION),
        ("beta", "DELETE FROM incoming WHERE id = 1", Rule.SPOOL_MISSING),
        ("beta", 'UPDATE inboxes SET "offset" = NULL; DELETE FROM incoming', Rule.SPOOL_MISSING),
        ("beta", "UPDATE incoming SET id = 9 WHERE id = 1", Rule.ORDER),
        ("beta", "UPDATE origins SET taken_number = taken_number - 1", Rule.SPOOL_TAKEN),
        ("beta", "UPDATE outgoing SET state = 'refused' WHERE id = 1", Rule.SPOOL_TAKEN),
        ("alpha", "DELETE FROM incoming WHERE kind = 'rejection'", Rule.REFUSAL_UNTOLD),
        ("tracker", "UPDATE deliveries SET state = 'accepted' WHERE state = 'delivered'", Rule.TRACKER_STATE),
        ("tracker", "UPDATE deliveries SET reg_number = '' WHERE state = 'registered'", Rule.TRACKER_STATE),
        ("tracker", "DELETE FROM deliveries WHERE state = 'delivered'", Rule.TRACKER_MISSING),
        ("tracker", "UPDATE deliveries SET recipient = 'gamma' WHERE state = 'rejected'", Rule.TRACKER_UNEXPLAINED),
        ("tracker", "UPDATE positions SET digest = zeroblob(32)", Rule.TRACKER_POSITION),
    ],
)
def test_damage_is_found(lived: Lived, body: str, damage: str, rule: Rule) -> None:
    """What a bug would leave behind in a database is found under its name."""
    file = lived.tracker if body == "tracker" else lived.spool(body)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(damage)
        assert connection.total_changes
    assert rule in {violation.rule for violation in violations(lived.observations())}
