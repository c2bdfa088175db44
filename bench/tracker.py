"""Facts a second that the tracker folds in, beside the bare insert of the same bytes.

Real journal records: letters decided by the ledger, each delivered, handed over and registered by
signed receipts. SQLite with the tracker's own settings; the fold runs as in the service, by batches.
"""

import asyncio
import sqlite3
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.serialization import Encoding

from bench.crypto import NOW
from bench.letters import Writer, bodies
from bench.report import Figure, report
from exchange.domain.decision import Journalled, LaneState
from exchange.domain.delivery import Position
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import ZERO_DIGEST, digest, lane_of
from exchange.domain.policy import Policy
from exchange.journal.examine import Ground, Submission, examine
from exchange.journal.facts import JournalRecord, read_fact
from exchange.journal.ledger import Entry, Ledger
from exchange.security.authority import Authority
from exchange.security.directory import exchange_id
from exchange.security.keys import load_certificate, load_certificates
from exchange.security.trust import Trust
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from exchange.wire.records import encode

LETTERS = 10_000
BATCH = 2_000
EVENTS = ("delivered", "handed-over", "registered")


async def run() -> None:
    """Fold four facts for each letter."""
    await asyncio.to_thread(_measure)


def _measure() -> None:
    with tempfile.TemporaryDirectory() as name:
        records = _journal(Path(name))
        with Store(f"sqlite:///{name}/tracker.sqlite") as store:
            store.migrate()
            start = time.perf_counter()
            for first in range(0, len(records), BATCH):
                batch = records[first : first + BATCH]
                last = batch[-1]
                reached = PositionRow("exchange.journal", 0, last.position.offset, digest(last.value))
                store.take([read_fact(record) for record in batch], [reached])
            ours = len(records) / (time.perf_counter() - start)
        raw = _raw_insert(Path(name) / "raw.sqlite", records)
    report(Figure("tracker", ours, "facts/s", ours / raw, "bare SQLite insert of the same records"))


def _raw_insert(path: Path, records: list[JournalRecord]) -> float:
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table record (offset integer primary key, value blob)")
    start = time.perf_counter()
    for first in range(0, len(records), BATCH):
        with connection:
            rows = [(record.position.offset, record.value) for record in records[first : first + BATCH]]
            connection.executemany("insert into record values (?, ?)", rows)
    rate = len(records) / (time.perf_counter() - start)
    connection.close()
    return rate


def _journal(folder: Path) -> list[JournalRecord]:
    """Letters of one body to another and their receipts, as the journal holds them."""
    authority = Authority(folder / "authority", now=NOW - timedelta(days=1))
    exchange = exchange_id(load_certificates(authority.statement_root)[0])
    sender, recipient = (
        Writer(exchange, code, authority.body(code).statement, NOW, seed) for seed, code in enumerate(bodies(2))
    )
    ledgers = {writer.body: _ledger(authority, exchange, writer.body) for writer in (sender, recipient)}
    said = [(sender, sender.open()), (recipient, recipient.open())]
    for _ in range(LETTERS):
        said.append((sender, sender.letter(recipient.body)))
        letter = sender.last
        said += [(recipient, recipient.receipt(letter, sender.body, event)) for event in EVENTS]
    records: list[JournalRecord] = []
    for writer, value in said:
        ledger = ledgers[writer.body]
        submission = Submission(ledger.lane, ledger.state.offset, NOW, value)
        entry = ledger.take(examine(submission, ledger.ground, NOW), NOW)
        if isinstance(entry, Entry):
            value = encode(Journalled(entry.entry, entry.contents))  # noqa: PLW2901 - what was said, as journalled
            records.append(JournalRecord(Position(0, len(records)), NOW, value))
    return records


def _ledger(authority: Authority, exchange: bytes, body: str) -> Ledger:
    roots = load_certificates(authority.statement_root)
    listed = MappingProxyType({code: _listed(authority, code) for code in bodies(2)})
    directory = Directory(exchange, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 1, 1, listed)
    policy = Policy(ZERO_DIGEST, timedelta(minutes=5), 524_288, 10**6, 10**10, 60)
    return Ledger(lane_of(body, 1), Ground(directory, policy, Trust(directory, roots)), LaneState(), {})


def _listed(authority: Authority, code: str) -> Body:
    der = load_certificate(authority.body(code).statement.certificate).public_bytes(Encoding.DER)
    certificates = (ListedCertificate(der, CertificateUse.STATEMENT),)
    return Body(code, Names(code, code, code), "bench", BodyStatus.CONNECTED, (f"uid-{code}",), "", certificates)
