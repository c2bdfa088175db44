"""Letters by the ten thousand, written before and routed while we look: how fast, and at what cost."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from bench.letters import Writer, statement_keys
from bench.stage import Stage
from exchange import system
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL, SUBMISSIONS
from exchange.domain.ids import lane_of
from exchange.embedded.installation import SHAPE

LIMIT_SECONDS = 300.0

Lanes = Mapping[int, list[Outgoing]]
"""Records by lane, in order."""


class Correspondence:
    """All bodies of a stage writing to one another; each goes on where it was."""

    def __init__(self, place: Stage) -> None:
        """Nobody has said anything yet."""
        now, self._bodies = system.now(), place.bodies
        self._writers = [
            Writer(place.directory.exchange, body, statement_keys(place.folder, body), now, seed)
            for seed, body in enumerate(place.bodies)
        ]
        self._written = 0

    def opened(self) -> Lanes:
        """Everybody's first statement."""
        lanes = defaultdict(list)
        for writer in self._writers:
            lanes[lane_of(writer.body, SHAPE.lanes)].append(Outgoing(writer.open(), writer.body.encode()))
        return lanes

    def letters(self, count: int) -> Lanes:
        """The next letters: every sender's in order, spread over all recipients."""
        lanes = defaultdict(list)
        for index in range(self._written, self._written + count):
            writer = self._writers[index % len(self._writers)]
            recipient = self._bodies[(index * 7 + 1) % len(self._bodies)]
            lanes[lane_of(writer.body, SHAPE.lanes)].append(Outgoing(writer.letter(recipient), writer.body.encode()))
        self._written += count
        return lanes


async def submit(place: Stage, lanes: Lanes) -> None:
    """Write everything, lane by lane."""
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
        for lane, records in lanes.items():
            await producer.send(records, topic=SUBMISSIONS, partition=lane)


async def journalled(place: Stage) -> int:
    """How many records the journal has; a transaction's marker counts as one."""
    positions = {(JOURNAL, partition): None for partition in range(SHAPE.journal_partitions)}
    async with PositionedReader(place.kafka("operator"), positions) as reader:
        return sum((await reader.end_offsets()).values())


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the routers were at a time.

    Attributes:
        at: seconds of the machine's clock.
        done: letters journalled.
        broker_seconds: CPU time of the broker so far.
        router_seconds: of all routers together.
    """

    at: float
    done: int
    broker_seconds: float
    router_seconds: float


async def watched(place: Stage, before: int, count: int) -> list[Mark]:
    """Ten marks a second until `count` more than `before` are journalled."""
    routers = [process.pid for process in place.processes]
    marks: list[Mark] = []
    deadline = time.monotonic() + LIMIT_SECONDS
    while not marks or marks[-1].done < count:
        if time.monotonic() > deadline:
            message = f"only {marks[-1].done} of {count} letters were routed in {LIMIT_SECONDS:.0f} s"
            raise TimeoutError(message)
        place.check()
        done = await journalled(place) - before
        marks.append(Mark(time.monotonic(), done, cpu_seconds(place.broker), sum(map(cpu_seconds, routers))))
        await asyncio.sleep(0.1)
    return marks


def between(marks: list[Mark], first: float, last: float) -> tuple[Mark, Mark]:
    """The marks at these parts of the letters: neither warm-up nor tail."""
    whole = marks[-1].done
    begin, end = (next(mark for mark in marks if mark.done >= whole * part) for part in (first, last))
    return begin, end


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
