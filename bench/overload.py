"""Ten minutes of three times what an installation can do: what it keeps, what it tells, how soon it is itself again.

Three bodies without document systems write to one another through agents, a router and the tracker, each a
process of its own. Programs leave letters in the spools. First as many as are taken: that is the capacity. Then
three times as many a second, by the clock and whatever is answered: a letter that is told `slowed-by-exchange` stays
with its program, which here forgets it. Then nothing, until all that was taken has arrived; and from a minute after
the last of them the same single letters as before, each from submission until its recipient's signed word is back.
"""

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from bench.letters import bodies, draft
from bench.report import Figure, report
from bench.stage import Stage, resident_mb, stage
from exchange.agent.mailbox import Mailbox
from exchange.domain.errors import SpoolError
from exchange.settings.agent import agent_settings
from exchange.wiring.agent import open_desk

BODIES = 3
FILE_BYTES = 1024
AT_ONCE = 20
"""Letters that a program leaves together."""
WARM_SECONDS = 45
CAPACITY_SECONDS = 45
OVERLOAD_SECONDS = 600
TIMES = 3
SINGLE_LETTERS = 200
SINGLE_SECONDS = 0.1
LOOK_SECONDS = 0.005
RECOVERY_SECONDS = 60
LIMIT_SECONDS = 900.0
GOALS_MB = {"router": 200.0, "agent": 80.0, "tracker": 200.0}


@dataclass(slots=True)
class _Offered:
    """What programs offered: letters in the spool, and letters that were told to wait."""

    kept: int = 0
    told: int = 0


@dataclass
class _Scene:
    """The bodies' mailboxes and spools, and the processes by role."""

    mailboxes: Mapping[str, Mailbox]
    spools: Mapping[str, sqlite3.Connection]
    pids: Mapping[str, tuple[int, ...]]
    offered: _Offered = field(default_factory=_Offered)
    singles: int = 0

    def kept(self) -> int:
        """Letters that programs left, in all spools."""
        return self._sum("SELECT count(*) FROM outgoing WHERE kind = 'letter'")

    def arrived(self) -> int:
        """Letters that recipients hold, in all spools."""
        return self._sum("SELECT count(*) FROM incoming WHERE kind = 'letter'")

    def under_way(self) -> int:
        """What any body has said and the exchange has not confirmed."""
        return self._sum("SELECT count(*) FROM outgoing WHERE state IN ('draft', 'signed')")

    def memory_mb(self) -> dict[str, float]:
        """Of each role's largest process."""
        return {role: max(map(resident_mb, pids)) for role, pids in self.pids.items()}

    def _sum(self, query: str) -> int:
        return sum(connection.execute(query).fetchone()[0] for connection in self.spools.values())


async def run() -> None:
    """Capacity, quiet, overload, recovery, quiet again."""
    codes = tuple(bodies(BODIES))
    async with stage(codes) as place:
        await place.warm()
        with ExitStack() as open_:
            scene = _scene(place, codes, open_)
            await _offer(scene, 0, WARM_SECONDS)
            before, begun = scene.arrived(), time.monotonic()
            await _offer(scene, 0, CAPACITY_SECONDS)
            capacity = (scene.arrived() - before) / (time.monotonic() - begun)
            await _drained(place, scene)
            quiet = await _singles(place, scene)
            scene.offered = _Offered()
            start = scene.memory_mb()
            watching = asyncio.create_task(_peak(scene))
            await _offer(scene, capacity * TIMES, OVERLOAD_SECONDS)
            ended = time.monotonic()
            watching.cancel()
            [peak] = await asyncio.gather(watching)
            await _drained(place, scene)
            drained = time.monotonic() - ended
            await asyncio.sleep(max(0.0, ended + RECOVERY_SECONDS - time.monotonic()))
            again = await _singles(place, scene)
            lost = scene.kept() - scene.arrived()
            offered = scene.offered
    report(Figure("overload.capacity", capacity, "letters/s"))
    whole = offered.kept + offered.told
    report(Figure("overload.offered", whole / OVERLOAD_SECONDS, "letters/s", whole / OVERLOAD_SECONDS / capacity, "it"))
    report(Figure("overload.taken", offered.kept / OVERLOAD_SECONDS, "letters/s", offered.kept / whole, "offered"))
    report(Figure("overload.told", offered.told / OVERLOAD_SECONDS, "letters/s", offered.told / whole, "offered"))
    report(Figure("overload.lost", lost, "letters"))
    report(Figure("overload.drained", drained, "s", drained / RECOVERY_SECONDS, "goal of a minute"))
    for role, most in peak.items():
        goal = GOALS_MB.get(role)
        report(Figure(f"overload.memory.{role}", most, "MB", most / start[role], "before the overload"))
        if goal is not None:
            report(Figure(f"overload.memory.{role}.goal", most, "MB", most / goal, f"goal of {goal:.0f} MB"))
    for name, waits, against in (("quiet", quiet, None), ("again", again, quiet)):
        for part in (50, 99):
            value = _part(waits, part)
            ratio = None if against is None else value / _part(against, part)
            of = None if against is None else "the same before the overload"
            report(Figure(f"overload.{name}.p{part}", value * 1000, "ms", ratio, of))


def _scene(place: Stage, codes: tuple[str, ...], open_: ExitStack) -> _Scene:
    """Start every process; the mailboxes work beside the agents."""
    place.start_routers(1)
    routers = tuple(process.pid for process in place.processes)
    tracker = place.start("tracker", place.folder / "tracker.toml").pid
    agents, mailboxes, spools = [], {}, {}
    for code in codes:
        config = place.folder / f"agent-{code}.toml"
        config.write_text(_without_edms(config.read_text()))
        settings = agent_settings(config, {})
        desk = open_.enter_context(open_desk(settings))
        mailboxes[code] = desk.agent(settings.bodies).mailbox(code)
        spools[code] = open_.enter_context(_reading(settings.spool / "spool.sqlite"))
        agents.append(place.start("agent", config).pid)
    pids = {"broker": (place.broker,), "router": routers, "tracker": (tracker,), "agent": tuple(agents)}
    return _Scene(mailboxes, spools, pids)


def _without_edms(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("edms = ")) + "\n"


def _reading(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))


async def _offer(scene: _Scene, per_second: float, seconds: float) -> None:
    """Every body leaves letters for the next; at a pace by the clock, or as many as are taken when it is 0."""
    codes = tuple(scene.mailboxes)
    async with asyncio.TaskGroup() as programs:
        for index, code in enumerate(codes):
            recipient = codes[(index + 1) % len(codes)]
            programs.create_task(_program(scene, code, recipient, per_second / len(codes), seconds))


async def _program(scene: _Scene, code: str, recipient: str, per_second: float, seconds: float) -> None:
    begin, portions = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds:
        if per_second and (ahead := portions * AT_ONCE / per_second - passed) > 0:
            await asyncio.sleep(ahead)
        letters = [draft(f"{code}-{begin}-{portions}-{number}", recipient, FILE_BYTES) for number in range(AT_ONCE)]
        portions += 1
        try:
            await scene.mailboxes[code].submit(*letters)
        except SpoolError as error:
            if error.code != "slowed-by-exchange":
                raise
            scene.offered.told += AT_ONCE
            if not per_second:
                await asyncio.sleep(0.1)
        else:
            scene.offered.kept += AT_ONCE


async def _drained(place: Stage, scene: _Scene) -> None:
    """Wait until everything that was left has arrived and is confirmed."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while scene.under_way() or scene.arrived() < scene.kept():
        place.check()
        if time.monotonic() > deadline:
            message = f"{scene.under_way()} under way, {scene.kept() - scene.arrived()} letters not arrived"
            raise TimeoutError(message)
        await asyncio.sleep(0.5)


async def _singles(place: Stage, scene: _Scene) -> list[float]:
    """Single letters from the first body to the second; how long until its signed word is back, seconds."""
    first, second, *_ = scene.mailboxes
    waits = []
    for _ in range(SINGLE_LETTERS):
        place.check()
        scene.singles += 1
        name, begun = f"single-{scene.singles}", time.monotonic()
        await scene.mailboxes[first].submit(draft(name, second, FILE_BYTES))
        while not _answered(scene.spools[first], name):  # noqa: ASYNC110 - another process makes it so
            await asyncio.sleep(LOOK_SECONDS)
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(SINGLE_SECONDS)
    return waits


def _answered(spool: sqlite3.Connection, message_id: str) -> bool:
    query = (
        "SELECT 1 FROM incoming JOIN outgoing ON outgoing.id = incoming.outgoing"
        " WHERE outgoing.key = ? AND outgoing.kind = 'letter' AND outgoing.body = 'bench-000'"
    )
    return spool.execute(query, (message_id,)).fetchone() is not None


async def _peak(scene: _Scene) -> dict[str, float]:
    """The most memory of each role, looked at every second until cancelled, MB."""
    peak: defaultdict[str, float] = defaultdict(float)
    try:
        while True:
            for role, megabytes in scene.memory_mb().items():
                peak[role] = max(peak[role], megabytes)
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        return dict(peak)


def _part(waits: list[float], part: int) -> float:
    return quantiles(waits, n=100)[part - 1]
