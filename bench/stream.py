"""200 open consoles while 500 facts a second are taken: CPU of the console's process, and time to the screen.

From the tracker's commit to the bytes' arrival at each client, over sockets of this machine; PostgreSQL.
Beside it a bare writer that sends every client as many bytes in the same rhythm, from a process of its own.
"""

import asyncio
import math
import re
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil

from bench.crypto import NOW
from bench.report import Figure, report
from exchange.bus.topics import JOURNAL
from exchange.domain.delivery import Position
from exchange.domain.fact import Course, JournalFact, LetterFact, ReceiptFact, Registration
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.embedded.postgres import EmbeddedPostgres
from exchange.store.database import Store
from exchange.store.rows import PositionRow

CONSOLES = 200
FACTS_PER_SECOND = 500
COMMITS_PER_SECOND = 10
SECONDS = 20
SETTLE_SECONDS = 3.0

_PLACE = re.compile(rb"id: 0:(\d+)\n")


@dataclass
class Heard:
    """What all clients heard: bytes, and how long each commit took to each of them, in seconds."""

    size: int = 0
    latencies: list[float] = field(default_factory=list)


async def run() -> None:
    """The console, then the bare writer."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name, EmbeddedPostgres(Path(name)) as server:
        heard, cpu = await _console(server.url)
    size = round(heard.size / CONSOLES / (SECONDS / 0.25))
    raw, raw_cpu = await _bare(size)
    for share, word in ((0.5, "p50"), (0.95, "p95")):
        ours, theirs = _percentile(heard.latencies, share), _percentile(raw.latencies, share)
        report(Figure(f"stream.{word}", ours * 1000, "ms from commit to client"))
        report(Figure(f"stream.bare.{word}", theirs * 1000, "ms from write to client"))
    report(Figure("stream.cpu", cpu * 100, "% of a core", cpu / raw_cpu, "bare writer of as many bytes"))
    report(Figure("stream.bytes", heard.size / CONSOLES / SECONDS, "bytes/s to each client"))


async def _console(url: str) -> tuple[Heard, float]:
    commits: list[tuple[int, float]] = []
    heard = Heard()
    with Store(url) as store:
        store.migrate()
        _take(store, 0)
        async with (
            _process("console", url) as (process, port),
            _clients(port, heard, lambda place: _of(commits, place)),
        ):
            await asyncio.sleep(SETTLE_SECONDS)
            heard.size, before = 0, _cpu(process)
            await _write(store, commits)
            cpu = (_cpu(process) - before) / SECONDS
            await asyncio.sleep(1)
    expected = CONSOLES * len(commits)
    if len(heard.latencies) != expected:
        message = f"{len(heard.latencies)} of {expected} commits were heard"
        raise RuntimeError(message)
    return heard, cpu


async def _bare(size: int) -> tuple[Heard, float]:
    heard = Heard()
    async with (
        _process("bare", str(size)) as (process, port),
        _clients(port, heard, lambda place: [(place, place / 1e9)]),
    ):
        await asyncio.sleep(SETTLE_SECONDS)
        heard.latencies.clear()
        before = _cpu(process)
        await asyncio.sleep(SECONDS)
        return heard, (_cpu(process) - before) / SECONDS


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[tuple[psutil.Process, int]]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.stream_served", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert started.stdout is not None
    try:
        yield psutil.Process(started.pid), int(await started.stdout.readline())
    finally:
        started.terminate()
        await started.wait()


@asynccontextmanager
async def _clients(port: int, heard: Heard, commits: Callable[[int], list[tuple[int, float]]]) -> AsyncIterator[None]:
    """Open streams; `commits` gives those up to a place, oldest first, with when each was made."""
    tasks = [asyncio.create_task(_listen(port, heard, commits)) for _ in range(CONSOLES)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(port: int, heard: Heard, commits: Callable[[int], list[tuple[int, float]]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    told = 0
    while chunk := await reader.read(1 << 20):
        now = time.monotonic()
        heard.size += len(chunk)
        for found in _PLACE.finditer(chunk):
            new = [(place, at) for place, at in commits(int(found[1])) if place > told]
            heard.latencies += [now - at for _, at in new]
            told = max([told, *(place for place, _ in new)])


def _of(commits: list[tuple[int, float]], place: int) -> list[tuple[int, float]]:
    """The last commits up to a place."""
    end = bisect_right(commits, (place, math.inf))
    return commits[max(0, end - 2 * COMMITS_PER_SECOND) : end]


async def _write(store: Store, commits: list[tuple[int, float]]) -> None:
    """Commit in an even rhythm, as a tracker does that keeps up."""
    begun, each = time.monotonic(), FACTS_PER_SECOND // COMMITS_PER_SECOND
    for number in range(SECONDS * COMMITS_PER_SECOND):
        await asyncio.sleep(max(0.0, begun + number / COMMITS_PER_SECOND - time.monotonic()))
        last = await asyncio.to_thread(_take, store, 1 + number * each, each)
        commits.append((last, time.monotonic()))


def _take(store: Store, first: int, count: int = 1) -> int:
    """Facts of an endless journal: letters, each followed by its delivery; the last one's offset."""
    facts = [_fact(offset) for offset in range(first, first + count)]
    last = first + count - 1
    store.take(facts, [PositionRow(JOURNAL, 0, last, ZERO_DIGEST)])
    return last


def _fact(offset: int) -> JournalFact:
    at = NOW + timedelta(milliseconds=offset)
    course, place, letter = Course(at, at, at, at), Position(0, offset), digest(str(offset // 2).encode())
    sender, recipient = f"body-{offset // 2 % 40:02}", f"body-{(offset // 2 + 7) % 40:02}"
    if offset % 2:
        return ReceiptFact(place, letter, recipient, sender, course, "delivered", at, "", Registration(), "")
    return LetterFact(
        position=place,
        letter=letter,
        sender=sender,
        course=course,
        message_id=f"m-{offset}",
        consignment_id="",
        kind="DOCUMENT",
        urgency="ROUTINE",
        access="PUBLIC",
        conversation="",
        in_reply_to=None,
        reply_due=None,
        recipients=(recipient,),
        document=Registration(f"d-{offset}", f"01-{offset}", "2026-03-01"),
        items=1,
        size=20_000,
        reason="",
        detail="",
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]
