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

from bench.letters import Writer, bodies, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.lane import Lane
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL, SEQUENCES, SUBMISSIONS, inbox
from exchange.domain.ids import lane_of
from exchange.embedded.installation import SHAPE

LETTERS = 150_000
WARM = LETTERS // 2
"""The first half is not measured: the broker's Java is compiled while it works."""
SENDERS = 100
PROCESSES = 2
RAW_SECONDS = 3.0
LIMIT_SECONDS = 180.0


async def run() -> None:
    """Measure the raw limits first, then the router on the same backlog."""
    raw = _raw_verifications()
    async with stage(tuple(bodies(SENDERS))) as place:
        await place.warm()
        await _fill(place, await asyncio.to_thread(_letters, place))
        before = await _journal_records(place)
        place.start_routers(PROCESSES)
        routed = await _rate(place, before)
    async with stage(tuple(bodies(SENDERS))) as place:
        await place.warm()
        await _fill(place, await asyncio.to_thread(_letters, place))
        copied = await asyncio.to_thread(_copied, place)
    report(Figure("router", routed, "letters/s", routed / raw, f"raw P-256 verifications on {os.cpu_count()} cores"))
    report(Figure("router", routed, "letters/s", routed / copied, "bare transactional copy of the same bytes"))
    report(Figure("router.raw-verify", raw, "verifications/s"))
    report(Figure("router.raw-copy", copied, "records/s"))


def _letters(place: Stage) -> dict[int, list[Outgoing]]:
    """Letters by lane: every sender's in order, spread over all recipients."""
    now = system.now()
    exchange = place.directory.exchange
    writers = [
        Writer(exchange, body, statement_keys(place.folder, body), now, seed) for seed, body in enumerate(place.bodies)
    ]
    lanes: defaultdict[int, list[Outgoing]] = defaultdict(list)
    for writer in writers:
        lanes[lane_of(writer.body, SHAPE.lanes)].append(Outgoing(writer.open(), writer.body.encode()))
    for index in range(LETTERS):
        writer = writers[index % len(writers)]
        recipient = place.bodies[(index * 7 + 1) % len(place.bodies)]
        lanes[lane_of(writer.body, SHAPE.lanes)].append(Outgoing(writer.letter(recipient), writer.body.encode()))
    return lanes


async def _fill(place: Stage, lanes: dict[int, list[Outgoing]]) -> None:
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
        for lane, records in lanes.items():
            await producer.send(records, topic=SUBMISSIONS, partition=lane)


async def _journal_records(place: Stage) -> int:
    async with PositionedReader(place.kafka("operator"), _journal_positions()) as reader:
        return sum((await reader.end_offsets()).values())


def _journal_positions() -> dict[tuple[str, int], None]:
    return {(JOURNAL, partition): None for partition in range(SHAPE.journal_partitions)}


async def _rate(place: Stage, before: int) -> float:
    """Letters a second between half and nine tenths of the backlog: neither warm-up nor tail."""
    marks: list[tuple[float, int]] = []
    deadline = time.monotonic() + LIMIT_SECONDS
    async with PositionedReader(place.kafka("operator"), _journal_positions()) as reader:
        while not marks or marks[-1][1] < LETTERS:
            if time.monotonic() > deadline:
                message = f"only {marks[-1][1]} of {LETTERS} letters were routed in {LIMIT_SECONDS:.0f} s"
                raise TimeoutError(message)
            done = sum((await reader.end_offsets()).values()) - before
            marks.append((time.monotonic(), done))
            place.check()
            await asyncio.sleep(0.1)
    first = next(mark for mark in marks if mark[1] >= WARM)
    last = next(mark for mark in marks if mark[1] >= LETTERS * 9 // 10)
    return (last[1] - first[1]) / (last[0] - first[0])


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
        if not warm and copied >= WARM // SHAPE.lanes:
            copied, started, warm = 0, ended, True
    await lane.close()
    return _Run(copied, started, ended)
