"""Routed letters a second: signed, verified, exactly once; two processes, the broker on the same cores.

Beside it in the same run: raw P-256 verifications on all cores, and the bare transactional loop that
copies the same bytes to as many topics.
"""

import asyncio
import multiprocessing
import os
import time
from collections import defaultdict
from dataclasses import dataclass

import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.backlog import Correspondence, between, journalled, submit, watched
from bench.letters import bodies
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange.bus.connection import KafkaSettings
from exchange.bus.lane import Lane
from exchange.bus.producer import Outgoing
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL, SEQUENCES, inbox
from exchange.embedded.installation import SHAPE

LETTERS = 150_000
SENDERS = 100
PROCESSES = 2
RAW_SECONDS = 3.0


async def run() -> None:
    """Measure the raw limits first, then the router on the same backlog."""
    raw = _raw_verifications()
    async with stage(tuple(bodies(SENDERS))) as place:
        await _fill(place)
        before = await journalled(place)
        place.start_routers(PROCESSES)
        # The first half is not measured: the broker's Java is compiled while it works.
        begin, end = between(await watched(place, before, LETTERS), 0.5, 0.9)
    async with stage(tuple(bodies(SENDERS))) as place:
        await _fill(place)
        copied = await asyncio.to_thread(_copied, place)
    letters = end.done - begin.done
    routed = letters / (end.at - begin.at)
    broker, routers = (end.broker_seconds - begin.broker_seconds, end.router_seconds - begin.router_seconds)
    report(Figure("router", routed, "letters/s", routed / raw, f"raw P-256 verifications on {os.cpu_count()} cores"))
    report(Figure("router", routed, "letters/s", routed / copied, "bare transactional copy of the same bytes"))
    report(Figure("router.cpu.broker", broker / letters * 1e6, "µs/letter"))
    report(Figure("router.cpu.routers", routers / letters * 1e6, "µs/letter"))
    report(Figure("router.raw-verify", raw, "verifications/s"))
    report(Figure("router.raw-copy", copied, "records/s"))


async def _fill(place: Stage) -> None:
    await place.warm()
    correspondence = Correspondence(place)
    await submit(place, correspondence.opened())
    await submit(place, await asyncio.to_thread(correspondence.letters, LETTERS))


def _raw_verifications() -> float:
    """P-256 verifications a second on all cores, one process each."""
    count = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        return sum(pool.map(_verify_for, [RAW_SECONDS] * count))


def _verify_for(seconds: float) -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    public, value = key.public_key(), key.sign(b"raw", algorithm)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            public.verify(value, b"raw", algorithm)
        count += 100
    return count / (time.perf_counter() - start)


def _copied(place: Stage) -> float:
    """Records a second of the bare loop: as many processes, as many topics, the same transactions."""
    share = [(place.kafka("router"), place.bodies, lanes) for lanes in _shares()]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        runs = [run for process in pool.starmap(_copy_lanes, share) for run in process]
    return sum(run.records for run in runs) / (max(run.ended for run in runs) - min(run.started for run in runs))


@dataclass(frozen=True, slots=True)
class _Run:
    """What one lane copied, and when (seconds of the machine's monotonic clock)."""

    records: int
    started: float
    ended: float


def _shares() -> list[tuple[int, ...]]:
    return [tuple(range(index, SHAPE.lanes, PROCESSES)) for index in range(PROCESSES)]


def _copy_lanes(settings: KafkaSettings, codes: tuple[str, ...], lanes: tuple[int, ...]) -> list[_Run]:
    async def copy() -> list[_Run]:
        return await asyncio.gather(*(_copy_lane(settings, codes, lane) for lane in lanes))

    return uvloop.run(copy())


async def _copy_lane(settings: KafkaSettings, codes: tuple[str, ...], number: int) -> _Run:
    """Each record to an inbox and a journal partition, the offset to sequences; no look inside."""
    lane = Lane(settings, number)
    await lane.arm()
    await lane.know([JOURNAL, SEQUENCES, *map(inbox, codes)])
    await lane.start_at(0)
    copied, started, warm = 0, time.monotonic(), False
    ended = started
    while records := await lane.read(3.0, 2000):
        writes: defaultdict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        for record in records:
            if isinstance(record, Record):
                copy = Outgoing(record.value, record.key)
                writes[inbox(codes[record.offset % len(codes)]), 0].append(copy)
                writes[JOURNAL, record.offset % SHAPE.journal_partitions].append(copy)
        writes[SEQUENCES, number].append(Outgoing(b"offset", b"@"))
        await lane.commit(writes)
        copied, ended = copied + len(records), time.monotonic()
        if not warm and copied >= LETTERS // 2 // SHAPE.lanes:
            copied, started, warm = 0, ended, True
    await lane.close()
    return _Run(copied, started, ended)
