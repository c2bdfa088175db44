"""What a letter costs when ten million records lie in the topics, beside ten thousand; and how long arming takes.

CPU time of broker and routers together. Journal and inboxes are filled with plain records, as a router
never looks back at what is in them; its own state is restored on start, so the lanes are armed with as
many origins as bodies have opened in years.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from random import Random

from bench.backlog import Correspondence, Mark, between, journalled, submit, watched
from bench.letters import bodies
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import JOURNAL, SEQUENCES, inbox
from exchange.domain.decision import OriginState
from exchange.domain.ids import DIGEST_BYTES, ORIGIN_BYTES, lane_of
from exchange.embedded.installation import SHAPE
from exchange.services.router.writes import origin_key_bytes
from exchange.wire.records import encode

WARM = 40_000
LETTERS = 40_000
FILLED = 10_000_000
RECORD_BYTES = 100
PORTION = 50_000
SENDERS = 20
ORIGINS = 100_000
"""A quarter of them in each lane."""


async def run() -> None:
    """The same letters before and after."""
    async with stage(tuple(bodies(SENDERS))) as place:
        await place.warm()
        correspondence = Correspondence(place)
        place.start_routers(1)
        await _routed(place, correspondence, WARM, first=True)
        few = await _routed(place, correspondence, LETTERS)
        await _fill(place)
        many = await _routed(place, correspondence, LETTERS)
        report(Figure("growth", many * 1e6, "µs/letter", many / few, f"the same before {FILLED} records were added"))
        fresh = await _restarted(place, correspondence)
        await _remember(place)
        old = await _restarted(place, correspondence)
        report(Figure("growth.start", old, "s", old / fresh, f"the same before {ORIGINS} origins were remembered"))


async def _routed(place: Stage, correspondence: Correspondence, count: int, *, first: bool = False) -> float:
    """CPU seconds a letter of broker and routers, without the first and last tenth."""
    before = await journalled(place)
    if first:
        await submit(place, correspondence.opened())
    await submit(place, await asyncio.to_thread(correspondence.letters, count))
    begin, end = between(await watched(place, before, count), 0.1, 0.9)
    return (_seconds(end) - _seconds(begin)) / (end.done - begin.done)


def _seconds(mark: Mark) -> float:
    return mark.broker_seconds + mark.router_seconds


async def _fill(place: Stage) -> None:
    """Half of the records to the journal, half to the inboxes."""
    targets = [(JOURNAL, partition) for partition in range(SHAPE.journal_partitions)]
    inboxes = [(inbox(body), 0) for body in place.bodies]
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=600) as producer:
        for group in (targets, inboxes):
            records = [Outgoing(bytes(RECORD_BYTES))] * min(PORTION, FILLED // 2 // len(group))
            for _ in range(FILLED // 2 // len(group) // len(records)):
                for topic, partition in group:
                    await producer.send(records, topic=topic, partition=partition)


async def _remember(place: Stage) -> None:
    """Origins of all bodies, long closed."""
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=600) as producer:
        for lane, records in _origins(place).items():
            await producer.send(records, topic=SEQUENCES, partition=lane)


def _origins(place: Stage) -> dict[int, list[Outgoing]]:
    lanes = defaultdict(list)
    for body in place.bodies:
        lanes[lane_of(body, SHAPE.lanes)].append(body)
    return {lane: list(_closed(speakers, ORIGINS // len(lanes))) for lane, speakers in lanes.items()}


def _closed(speakers: list[str], count: int) -> Iterator[Outgoing]:
    random = Random(1)
    for index in range(count):
        key = (speakers[index % len(speakers)], random.randbytes(ORIGIN_BYTES))
        state = OriginState(index, random.randbytes(DIGEST_BYTES), closed=True)
        yield Outgoing(encode(state), origin_key_bytes(key))


async def _restarted(place: Stage, correspondence: Correspondence) -> float:
    """Seconds from a new router's start, when the old one has ended, until it has decided a letter of everybody."""
    (process,) = place.processes
    place.processes.clear()
    process.terminate()
    await asyncio.to_thread(process.wait)
    before = await journalled(place)
    await submit(place, await asyncio.to_thread(correspondence.letters, SENDERS))
    begin = time.monotonic()
    place.start_routers(1)
    marks = await watched(place, before, SENDERS)
    return marks[-1].at - begin
