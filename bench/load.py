"""How long letters wait at seven tenths of what two routers can do: from submission until a reader has them.

The capacity is that of the same run. Submission time is the broker's, on the same machine as ours.
"""

import asyncio
import time
from statistics import quantiles

from bench.backlog import Correspondence, Lanes, between, journalled, submit, watched
from bench.letters import bodies
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import SUBMISSIONS, inbox
from exchange.domain.decision import Decided, Journalled
from exchange.wire.records import decode, kind_of

BACKLOG = 100_000
SHARE = 0.7
SECONDS = 30
SETTLE_SECONDS = 5
SENDERS = 100
PROCESSES = 2
TICKS = 50
"""A second's letters come in so many portions."""
WATCHED = 4
"""So many inboxes are read: a few of a hundred letters."""


async def run() -> None:
    """Find the capacity with a backlog, then submit at a steady pace."""
    async with stage(tuple(bodies(SENDERS))) as place:
        await place.warm()
        correspondence = Correspondence(place)
        await submit(place, correspondence.opened())
        await submit(place, await asyncio.to_thread(correspondence.letters, BACKLOG))
        before = await journalled(place)
        place.start_routers(PROCESSES)
        begin, end = between(await watched(place, before, BACKLOG), 0.5, 0.9)
        capacity = (end.done - begin.done) / (end.at - begin.at)
        portion = max(1, round(capacity * SHARE / TICKS))
        portions = await asyncio.to_thread(
            lambda: [correspondence.letters(portion) for _ in range(TICKS * (SECONDS + SETTLE_SECONDS))]
        )
        waits = await _paced(place, portions)
    cuts = quantiles(waits, n=100)
    against = f"goal of 1 s at {portion * TICKS} letters/s, 0.7 of {capacity:.0f}"
    report(Figure("load.p50", cuts[49] * 1000, "ms", cuts[49], against))
    report(Figure("load.p99", cuts[98] * 1000, "ms", cuts[98], against))


async def _paced(place: Stage, portions: list[Lanes]) -> list[float]:
    """Submit portion by portion while some inboxes are read; how long their letters waited, seconds."""
    waits: list[float] = []
    positions = {(inbox(body), 0): None for body in place.bodies[:WATCHED]}
    async with (
        PositionedReader(place.kafka("operator"), positions, fetch_wait_seconds=0.5) as reader,
        SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer,
    ):
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            await reader.read(1.0, 5000)
        hearing = asyncio.create_task(_hear(reader, waits))
        begin = time.monotonic()
        for index, lanes in enumerate(portions):
            place.check()
            await asyncio.sleep(max(0.0, begin + index / TICKS - time.monotonic()))
            if index == TICKS * SETTLE_SECONDS:
                waits.clear()
            await asyncio.gather(
                *(producer.send(records, topic=SUBMISSIONS, partition=lane) for lane, records in lanes.items())
            )
        await asyncio.sleep(2)
        hearing.cancel()
    return waits


async def _hear(reader: PositionedReader, waits: list[float]) -> None:
    while True:
        records = await reader.read(1.0)
        now = system.now()
        for record in records:
            value = record.value if isinstance(record, Record) else None
            if value is not None and kind_of(value) is Journalled:
                arrived = decode(Decided, decode(Journalled, value).entry).decision.arrived
                waits.append((now - arrived).total_seconds())
