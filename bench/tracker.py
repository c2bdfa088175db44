"""Facts a second that the tracker folds in, beside the bare insert of as many rows into the same database.

Real journal records: letters decided by the ledger, each delivered, handed over and registered by signed
receipts, which come thousands of letters later as in life: a letter's facts are in different batches.
The service itself runs, over a journal in memory; SQLite and PostgreSQL with the tracker's own settings. Then two
processes share one PostgreSQL, each with a partition, and store as the service does.
"""

import asyncio
import math
import multiprocessing
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import CollectorRegistry

from bench.crypto import NOW
from bench.letters import Writer, bodies
from bench.report import Figure, report
from exchange import system
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.domain.decision import Journalled, LaneState
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import ZERO_DIGEST, lane_of
from exchange.domain.policy import Policy
from exchange.embedded.postgres import EmbeddedPostgres
from exchange.journal.examine import Ground, Submission, examine
from exchange.journal.ledger import Entry, Ledger
from exchange.security.authority import Authority
from exchange.security.keys import load_certificate
from exchange.security.trust import Trust
from exchange.services.reading import BATCH_RECORDS, Partition, Positions, Taken, look_for_garbage_rarely
from exchange.services.tracker.batch import batch_of
from exchange.services.tracker.metrics import TrackerMetrics
from exchange.services.tracker.service import Tracker
from exchange.store import bulk
from exchange.store.database import Store
from exchange.wire.records import encode

LETTERS = 12_000
LATER = {"delivered": 1_000, "handed-over": 3_000, "registered": 6_000}
"""So many letters lie between a letter and its receipt."""
OF_ONE_LETTER = 10_000
RUNS = 3
START_SECONDS = 60

Journal = list[Record]


class MemoryJournal:
    """A journal of one partition in memory, opened and read as Kafka's."""

    def __init__(self, records: Journal) -> None:
        """Read from the first record on."""
        self._records = records
        self._next = 0

    @asynccontextmanager
    async def open(self, _positions: Positions) -> AsyncIterator["MemoryJournal"]:
        """From the beginning."""
        yield self

    async def read(self, timeout: float, max_records: int = BATCH_RECORDS) -> list[Taken]:  # noqa: ARG002, ASYNC109
        """The next ones."""
        begin, self._next = self._next, self._next + max_records
        return list(self._records[begin : self._next])

    async def begin_offsets(self) -> dict[Partition, int]:
        """Complete."""
        return {(JOURNAL, 0): 0}

    async def end_offsets(self) -> dict[Partition, int]:
        """All of it."""
        return {(JOURNAL, 0): len(self._records)}

    async def lag(self) -> dict[Partition, int]:
        """What is left."""
        return {(JOURNAL, 0): max(0, len(self._records) - self._next)}

    async def unstable(self) -> dict[Partition, int]:
        """Nobody writes."""
        return {(JOURNAL, 0): 0}

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether all were handed out."""
        return self._next >= ends[JOURNAL, 0]


async def run() -> None:
    """Fold four facts for each letter; then thousands about one letter."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        usual, other, one = await asyncio.to_thread(_journals, folder)
        await _compare("tracker", usual, one, lambda run: f"sqlite:///{folder}/{run}.sqlite")
        with EmbeddedPostgres(folder / "postgresql") as server:
            raw = await _compare("tracker.postgresql", usual, one, lambda _: server.url)
            both = max([await asyncio.to_thread(_shared, server.url, (usual, other)) for _ in range(RUNS)])
        report(Figure("tracker.postgresql.two", both, "facts/s", both / raw, "bare insert of as many rows by one"))


async def _compare(bench: str, usual: Journal, one: Journal, url: Callable[[str], str]) -> float:
    """The best of some runs of each, in turns: neighbours on the machine slow down one or the other."""
    ours, cpu, alone, raw = 0.0, math.inf, 0.0, 0.0
    for number in range(RUNS):
        rate, spent = await _folded(url(f"usual-{number}"), usual)
        ours, cpu = max(ours, rate), min(cpu, spent)
        alone = max(alone, (await _folded(url(f"one-{number}"), one))[0])
        raw = max(raw, await asyncio.to_thread(_inserted, url(f"raw-{number}"), usual))
    report(Figure(bench, ours, "facts/s", ours / raw, "bare insert of as many rows"))
    report(Figure(f"{bench}.cpu", cpu * 1e6, "us/fact of this process"))
    report(Figure(f"{bench}.one-letter", alone, "facts/s", alone / ours, "facts about many letters"))
    return raw


async def _folded(url: str, journal: Journal) -> tuple[float, float]:
    """Facts a second, and CPU seconds a fact."""
    with Store(url) as store:
        store.drop()
        store.migrate()
        tracker = Tracker(MemoryJournal(journal).open, store, 1, TrackerMetrics(CollectorRegistry()), system.now)
        look_for_garbage_rarely()
        begin, cpu = time.perf_counter(), time.process_time()
        taken = await tracker.catch_up()
        return taken / (time.perf_counter() - begin), (time.process_time() - cpu) / taken


def _shared(url: str, journals: Sequence[Journal]) -> float:
    """Facts a second of two processes, each of which takes the partition that it holds."""
    with Store(url) as store:
        store.drop()
        store.migrate()
    spawning = multiprocessing.get_context("spawn")
    there, go = spawning.Barrier(len(journals)), spawning.Barrier(len(journals) + 1)
    processes = [spawning.Process(target=_share, args=(url, journals, there, go)) for _ in journals]
    for process in processes:
        process.start()
    go.wait(START_SECONDS)
    begin = time.perf_counter()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        message = "a tracker failed: see above"
        raise RuntimeError(message)
    return sum(map(len, journals)) / (time.perf_counter() - begin)


def _share(url: str, journals: Sequence[Journal], there: Barrier, go: Barrier) -> None:
    with Store(url) as store, store.shard(len(journals)) as shard:
        there.wait(START_SECONDS)
        while not shard.balance():
            pass
        (partition,) = shard.held
        journal = journals[partition]
        cut = [journal[first : first + BATCH_RECORDS] for first in range(0, len(journal), BATCH_RECORDS)]
        look_for_garbage_rarely()
        go.wait(START_SECONDS)
        with ThreadPoolExecutor(1) as beside:
            for batch in beside.map(batch_of, cut):
                store.take(batch.facts, batch.reached, shard)


def _inserted(url: str, journal: Journal) -> float:
    """Rows of the journal's own bytes, as fast as the database takes them in batches of the tracker's size."""
    table = sa.Table(
        "raw", sa.MetaData(), sa.Column("place", sa.BigInteger, primary_key=True), sa.Column("value", sa.LargeBinary)
    )
    with Store(url) as store:
        with store._writing() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
        begin = time.perf_counter()
        for first in range(0, len(journal), BATCH_RECORDS):
            rows = [(record.offset, record.value) for record in journal[first : first + BATCH_RECORDS]]
            with store._writing() as connection:
                bulk.insert(connection, table, rows)
        return len(journal) / (time.perf_counter() - begin)


def _journals(folder: Path) -> tuple[Journal, Journal, Journal]:
    """Letters of one body to another and their receipts, as two partitions hold them; and one letter with many."""
    authority = Authority(folder / "authority", now=NOW - timedelta(days=1))
    exchange = ZERO_DIGEST
    found = []
    for said, partition in ((_usual, 0), (_usual, 1), (_one, 0)):
        sender, recipient = (
            Writer(exchange, code, authority.body(code).statement, NOW, 2 * partition + seed)
            for seed, code in enumerate(bodies(2))
        )
        ledgers = {writer.body: _ledger(authority, exchange, writer.body) for writer in (sender, recipient)}
        records: Journal = []
        for body, value in said(sender, recipient):
            ledger = ledgers[body]
            entry = ledger.take(
                examine(Submission(ledger.lane, ledger.state.offset, NOW, value), ledger.ground, NOW), NOW
            )
            if isinstance(entry, Entry):
                value = encode(Journalled(entry.entry, entry.contents))  # noqa: PLW2901 - what was said, as journalled
                records.append(Record(JOURNAL, partition, len(records), NOW, b"", value))
        found.append(records)
    return found[0], found[1], found[2]


def _usual(sender: Writer, recipient: Writer) -> Iterator[tuple[str, bytes]]:
    yield sender.body, sender.open()
    yield recipient.body, recipient.open()
    letters: deque[bytes] = deque(maxlen=max(LATER.values()))
    for number in range(LETTERS + max(LATER.values())):
        for event, later in LATER.items():
            if later <= number < LETTERS + later:
                yield recipient.body, recipient.receipt(letters[-later], sender.body, event)
        if number < LETTERS:
            yield sender.body, sender.letter(recipient.body)
            letters.append(sender.last)
        else:
            letters.append(b"")


def _one(sender: Writer, recipient: Writer) -> Iterator[tuple[str, bytes]]:
    yield sender.body, sender.open()
    yield recipient.body, recipient.open()
    yield sender.body, sender.letter(recipient.body)
    for _ in range(OF_ONE_LETTER):
        yield recipient.body, recipient.receipt(sender.last, sender.body, "progress")


def _ledger(authority: Authority, exchange: bytes, body: str) -> Ledger:
    issuer = load_certificate(authority.statement_root).public_bytes(Encoding.DER)
    listed = MappingProxyType({code: _listed(authority, code) for code in bodies(2)})
    directory = Directory(exchange, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 1, 1, (issuer,), listed)
    policy = Policy(ZERO_DIGEST, timedelta(minutes=5), 524_288, 10**6, 10**10, 60)
    return Ledger(lane_of(body, 1), Ground(directory, policy, Trust(directory)), LaneState(), {})


def _listed(authority: Authority, code: str) -> Body:
    der = load_certificate(authority.body(code).statement.certificate).public_bytes(Encoding.DER)
    certificates = (ListedCertificate(der, CertificateUse.STATEMENT),)
    return Body(code, Names(code, code, code), "bench", BodyStatus.CONNECTED, (f"uid-{code}",), "", certificates)
