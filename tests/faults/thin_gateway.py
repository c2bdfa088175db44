"""A gateway's agent behind a thin line: letters of its bodies out, and to them in, until all is said about them."""

import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from random import Random

from exchange.agent.spool import Spool
from exchange.agent.spool.outgoing import OutgoingState
from exchange.bus.access import body_grants
from exchange.settings.toml import table_text
from tests.agent.edms import plain_letter
from tests.faults.agents import MANY, agent, mailbox, open_spool, spool_of
from tests.faults.thin_line import Shape, ThinLine
from tests.stage import Process, Stage, open_stage

GATEWAY, MINISTRY = "sanarip-aimak", "ministry"
SMALLEST, LARGEST = 30_000, 200_000
"""Bytes of a letter's file: scans and PDFs, which no compression makes smaller."""
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Crossing:
    """What the line carried for which letters.

    Attributes:
        out: bytes of the files that left.
        back: bytes of the files that came.
        sent: bytes on the line: from the gateway, and to it.
        seconds: until all was said about all of them.
        cuts: how often the line was cut meanwhile.
        connections: how many went over it, those to begin with too.
    """

    out: int
    back: int
    sent: tuple[int, int]
    seconds: float
    cuts: int
    connections: int

    @property
    def ratio(self) -> float:
        """Bytes on the line, both ways, for each byte of content."""
        return sum(self.sent) / (self.out + self.back)


def cross(folder: Path, shape: Shape, *, bodies: int, letters: int, answers: int, limit: float) -> Crossing:
    """Let letters cross the line both ways; each must arrive once, and the exchange hold all that it promises.

    Args:
        folder: of the exchange.
        shape: of the line.
        bodies: how many the gateway carries.
        letters: how many they send in all.
        answers: how many the ministry sends them.
        limit: seconds that it may take.
    """
    codes = tuple(f"ayil-okmotu-{number:02}" for number in range(bodies))
    line = ThinLine(shape, seed=3)
    with line.running(), open_stage(folder, (MINISTRY, GATEWAY, *codes), line.front) as stage:
        return asyncio.run(_cross(stage, line, codes, letters, answers, limit))


async def _cross(
    stage: Stage, line: ThinLine, codes: tuple[str, ...], letters: int, answers: int, limit: float
) -> Crossing:
    random = Random(5)
    out = {f"out-{number}": random.randint(SMALLEST, LARGEST) for number in range(letters)}
    back = {f"in-{number}": random.randint(SMALLEST, LARGEST) for number in range(answers)}
    async with _serving(stage, line, codes) as spool:
        await _until(lambda: _all_open(spool, codes), "every body's origin", limit)
        before, started = line.sent, time.monotonic()
        for code, (name, size) in zip(cycle(codes), out.items(), strict=False):
            await _leave(stage, spool, code, name, size, MINISTRY)
        with open_spool(stage, MINISTRY) as theirs, line.cutting():
            for code, (name, size) in zip(cycle(codes), back.items(), strict=False):
                await _leave(stage, theirs, MINISTRY, name, size, code)
            await _until(lambda: _all_heard(stage, spool, codes), "every word about what went out", limit)
            await _until(lambda: _all_heard(stage, theirs, (MINISTRY,)), "every word about what came in", limit)
            seconds, after = time.monotonic() - started, line.sent
            assert await _arrived(stage, theirs, (MINISTRY,)) == Counter(out.keys())
        assert await _arrived(stage, spool, codes) == Counter(back.keys())
    await stage.checker.check({MINISTRY: _file(stage, MINISTRY), **dict.fromkeys(codes, _file(stage, GATEWAY))})
    sent = after[0] - before[0], after[1] - before[1]
    return Crossing(sum(out.values()), sum(back.values()), sent, seconds, line.cuts, line.connections)


@asynccontextmanager
async def _serving(stage: Stage, line: ThinLine, codes: tuple[str, ...]) -> AsyncIterator[Spool]:
    """The router, the ministry's agent, and the gateway's; its spool, opened beside it."""
    stage.register(*(replace(stage.registered(code), gateway=GATEWAY) for code in codes))
    async with stage.administration() as administration:
        await administration.ensure_access(body_grants(GATEWAY, codes))
    config = _configured(stage)
    with stage.running("router"), agent(stage, MINISTRY), open_spool(stage, GATEWAY) as spool:
        words = [sys.executable, "-m", "exchange.cli", "agent", "--config", str(config)]
        process = Process(words, stage.installation.log("gateway"))
        line.process = process.pid
        try:
            yield spool
            assert process.running, process.said[-5:]
        finally:
            process.close()


def _configured(stage: Stage) -> Path:
    """The gateway's configuration: no body is named, the line is thin, and the directory's copy is kept new."""
    copy = stage.folder / "copies" / GATEWAY
    shutil.copytree(stage.folder / "directory", copy)
    config = stage.installation.config(f"agent-{GATEWAY}")
    before, _, own = config.read_text(encoding="utf-8").partition("[[body]]")
    before = before.replace("[kafka]\n", '[kafka]\nline = "thin"\n')
    table = table_text("gateway", body=GATEWAY, keys="authority/bodies/{body}")
    after = own[own.index("\n[") :].replace('folder = "directory"', f'folder = "copies/{GATEWAY}"\nfollow = true')
    config.write_text(before + table + after, encoding="utf-8")
    return config


async def _leave(stage: Stage, spool: Spool, body: str, name: str, size: int, to: str) -> None:
    data = Random(name).randbytes(size)
    await mailbox(stage, spool, body).submit(plain_letter(name, to, data=data))


def _file(stage: Stage, body: str) -> Path:
    return spool_of(stage, body) / "spool.sqlite"


async def _all_open(spool: Spool, codes: tuple[str, ...]) -> bool:
    (count,) = await spool.run(lambda c: c.execute("SELECT count(*) FROM origins WHERE taken_number > 0").fetchone())
    return bool(count == len(codes))


async def _all_heard(stage: Stage, spool: Spool, codes: tuple[str, ...]) -> bool:
    """Whether every letter is taken and said to be delivered."""
    sent = [letter for code in codes for letter in await mailbox(stage, spool, code).sent(MANY)]
    return all(letter.state is OutgoingState.TAKEN and letter.heard for letter in sent)


async def _arrived(stage: Stage, spool: Spool, codes: tuple[str, ...]) -> Counter[str]:
    """How often each letter arrived."""
    found = [each for code in codes for each in await mailbox(stage, spool, code).arrived(MANY)]
    return Counter(each.arrived.letter.message_id for each in found)


async def _until(done: Callable[[], Awaitable[bool]], what: str, limit: float) -> None:
    deadline = time.monotonic() + limit
    while not await done():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(LOOK_SECONDS)
