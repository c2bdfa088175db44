"""An archive at work on a journal in memory, with a topic of checkpoints in memory beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.anew import read_after
from exchange.archive.index import Index
from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.bus.producer import Outgoing
from exchange.bus.records import Record
from exchange.domain.checkpoint import CHECKPOINT_KEY, PublishedCheckpoint
from exchange.services.archive.checkpoints import Checkpoints
from exchange.services.archive.disk import Disk
from exchange.services.archive.metrics import ArchiveMetrics
from exchange.services.archive.proofs import OriginProofs
from exchange.services.archive.standing import Identity, log_name
from exchange.services.archive.taking import Taking
from exchange.services.archive.topic import PARTITION, Topic
from exchange.services.witnessing import Witnesses, WitnessingMetrics
from exchange.tlog.note import Kind, Signer
from exchange.tlog.policy import Group, LogPolicy, Witness
from exchange.tlog.witness import AddCheckpoint
from exchange.wire.records import decode
from tests.patience import PATIENCE
from tests.services.journal_fake import FakeJournal
from tests.world import NOW

KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")
WITNESS_KEY = Signer("w.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\2"))
WITNESS = Witness("justice", WITNESS_KEY.verifier, "http://w.example/")
JURY_KEYS = [
    Signer(f"w{number}.example", Kind.COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(31) + bytes([number])))
    for number in (3, 4, 5)
]
JURY = tuple(Witness(f"w{at}", key.verifier, f"http://{key.name}/") for at, key in enumerate(JURY_KEYS))
"""Three, of whom two are enough."""
EXCHANGE = bytes(range(32))


@dataclass
class FakeTopic:
    """`exchange.checkpoints`: keeps every record, and who may write is who opened last."""

    journal: FakeJournal = field(default_factory=lambda: FakeJournal(partitions=1))
    writers: int = 0

    @property
    def values(self) -> Mapping[bytes, bytes]:
        """The newest value of each key that has one."""
        records = (record for record in self.journal.records if isinstance(record, Record))
        newest = {record.key or b"": record.value for record in records}
        return {key: value for key, value in newest.items() if value is not None}

    @property
    def checkpoint(self) -> PublishedCheckpoint:
        """The newest."""
        return decode(PublishedCheckpoint, self.values[CHECKPOINT_KEY])

    def topic(self) -> Topic:
        """How it is opened."""
        return Topic(self.journal.open, self.writer)  # type: ignore[arg-type]

    @asynccontextmanager
    async def writer(self) -> AsyncIterator["_Writer"]:
        """Fence who wrote before."""
        self.writers += 1
        yield _Writer(self, self.writers)

    def write(self, records: Sequence[Outgoing]) -> None:
        """At the end."""
        for record in records:
            offset = len(self.journal.records)
            self.journal.records.append(Record(*PARTITION, offset, NOW, record.key, record.value))


@dataclass
class _Writer:
    topic: FakeTopic
    number: int

    async def write(self, writes: Mapping[tuple[str, int], Sequence[Outgoing]]) -> None:
        assert self.number == self.topic.writers, "fenced"
        self.topic.write(writes[PARTITION])


def cosigning(request: httpx.Request) -> httpx.Response:
    """A witness that says yes to anything."""
    note = AddCheckpoint.parse(request.content).note
    (key,) = (key for key in (WITNESS_KEY, *JURY_KEYS) if key.name == request.url.host)
    return httpx.Response(200, stream=httpx.ByteStream(key.sign(note.text, 1_763_912_345).encode()))


def away(_: httpx.Request) -> httpx.Response:
    """A witness that cannot now."""
    return httpx.Response(503, stream=httpx.ByteStream(b""))


def garbage(_: httpx.Request) -> httpx.Response:
    """An answer of somebody who is no witness."""
    return httpx.Response(200, stream=httpx.ByteStream(b"<html>"))


def knowing_more(_: httpx.Request) -> httpx.Response:
    """A witness that says that it cosigned a larger log."""
    return httpx.Response(409, stream=httpx.ByteStream(b"1000000\n"))


def knowing_another(_: httpx.Request) -> httpx.Response:
    """A witness that says that no proof leads from what it cosigned to this."""
    return httpx.Response(422, stream=httpx.ByteStream(b""))


@dataclass
class Stage:
    """What outlives an archive's process.

    Attributes:
        folder: the archive's.
        journal: what it reads.
        topic: where it publishes.
        witness: how the one witness answers; None where the policy has none.
        now: the clock of who signs.
        asked: how often a witness was asked.
        jury: how three answer, of whom two are enough, in the place of the one; empty where there is none.
    """

    folder: Path
    journal: FakeJournal
    topic: FakeTopic = field(default_factory=FakeTopic)
    witness: Callable[[httpx.Request], httpx.Response] | None = None
    jury: Sequence[Callable[[httpx.Request], httpx.Response]] = ()
    asked: int = 0
    now: Callable[[], datetime] = system.now
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    @property
    def logs(self) -> LogReader:
        """The folder's."""
        return LogReader(self.folder)

    def identity(self) -> Identity:
        """Whose log it is."""
        after = read_after(self.folder)
        signer = Signer(log_name(EXCHANGE, after), Kind.NOTE, KEY)
        known = () if self.witness is None else (WITNESS,)
        policy = LogPolicy(signer.verifier, known, {}, "justice" if known else "none")
        if self.jury:
            two = Group(2, tuple(witness.name for witness in JURY))
            policy = LogPolicy(signer.verifier, JURY, {"two": two}, "two")
        return Identity(signer, policy, after)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the witness that is asked says now."""
        self.asked += 1
        jurors = {key.name: answer for key, answer in zip(JURY_KEYS, self.jury, strict=False)}
        return jurors.get(request.url.host, self.witness or cosigning)(request)

    def count(self, name: str, **labels: str) -> float | None:
        """A sample of the process's metrics."""
        return self.registry.get_sample_value(f"exchange_archive_{name}", labels)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Taking, Checkpoints]]:
        """The process at work until the end of the context; if it ends before, so does the test."""
        with ExitStack() as stack:
            identity, self.registry = self.identity(), CollectorRegistry()
            writer = stack.enter_context(ArchiveWriter(self.folder, self.journal.partitions, identity.after))
            disk, metrics = Disk(writer), ArchiveMetrics(self.registry)
            proofs = OriginProofs(stack.enter_context(Index(self.folder)), disk.logs)
            taking = Taking(self.journal.open, disk, metrics, system.now)
            async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as client:
                asked = Witnesses(
                    identity.policy.witnesses, client, WitnessingMetrics(CollectorRegistry()), system.monotonic
                )
                checkpoints = Checkpoints(identity, taking, disk, proofs, asked, self.topic.topic(), metrics, self.now)
                async with asyncio.TaskGroup() as tasks:
                    started = [tasks.create_task(taking.run()), tasks.create_task(checkpoints.run())]
                    yield taking, checkpoints
                    for task in started:
                        task.cancel()

    async def run_until(self, condition: Callable[[Checkpoints], bool]) -> None:
        """Run the process until it brought something about."""
        async with self.running() as (_, checkpoints), asyncio.timeout(PATIENCE):
            while not condition(checkpoints):  # noqa: ASYNC110  # the service has no event to wait for
                await asyncio.sleep(0.01)

    async def run_to_the_end(self) -> None:
        """Until everything that the journal has is under a checkpoint that was published."""
        entries = len(self.journal.records)

        def done(checkpoints: Checkpoints) -> bool:
            said = checkpoints.newest
            return said is not None and sum(head.size for head in self.logs.heads(said.seen.checkpoint).logs) == entries

        await self.run_until(done)
