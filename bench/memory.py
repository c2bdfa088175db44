"""Resident memory of router, agent and tracker over 200,000 letters: MB at the end, and growth.

Growth is the end's figure divided by that at a quarter of the letters: flat is 1.
"""

import asyncio
import time

from bench.letters import Writer, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, resident_mb, stage
from exchange import system
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL, SUBMISSIONS
from exchange.domain.ids import lane_of
from exchange.embedded.installation import SHAPE

LETTERS = 200_000
CHUNK = 2_000
LIMIT_SECONDS = 600.0
GOALS_MB = {"router": 200.0, "agent": 80.0, "tracker": 200.0}


async def run() -> None:
    """One sender that never pauses, one recipient with an agent."""
    async with stage(("bench-000", "bench-001")) as place:
        await place.warm()
        router = place.start("router", place.folder / "router.toml")
        tracker = place.start("tracker", place.folder / "tracker.toml")
        agent = place.start("agent", place.folder / "agent-bench-001.toml")
        pids = {"router": router.pid, "agent": agent.pid, "tracker": tracker.pid}
        writer = Writer(
            place.directory.exchange,
            "bench-000",
            statement_keys(place.folder, "bench-000"),
            system.now(),
            seed=1,
        )
        await _submit(place, writer, LETTERS // 4, first=True)
        quarter = {role: resident_mb(pid) for role, pid in pids.items()}
        await _submit(place, writer, LETTERS - LETTERS // 4, first=False)
        for role, pid in pids.items():
            end = resident_mb(pid)
            report(Figure(f"memory.{role}", end, "MB", end / GOALS_MB[role], f"goal of {GOALS_MB[role]:.0f} MB"))
            report(Figure(f"memory.{role}.growth", end / quarter[role], "x", end / quarter[role], "a quarter of them"))


async def _submit(place: Stage, writer: Writer, count: int, *, first: bool) -> None:
    """Submit, and wait until all are journalled."""
    begin = await _journalled(place)
    lane = lane_of(writer.body, SHAPE.lanes)
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
        if first:
            await producer.send([Outgoing(writer.open())], topic=SUBMISSIONS, partition=lane)
        for _ in range(0, count, CHUNK):
            letters = await asyncio.to_thread(_letters, writer)
            await producer.send(letters, topic=SUBMISSIONS, partition=lane)
    deadline = time.monotonic() + LIMIT_SECONDS
    while await _journalled(place) - begin < count:
        place.check()
        if time.monotonic() > deadline:
            message = f"fewer than {count} letters were routed in {LIMIT_SECONDS:.0f} s"
            raise TimeoutError(message)
        await asyncio.sleep(1)


def _letters(writer: Writer) -> list[Outgoing]:
    return [Outgoing(writer.letter("bench-001", size=256)) for _ in range(CHUNK)]


async def _journalled(place: Stage) -> int:
    positions = {(JOURNAL, partition): None for partition in range(SHAPE.journal_partitions)}
    async with PositionedReader(place.kafka("operator"), positions) as reader:
        return sum((await reader.end_offsets()).values())
