"""A journal as routers write it, made without Kafka: real signatures, real ledgers, a clock of its own."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from exchange.domain.decision import Decided, Decision, Journalled, LaneState
from exchange.domain.delivery import Delivery, Position
from exchange.domain.event import Event
from exchange.domain.fact import JournalFact
from exchange.domain.ids import journal_partition
from exchange.domain.own_bodies import lane_in
from exchange.domain.statement import Content, Letter, Signed
from exchange.journal.deliveries import DeliveryKey
from exchange.journal.examine import Ground, examine
from exchange.journal.facts import JournalRecord, read_fact
from exchange.journal.findings import Report
from exchange.journal.ledger import Entry, Ledger
from exchange.journal.replay import Replay
from exchange.resources import resource
from exchange.wire.records import decode, encode, kind_of
from tests.world import Speaker, World, receipt_card

STEP = timedelta(milliseconds=50)
Alter = Callable[[Decided], Decided]


@dataclass
class SyntheticJournal:
    """Decides what bodies say and keeps the journal's records by partition."""

    world: World
    speakers: dict[str, Speaker] = field(default_factory=dict)
    records: list[JournalRecord] = field(default_factory=list)
    ledgers: dict[int, Ledger] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every lane stands on the world's ground."""
        self.now = self.world.now
        self.world.publish(self.world.folder / "directory")
        for lane in range(self.world.all_lanes):
            self.ledgers[lane] = Ledger(lane, self.world.ground, LaneState(), {})
        self.stand_on(self.world.ground)

    def stand_on(self, ground: Ground) -> None:
        """Journal `ground` in every lane."""
        for ledger in self.ledgers.values():
            if ledger.stand_on(ground):
                self.write(ground.directory.digest, Journalled(ledger.basis(self.now), self.proof(ground)))

    def proof(self, ground: Ground) -> tuple[Content, ...]:
        """What travels beside a basis: the files of the directory, and the policy."""
        policy = resource("config", "policy.toml").read_bytes()
        return (*self.files(ground.directory.version), Content(b"", policy))

    def files(self, version: int) -> tuple[Content, ...]:
        """The files that prove a version of the directory."""
        folder = self.world.published
        return tuple(Content(b"", folder.read(name)) for name in folder.files(version))

    def speaker(self, body: str) -> Speaker:
        """A body with an open origin."""
        if body not in self.speakers:
            self.speakers[body] = speaker = self.world.speaker(body)
            self.say(speaker.body, speaker.open())
        return self.speakers[body]

    def letter(self, sender: str, *recipients: str, **changes: object) -> Signed:
        """Say a letter and journal its decision."""
        return self.say(sender, self.speaker(sender).letter(*recipients, **changes))  # type: ignore[arg-type]

    def receipt(self, signer: str, letter: Signed, sender: str, event: str, **card: object) -> Signed:
        """Say a receipt and journal its decision."""
        carried = receipt_card(**card) if card else None
        return self.say(signer, self.speaker(signer).receipt(letter, sender, event, carried))

    def registered(self, signer: str, letter: Signed, sender: str, number: str) -> None:
        """The usual way of a letter to its registration."""
        self.receipt(signer, letter, sender, Event.DELIVERED)
        self.receipt(signer, letter, sender, Event.HANDED_OVER)
        self.receipt(signer, letter, sender, Event.REGISTERED, reg_number=number, reg_date=self.now.date())

    def say(self, body: str, signed: Signed) -> Signed:
        """Submit, decide, journal."""
        self.now += STEP
        ledger = self.ledgers[lane_in(self.world.directory, body)]
        submission = self.world.submission(signed, ledger.state.offset, body)
        examined = examine(submission, ledger.ground, self.now)
        if (version := ledger.unproven(examined)) is not None:
            self.write(ledger.ground.directory.digest, Journalled(ledger.basis(self.now), self.files(version)))
        entry = ledger.take(examined, self.now)
        assert isinstance(entry, Entry), entry
        self.write(entry.about, Journalled(entry.entry, () if entry.withheld else entry.contents))
        return signed

    def tick(self, *, waiting: int = 0) -> None:
        """Each lane says in each partition how far it has come; so many submissions wait behind that."""
        self.now += STEP
        for ledger in self.ledgers.values():
            for partition in range(self.world.journal_partitions):
                entry = ledger.tick(self.now, ledger.state.offset + waiting)
                self.append(partition, encode(Journalled(entry, ())))

    def record_of(self, letter: Signed) -> bytes:
        """What the journal has of a letter."""
        for record in self.records:
            carried = decode(Journalled, record.value)
            if kind_of(carried.entry) is Decided and decode(Decided, carried.entry).decision.statement == letter.digest:
                return record.value
        raise AssertionError(letter)

    def write(self, about: bytes, journalled: Journalled) -> None:
        """Append a record to the partition of the letter concerned."""
        self.append(journal_partition(about, self.world.journal_partitions), encode(journalled))

    def append(self, partition: int, value: bytes) -> None:
        """Append any bytes to a partition."""
        offset = self.ends.get(partition, 0)
        self.ends[partition] = offset + 2  # a transaction's marker takes an offset, too
        self.records.append(JournalRecord(Position(partition, offset), self.now + STEP, value))

    def entry(self, index: int) -> bytes:
        """The entry of a record."""
        return decode(Journalled, self.records[index].value).entry

    def with_entry(self, index: int, decision: Decision, signed: Signed) -> JournalRecord:
        """A record as it would be if this had been decided about another statement, of the same letter."""
        entry = encode(Decided(decision, signed.statement, signed.signature))
        partition = journal_partition(signed.digest, self.world.journal_partitions)
        position = Position(partition, self.ends.get(partition, 0))
        value = encode(Journalled(entry, signed.contents))
        return dataclasses.replace(self.records[index], position=position, value=value, journalled=self.now + STEP)

    def facts(self) -> list[JournalFact]:
        """What the records state."""
        return [read_fact(record) for record in self.records]

    def replayed(
        self, records: Sequence[JournalRecord] | None = None, root: bytes = b""
    ) -> tuple[Report, Mapping[DeliveryKey, Delivery]]:
        """An auditor's report on it, and every delivery's state by (letter, recipient).

        Args:
            records: what the auditor is given in its place.
            root: what the auditor trusts; the world's own when empty.
        """
        replaying = Replay(root or self.world.root)
        for record in self.records if records is None else records:
            replaying.feed(record)
        return replaying.finish()

    def values(self) -> Iterator[tuple[int, Journalled]]:
        """Every record decoded, with its place in `records`: for tests that alter one."""
        for index, record in enumerate(self.records):
            yield index, decode(Journalled, record.value)


def busiest(journal: SyntheticJournal) -> int:
    """The partition with the most records: letters go by digests, which nobody foretells."""
    return Counter(each.position.partition for each in journal.records).most_common(1)[0][0]


def story(world: World) -> SyntheticJournal:
    """Some of everything that can happen to letters."""
    journal = SyntheticJournal(world)
    first = journal.letter("alpha", "beta", "gamma", message_id="first")
    journal.registered("beta", first, "alpha", "77-1")
    journal.receipt("gamma", first, "alpha", Event.DELIVERED)
    journal.receipt("gamma", first, "alpha", Event.REFUSED, reason_text="не по адресу")
    journal.letter("alpha", "nobody", message_id="lost")
    second = journal.letter("gamma", "alpha", message_id="second")
    journal.receipt("beta", second, "gamma", Event.REGISTERED, reg_number="stranger")
    journal.registered("alpha", second, "gamma", "5")
    journal.receipt("alpha", second, "gamma", Event.REFUSED, reason_text="too late")
    journal.receipt("alpha", second, "gamma", Event.EXECUTOR_ASSIGNED)
    journal.receipt("alpha", second, "gamma", "no-such-event")
    journal.say("beta", journal.speaker("beta").void())
    return journal


def index_of(journal: SyntheticJournal, wanted: Callable[[Decided], bool]) -> int:
    """Place in `records` of the first decision that is `wanted`."""
    for index, carried in journal.values():
        if kind_of(carried.entry) is Decided and wanted(decode(Decided, carried.entry)):
            return index
    message = "no such decision"
    raise AssertionError(message)


def is_letter(decided: Decided) -> bool:
    """Whether the decision accepted a letter."""
    return kind_of(decided.statement) is Letter and not decided.decision.reason


def with_value(record: JournalRecord, value: bytes) -> JournalRecord:
    """The same record with another value."""
    return dataclasses.replace(record, value=value)


def alter(journal: SyntheticJournal, index: int, change: Alter) -> list[JournalRecord]:
    """The records with one decision changed; the chain behind it is left as it was."""
    records = list(journal.records)
    carried = decode(Journalled, records[index].value)
    entry = encode(change(decode(Decided, carried.entry)))
    records[index] = with_value(records[index], encode(Journalled(entry, carried.contents)))
    return records


def decided_otherwise(**changes: object) -> Alter:
    """Change fields of the decision."""
    return lambda decided: dataclasses.replace(
        decided,
        decision=dataclasses.replace(decided.decision, **changes),  # type: ignore[arg-type]  # fields by name
    )
