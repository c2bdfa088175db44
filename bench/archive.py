"""The archive's disk: entries appended a second, durably in batches of 1,000, and milliseconds for a proof.

`archive` beside the same bytes written to one file with an fsync for each batch, in the same run. Heads and a signed
checkpoint come every 50 batches, as they would each second. `prove` looks a letter up by its digest, and makes the
proof of its entry, at ARCHIVE_ENTRIES entries; no scan: the same at a tenth of them stands beside it.
"""

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.report import Figure, report
from exchange.archive.index import Index
from exchange.archive.layout import TakenRecord
from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Signer

BATCH = 1_000
ENTRY_BYTES = 1_000
APPENDED = 300_000
PARTITIONS = 16
BATCHES_A_CHECKPOINT = 50
PROVEN = 300_000
PROOFS = 300
SIGNER = Signer("exchange/bench", Kind.NOTE, Ed25519PrivateKey.from_private_bytes(bytes(32)))
_BEGAN = datetime(2026, 11, 23, tzinfo=UTC)


async def append() -> None:
    """Appends a second."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        batches = [list(_batch(number, ENTRY_BYTES)) for number in range(APPENDED // BATCH)]
        raw = _raw(folder / "raw", batches)
        with ArchiveWriter(folder / "archive", PARTITIONS) as writer:
            began = time.perf_counter()
            _fill(writer, iter(batches))
            seconds = time.perf_counter() - began
        report(Figure("archive", APPENDED / seconds, "entries/s", raw / seconds, "the same bytes, write and fsync"))


async def prove() -> None:
    """Milliseconds from a letter's digest to the proof of its entry."""
    entries = int(os.environ.get("ARCHIVE_ENTRIES", PROVEN))
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        with ArchiveWriter(folder, PARTITIONS) as writer:
            _fill(writer, (list(_batch(number, 100)) for number in range(entries // BATCH // 10)))
            few = _proofs(folder, entries // 10)
            _fill(writer, (list(_batch(number, 100)) for number in range(entries // BATCH // 10, entries // BATCH)))
            many = _proofs(folder, entries)
        few.sort(), many.sort()
        median, last = many[len(many) // 2], many[len(many) * 99 // 100]
        report(Figure("prove", median * 1e3, "ms", few[len(few) // 2] / median, f"a tenth of {entries:,} entries"))
        report(Figure("prove.p99", last * 1e3, "ms"))


def _batch(number: int, size: int) -> Iterator[TakenRecord]:
    """Records of all partitions, each about a letter of its own."""
    for at in range(number * BATCH, (number + 1) * BATCH):
        seed = _digest(at)
        entry = seed * (size // len(seed)) + seed[: size % len(seed)]
        yield TakenRecord(
            partition=at % PARTITIONS,
            offset=at // PARTITIONS,
            digest=seed,
            journalled=_BEGAN + timedelta(microseconds=at),
            entry=entry,
            about=seed,
            statement=seed,
            origin=(at % 200).to_bytes(16),
            number=at,
        )


def _digest(at: int) -> bytes:
    return hashlib.sha256(at.to_bytes(8)).digest()


def _raw(path: Path, batches: list[list[TakenRecord]]) -> float:
    """Seconds for the same bytes in one file."""
    began = time.perf_counter()
    with path.open("wb") as file:
        for batch in batches:
            file.write(b"".join(record.entry or b"" for record in batch))
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - began


def _fill(writer: ArchiveWriter, batches: Iterator[list[TakenRecord]]) -> None:
    for number, batch in enumerate(batches, 1):
        writer.take(batch)
        if number % BATCHES_A_CHECKPOINT == 0:
            _sign(writer)
    _sign(writer)


def _sign(writer: ArchiveWriter) -> None:
    if writer.add_heads(int(_BEGAN.timestamp())) is not None:
        text = str(Checkpoint(SIGNER.name, writer.head.size, writer.head.root))
        writer.keep_checkpoint(f"{text}\n{SIGNER.sign(text)}".encode())


def _proofs(folder: Path, entries: int) -> list[float]:
    """Seconds of each, for letters anywhere in the log."""
    chosen = random.Random(1).sample(range(entries), PROOFS)
    reader, seconds = LogReader(folder), []
    with Index(folder) as index:
        for at in chosen:
            began = time.perf_counter()
            (place,) = index.places(_digest(at))
            proof = reader.proof(place.partition, place.index)
            seconds.append(time.perf_counter() - began)
            assert proof.entry.index == at // PARTITIONS
    return seconds
