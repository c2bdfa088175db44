"""Letters that a router decides on one core without Kafka: from records that were read to batches to be sent.

Beside it the raw P-256 verification of the same run, below which nothing of it can come. What the
router spends beyond this is the client's: TLS, requests, the event loop.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.crypto import NOW
from bench.letters import Writer, bodies
from bench.report import Figure, report
from bench.stage import POLICY
from exchange.bus.producer import batches_of
from exchange.bus.records import Record
from exchange.bus.topics import SUBMISSIONS
from exchange.bus.transactions import BATCH_BYTES
from exchange.domain.decision import DeadLetter, LaneState
from exchange.domain.policy import parse_policy
from exchange.journal.examine import Ground
from exchange.journal.ledger import Ledger
from exchange.services.router.ground import Footing
from exchange.services.router.intake import Batch, examine_all
from exchange.services.router.writes import Transaction
from tests.world import World

LETTERS = 10_000
SENDERS = 20
BATCH = 500
ROUNDS = 5


async def run() -> None:
    """The same letters several times; of each batch the best time, as other work on the machine only adds."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), tuple(bodies(SENDERS)), lanes=1, now=NOW)
        records = _records(world)
        ground = Ground(world.directory, parse_policy(POLICY.encode()), world.ground.trust)
        producer = AIOKafkaProducer(transactional_id="bench", max_batch_size=BATCH_BYTES)
        rounds = [await _round(ground, records, producer) for _ in range(ROUNDS)]
        await producer.stop()
    examined, decided = (sum(map(min, zip(*part, strict=True))) for part in zip(*rounds, strict=True))
    whole, raw = examined + decided, _raw_verifications()
    per_second = len(records) / whole
    report(Figure("decide", per_second, "letters/s/core", per_second / raw, "raw P-256 verifications on one core"))
    for part, seconds in (("examine", examined), ("ledger", decided)):
        report(Figure(f"decide.{part}", seconds / len(records) * 1e6, "µs/letter", seconds / whole, "the whole"))


def _records(world: World) -> list[Record]:
    codes = list(world.bodies)
    writers = [
        Writer(world.directory.exchange, code, world.authority.body(code).statement, NOW, seed)
        for seed, code in enumerate(codes)
    ]
    values = [writer.open() for writer in writers]
    values += [writers[n % SENDERS].letter(codes[(n * 7 + 1) % SENDERS]) for n in range(LETTERS)]
    return [Record(SUBMISSIONS, 0, offset, NOW, b"", value) for offset, value in enumerate(values)]


async def _round(
    ground: Ground, records: Sequence[Record], producer: AIOKafkaProducer
) -> tuple[list[float], list[float]]:
    """CPU seconds of each batch: examined, and decided and encoded."""
    ledger, footing = Ledger(0, ground, LaneState(), {}), Footing(ground, lambda _directory, _policy: iter([()]))
    examined, decided = [], []
    for start in range(0, len(records), BATCH):
        begin = time.process_time()
        batch = await examine_all(records[start : start + BATCH], footing, NOW, 0)
        between = time.process_time()
        _decide(ledger, batch, producer)
        examined.append(between - begin)
        decided.append(time.process_time() - between)
    return examined, decided


def _decide(ledger: Ledger, batch: Batch, producer: AIOKafkaProducer) -> None:
    """One transaction, up to the batches that would be sent."""
    transaction = Transaction(ledger.lane, ledger.ground.directory.journal_partitions)
    for item in batch.items:
        transaction.add(ledger.skip(item) if isinstance(item, DeadLetter) else ledger.take(item, batch.now))
    for body, notice in ledger.notices(batch.now):
        transaction.notice(body, notice)
    transaction.state(ledger.state, ledger.drain_origins())
    assert set(transaction.outcomes) <= {("accepted", "open"), ("accepted", "letter")}
    for written in transaction.writes.values():
        for _ in batches_of(producer, written):
            pass


def _raw_verifications() -> float:
    """P-256 verifications a second on one core, by its CPU time, the best of some."""
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, value = key.public_key(), key.sign(b"raw", algorithm)
    best = 0.0
    for _ in range(ROUNDS * 10):
        begin = time.process_time()
        for _ in range(BATCH):
            public.verify(value, b"raw", algorithm)
        best = max(best, BATCH / (time.process_time() - begin))
    return best
