"""Letters a second through a body's agent: out (drafted, signed, sent, proven taken) and in (verified, answered).

Every letter is in the spool with full sync before it is signed; a router takes it, so it counts once
the exchange has proven that it has it. The recipient's agent then reads the inbox that was filled,
verifies and keeps each letter, and signs and sends the `delivered` receipt, which is proven taken too.

Beside each in the same run: the same bytes bare, in the same batches and one step after the other:
a P-256 signature (in: a verification and a signature), a row in SQLite with full sync, Kafka's
idempotent producer over mutual TLS.
"""

import asyncio
import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.letters import Writer, draft, statement_keys
from bench.report import Figure, report
from bench.stage import stage
from exchange import system
from exchange.agent.agent import Agent
from exchange.agent.mailbox import Mailbox
from exchange.agent.ports import DraftLetter
from exchange.agent.status import Counters
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import inbox
from exchange.domain.errors import SpoolError
from exchange.domain.statement import Signed
from exchange.settings.agent import agent_settings
from exchange.wire.records import decode
from exchange.wiring.agent import open_desk

LETTERS = 40_000
WARM = 10_000
"""So many are not measured: the broker's Java is compiled while it works."""
FILE_BYTES = 1024
AT_ONCE = 50
SUBMITTERS = 16
"""Programs that each leave `AT_ONCE` letters in the spool and wait until they are on disk."""
SLOWED_SECONDS = 0.1
BARE_BATCH = 500
BARE = 10_000
LIMIT_SECONDS = 180.0
SENDER, RECIPIENT, NOBODY = "bench-000", "bench-001", "bench-002"


@dataclass(frozen=True, slots=True)
class _Run:
    """What an agent's process did: letters a second of wall time, microseconds of CPU a letter, largest memory."""

    rate: float
    cpu_us: float
    peak_mb: float


async def run() -> None:
    """One sender, then one recipient, each a process of its own; the router and the broker beside them."""
    async with stage((SENDER, RECIPIENT, NOBODY)) as place:
        await place.warm()
        bare = {
            name: await _in_process(_bare, place.folder, place.kafka("operator"), place.directory.exchange, verify)
            for name, verify in (("out", False), ("in", True))
        }
        place.start_routers(1)
        runs = {
            "out": await _in_process(_send, place.folder / f"agent-{SENDER}.toml"),
            "in": await _in_process(_receive, place.folder / f"agent-{RECIPIENT}.toml"),
        }
        place.check()
    for name, done in runs.items():
        limit = bare[name]
        report(Figure(f"agent.{name}", done.rate, "letters/s", done.rate / limit.rate, "the same bytes bare"))
        report(Figure(f"agent.{name}.cpu", done.cpu_us, "µs/letter", done.cpu_us / limit.cpu_us, "the same bytes bare"))
        report(Figure(f"agent.{name}.memory", done.peak_mb, "MB"))


async def _in_process(work: Callable[..., _Run], *arguments: object) -> _Run:
    """Run `work` in a process of its own."""

    def call() -> _Run:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(work, arguments)

    return await asyncio.to_thread(call)


def _send(config: Path) -> _Run:
    return uvloop.run(_sending(config))


async def _sending(config: Path) -> _Run:
    settings = agent_settings(config, {})
    with open_desk(settings) as desk:
        agent = desk.agent(settings.bodies)
        running = asyncio.create_task(agent.run())
        submitting = asyncio.create_task(_submit(agent))
        done = await _measured(desk.office.counters, "agent_taken_total", running)
        await submitting
        await _end(running)
    return done


async def _submit(agent: Agent) -> None:
    """Leave all letters in the spool, as programs do that wait for their own."""
    mailbox = agent.mailbox(SENDER)
    starts = iter(range(0, LETTERS, AT_ONCE))

    async def submitter() -> None:
        for start in starts:
            drafts = [draft(f"m-{number}", RECIPIENT, FILE_BYTES) for number in range(start, start + AT_ONCE)]
            await _leave(mailbox, drafts)

    async with asyncio.TaskGroup() as group:
        for _ in range(SUBMITTERS):
            group.create_task(submitter())


async def _leave(mailbox: Mailbox, drafts: Sequence[DraftLetter]) -> None:
    """Leave letters in the spool; when it takes no more for now, a little later."""
    while True:
        try:
            return await mailbox.submit(*drafts)
        except SpoolError as error:
            if error.code != "slowed-by-exchange":
                raise
            await asyncio.sleep(SLOWED_SECONDS)


def _receive(config: Path) -> _Run:
    return uvloop.run(_receiving(config))


async def _receiving(config: Path) -> _Run:
    """Read what was sent; a letter is done when its `delivered` receipt is proven taken."""
    settings = agent_settings(config, {})
    with open_desk(settings) as desk:
        running = asyncio.create_task(desk.agent(settings.bodies).run())
        done = await _measured(desk.office.counters, "agent_taken_total", running)
        await _end(running)
    return done


async def _measured(counters: Counters, name: str, running: asyncio.Task[None]) -> _Run:
    """Wait for all letters; measure from the end of the warm-up on."""
    begun: tuple[int, float, float] | None = None
    deadline = time.monotonic() + LIMIT_SECONDS
    while (count := sum(value for (counted, _), value in counters.read().items() if counted == name)) < LETTERS:
        if running.done() or time.monotonic() > deadline:
            message = f"only {count} of {LETTERS} letters in {LIMIT_SECONDS:.0f} s: {running}"
            raise TimeoutError(message)
        if begun is None and count >= WARM:
            begun = count, time.monotonic(), time.process_time()
        await asyncio.sleep(0.02)
    if begun is None:
        message = "all letters came at once: measure more of them"
        raise ValueError(message)
    return _run(count - begun[0], time.monotonic() - begun[1], time.process_time() - begun[2])


def _run(count: int, seconds: float, cpu: float) -> _Run:
    return _Run(count / seconds, cpu / count * 1e6, _peak_mb())


def _peak_mb() -> float:
    """Most memory that was ever resident; `getrusage` would also count what the parent had before the exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


async def _end(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait([running])


def _bare(folder: Path, kafka: KafkaSettings, exchange: bytes, verify: bool) -> _Run:  # noqa: FBT001  # crosses a process
    return uvloop.run(_barely(folder, kafka, exchange, verify=verify))


async def _barely(folder: Path, kafka: KafkaSettings, exchange: bytes, *, verify: bool) -> _Run:
    writer = Writer(exchange, SENDER, statement_keys(folder, SENDER), system.now(), seed=1)
    records = [writer.letter(RECIPIENT, FILE_BYTES) for _ in range(BARE)]
    statements = [decode(Signed, record).statement for record in records]
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, value = key.public_key(), key.sign(statements[0], algorithm)
    connection = sqlite3.connect(folder / f"bare-{verify}.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, record BLOB NOT NULL)")
    async with SubmissionProducer(kafka) as producer:
        await producer.send([Outgoing(records[0])], topic=inbox(NOBODY), partition=0)
        started, cpu = time.monotonic(), time.process_time()
        for first in range(0, BARE, BARE_BATCH):
            for statement in statements[first : first + BARE_BATCH]:
                if verify:
                    public.verify(value, statements[0], algorithm)
                key.sign(statement, algorithm)
            batch = records[first : first + BARE_BATCH]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO kept (record) VALUES (?)", [(record,) for record in batch])
            connection.execute("COMMIT")
            await producer.send([Outgoing(record) for record in batch], topic=inbox(NOBODY), partition=0)
        done = _run(BARE, time.monotonic() - started, time.process_time() - cpu)
    connection.close()
    return done
