"""A gateway's agent with 452 bodies in one process: memory, what it costs idle, letters a second in and out.

Every body has its own key, inbox and folder of a document system. What comes in is verified, kept with full
sync, put into the body's folder by the ready profile, and receipted twice; what goes out is left in the spool by a
client beside the agent, a share for each body, and counts once the exchange has proven that it has it.
"""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from bench.letters import Writer, draft, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, resident_mb, stage
from exchange import system
from exchange.agent.drafts import Drafting
from exchange.agent.mailbox import Mailbox
from exchange.agent.spool import Spool
from exchange.bus.access import body_grants
from exchange.bus.administration import Administration
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import SUBMISSIONS
from exchange.domain.ids import lane_of
from exchange.embedded.installation import SHAPE
from exchange.resources import resource
from exchange.security.authority import Authority
from exchange.settings.toml import table_text
from tests.published import publish

GATEWAY, MINISTRY = "sanarip-aimak", "ministry"
PROFILE = "sanarip-aimak.toml"
BODIES = tuple(f"ayil-okmotu-{number:03}" for number in range(452))
EACH = 10
FILE_BYTES = 30_000
IDLE_SECONDS = 20.0
LIMIT_SECONDS = 300.0
GOAL_MB = 250.0
_TICKS = os.sysconf("SC_CLK_TCK")


async def run() -> None:
    """A ministry writes to every body, then every body to the ministry."""
    async with stage((MINISTRY, GATEWAY, *BODIES)) as place:
        async with Administration(place.kafka("operator")) as administration:
            await administration.ensure_access(body_grants(GATEWAY, BODIES))
        await place.warm()
        place.start_routers(1)
        agent = place.start("agent", _configured(place))
        spool = place.folder / "spool" / f"agent-{GATEWAY}" / "spool.sqlite"
        await _until(place, lambda: _count(spool, "origins WHERE taken_number > 0") == len(BODIES), "bodies open")
        await asyncio.sleep(5)
        report(Figure("gateway.memory.idle", resident_mb(agent.pid), "MB"))
        before = _cpu(agent.pid)
        await asyncio.sleep(IDLE_SECONDS)
        report(Figure("gateway.cpu.idle", (_cpu(agent.pid) - before) / IDLE_SECONDS * 100, "% of a core"))
        for name, work, done in (("in", _write, "incoming WHERE state = 'handed'"), ("out", _leave, _LETTERS_TAKEN)):
            cpu = _cpu(agent.pid)
            seconds = await _timed(place, spool, work, done)
            count = EACH * len(BODIES)
            report(Figure(f"gateway.{name}", count / seconds, "letters/s"))
            report(Figure(f"gateway.{name}.cpu", (_cpu(agent.pid) - cpu) / count * 1e6, "µs/letter"))
        peak = _peak_mb(agent.pid)
        report(Figure("gateway.memory", peak, "MB", peak / GOAL_MB, f"goal of {GOAL_MB:.0f} MB"))


_LETTERS_TAKEN = "outgoing WHERE state = 'taken' AND kind = 'letter'"


async def _timed(place: Stage, spool: Path, work: Callable[[Stage, Path], Awaitable[None]], done: str) -> float:
    started = time.monotonic()
    await work(place, spool)
    await _until(place, lambda: _count(spool, done) >= EACH * len(BODIES), done)
    return time.monotonic() - started


async def _write(place: Stage, _spool: Path) -> None:
    """The ministry's letters, handed in as fast as the broker takes them."""
    keys = statement_keys(place.folder, MINISTRY)
    writer = Writer(place.directory.exchange, MINISTRY, keys, system.now(), seed=1)
    lane = lane_of(MINISTRY, SHAPE.lanes)
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
        await producer.send([Outgoing(writer.open())], topic=SUBMISSIONS, partition=lane)
        for _ in range(EACH):
            letters = await asyncio.to_thread(lambda: [Outgoing(writer.letter(body, FILE_BYTES)) for body in BODIES])
            await producer.send(letters, topic=SUBMISSIONS, partition=lane)


async def _leave(place: Stage, spool: Path) -> None:
    """Each body's letters, left in the spool beside the agent."""
    drafting = Drafting(place.directory.exchange, 524288, system.now, system.random_bytes)
    with Spool(spool) as beside:
        for body in BODIES:
            drafts = [draft(f"{body}-{number}", MINISTRY, FILE_BYTES) for number in range(EACH)]
            await Mailbox(beside, body, drafting).submit(*drafts)


async def _until(place: Stage, done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not done():
        place.check()
        if time.monotonic() > deadline:
            message = f"not within {LIMIT_SECONDS:.0f} s: {what}"
            raise TimeoutError(message)
        await asyncio.sleep(0.25)


def _count(spool: Path, what: str) -> int:
    if not spool.exists():
        return 0
    connection = sqlite3.connect(f"file:{spool}?mode=ro", uri=True)
    try:
        (count,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608 - constants
    except sqlite3.OperationalError:  # it has only begun
        return 0
    finally:
        connection.close()
    return int(count)


def _configured(place: Stage) -> Path:
    """The directory gives all bodies to the gateway, whose configuration names none of them."""
    authority = Authority(place.folder / "authority", now=system.now())
    listed = place.directory.bodies
    publish(place.folder, authority, *(replace(listed[body], gateway=GATEWAY) for body in BODIES))
    shutil.copyfile(resource("config", "agents", PROFILE), place.folder / PROFILE)
    config = place.folder / f"agent-{GATEWAY}.toml"
    before, _, own = config.read_text().partition("[[body]]")
    table = table_text("gateway", body=GATEWAY, keys="authority/bodies/{body}", edms=PROFILE)
    config.write_text(before + table + own[own.index("\n[") :])
    return config


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_mb(pid: int) -> float:
    """Most memory that was ever resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
