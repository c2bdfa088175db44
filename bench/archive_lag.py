"""From the journal's acceptance of an entry to a published checkpoint over it, while letters keep coming.

The archive and a witness run as processes, on a real broker. Both times are the broker's own: when it wrote the entry,
and when it wrote the first checkpoint in `exchange.checkpoints` whose heads have it. Letters are of 2 KB, each with
contents of its own. ARCHIVE_LAG_ENTRIES=1000000 takes more of them, ARCHIVE_LAG_RATE=1500 fewer a second: the
archive's memory is its own peak.
"""

import asyncio
import os
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bench.report import Figure, report
from bench.stage import Stage, peak_mb, resident_mb, stage
from exchange.bus.access import ROUTER_TRANSACTIONS
from exchange.bus.producer import Outgoing
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import CHECKPOINTS, JOURNAL
from exchange.bus.transactions import SoleWriter
from exchange.domain.checkpoint import CHECKPOINT_KEY, PublishedCheckpoint
from exchange.domain.decision import Decided, Journalled, Verdict
from exchange.domain.errors import BusError
from exchange.domain.statement import Content, Letter, commit
from exchange.embedded.installation import SHAPE
from exchange.embedded.roles import waiting_for
from exchange.settings.archive import archive_settings
from exchange.settings.tables import ObserveSettings
from exchange.tlog.heads import Heads
from exchange.wire.records import decode, encode
from tests.golden.samples import SAMPLES

ASKED = {"ENTRIES": 150_000, "RATE": 5_000}
TRANSACTION_SECONDS = 0.05
CONTENT_BYTES = 1_500
ORIGINS = 200
READY_SECONDS = 60.0

Times = dict[int, list[datetime]]


async def run() -> None:
    """Measure at 5,000 letters/s, or as told."""
    entries, rate = (int(os.environ.get(f"ARCHIVE_LAG_{name}", default)) for name, default in ASKED.items())
    async with stage(["alpha"]) as measured:
        witness = measured.start("witness", measured.folder / "witness.toml")
        archive = measured.start("archive run", measured.folder / "archive.toml")
        await _ready(measured, archive_settings(measured.folder / "archive.toml", {}).observe)
        begun = time.monotonic()
        sent = await _write(measured, entries, rate)
        took = time.monotonic() - begun
        lags = await _lags(measured, sent)
        measured.check()
        at = f"at {sent / took:.0f} letters/s"
        report(Figure("archive_lag", lags[len(lags) // 2], f"s, p50 {at}"))
        report(Figure("archive_lag", lags[len(lags) * 99 // 100], f"s, p99 {at}"))
        report(Figure("archive_lag", resident_mb(archive.pid), f"MB, the archive after {sent} entries"))
        report(Figure("archive_lag", peak_mb(archive.pid), "MB, the archive's peak until then"))
        report(Figure("archive_lag", resident_mb(witness.pid), "MB, the witness then"))


async def _ready(measured: Stage, observe: ObserveSettings) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while reason := await asyncio.to_thread(waiting_for, observe):
        measured.check()
        if time.monotonic() > deadline:
            message = f"the archive waits for {reason}"
            raise RuntimeError(message)
        await asyncio.sleep(0.2)


async def _write(measured: Stage, entries: int, rate: int) -> int:
    """Letters in transactions as a router writes them, spread over the partitions; how many."""
    letters, each = _letters(), int(rate * TRANSACTION_SECONDS)
    sent, begun, partitions = 0, time.monotonic(), range(SHAPE.journal_partitions)
    while sent < entries:
        with suppress(BusError):  # a broker that is overloaded lets a transaction wait too long; others follow
            async with SoleWriter(measured.kafka("router"), f"{ROUTER_TRANSACTIONS}bench") as writer:
                while sent < entries:
                    await asyncio.sleep(max(0.0, sent / rate - (time.monotonic() - begun)))
                    batch = [next(letters) for _ in range(each)]
                    await writer.write({(JOURNAL, number): batch[number :: len(partitions)] for number in partitions})
                    sent += each
        measured.check()
    return sent


def _letters() -> Iterator[Outgoing]:
    """Accepted letters of some origins; nobody looks at their signatures here."""
    letter, decided = SAMPLES[Letter]["bare"], SAMPLES[Decided][""]
    assert isinstance(letter, Letter)
    assert isinstance(decided, Decided)
    decided = replace(decided, decision=replace(decided.decision, verdict=Verdict.ACCEPTED), signature=bytes(480))
    number = 0
    while True:
        number += 1
        salt = number.to_bytes(32, "big")
        content = Content(salt, salt * (CONTENT_BYTES // len(salt)))
        origin = (number % ORIGINS).to_bytes(16, "big")
        head = replace(letter.head, origin=origin, number=number // ORIGINS + 1)
        said = encode(replace(letter, head=head, contents=(commit(content, "text/plain"),)))
        yield Outgoing(encode(Journalled(encode(replace(decided, statement=said)), (content,))))


async def _lags(measured: Stage, sent: int) -> list[float]:
    """Seconds until each entry was under a published checkpoint, the shortest first."""
    written: Times = {number: [] for number in range(SHAPE.journal_partitions)}
    kafka = archive_settings(measured.folder / "archive.toml", {}).kafka
    async with PositionedReader(kafka, {(JOURNAL, number): None for number in written}) as reader:
        while sum(map(len, written.values())) < sent:
            for record in await reader.read(1.0, 5_000):
                written[record.partition].append(record.timestamp)
    covered: Times = {number: [] for number in written}
    sizes: dict[int, list[int]] = {number: [] for number in written}
    async with PositionedReader(kafka, {(CHECKPOINTS, 0): None}) as reader:
        while any((sizes[number] or [0])[-1] < len(times) for number, times in written.items()):
            for record in await reader.read(1.0):
                if isinstance(record, Record) and record.key == CHECKPOINT_KEY:
                    heads = Heads.parse(decode(PublishedCheckpoint, record.value or b"").heads)
                    for number, head in enumerate(heads.logs):
                        sizes[number].append(head.size)
                        covered[number].append(record.timestamp)
    return sorted(
        (covered[number][bisect_right(sizes[number], index)] - at).total_seconds()
        for number, times in written.items()
        for index, at in enumerate(times)
    )
