"""A country's agents connect within a minute, as after a failure of the network: 900, each with its own certificate.

Each opens what a real one has: a reader of its inbox and of the directory, and a producer, by which it writes once.
Nobody leaves before the last has come. They share one process, and the machine with the broker.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bench.directory_apply import body, broker, rules_of
from bench.report import Figure, report
from bench.stage import resident_mb
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import DIRECTORY, SUBMISSIONS, inbox
from exchange.embedded.installation import ADMIN
from exchange.services.reconcile.cluster import Cluster

AGENTS = 900
AT_ONCE = 50
GOAL_SECONDS = 60.0


@dataclass(slots=True)
class _Crowd:
    """Who has come; `waits`: how long each took, seconds."""

    door: asyncio.Semaphore
    everybody: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    waits: list[float] = field(default_factory=list)


async def run() -> None:
    """Everybody has rights first; then everybody comes."""
    codes = [f"body-{number:04}" for number in range(AGENTS)]
    with broker() as place:
        await Cluster(place.settings(ADMIN)).apply(rules_of({code: body(code) for code in codes}))
        agents = {code: place.settings(code) for code in codes}
        crowd = _Crowd(asyncio.Semaphore(AT_ONCE))
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for code, settings in agents.items():
                tasks.create_task(_connect(code, settings, crowd))
            await crowd.everybody.wait()
            took, megabytes = time.perf_counter() - begin, resident_mb(place.pid)
            crowd.leaving.set()
    report(Figure("connecting.all", took, "s", took / GOAL_SECONDS, f"goal of {GOAL_SECONDS:.0f} s"))
    report(Figure("connecting.slowest", max(crowd.waits), "s"))
    report(Figure("connecting.broker", megabytes, "MB"))


async def _connect(code: str, settings: KafkaSettings, crowd: _Crowd) -> None:
    """Come, read, write, and stay until everybody is there."""
    positions = {(topic, 0): None for topic in (inbox(code), DIRECTORY)}
    async with AsyncExitStack() as agent:
        async with crowd.door:
            begin = time.perf_counter()
            reader = await agent.enter_async_context(PositionedReader(settings, positions))
            producer = await agent.enter_async_context(SubmissionProducer(settings))
            await reader.end_offsets()
            await producer.send([Outgoing(b"here", code.encode())], topic=SUBMISSIONS, partition=0)
            crowd.waits.append(time.perf_counter() - begin)
        if len(crowd.waits) == AGENTS:
            crowd.everybody.set()
        await crowd.leaving.wait()
