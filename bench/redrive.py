"""Letters redriven by a task while live traffic runs: how long live letters wait with it and without, in the same run.

One body's document system has lost everything; a task redrives it all. Router, tracker and console are processes as
in an installation, the body that answers each redelivered letter is one of its own; who writes live letters is here.
The task may say a twentieth of what the router did with the letters when they came the first time; how much of that it
uses is up to the throttle of the console, `exchange.services.tasks.throttle`, which has some minutes to find its pace.
Then the task is paused and resumed in turn, so that both kinds of windows see the same machine. At the end it is
cancelled, and everything that it said must have come to its result: fifteen minutes in all.

`REDRIVE_LETTERS=20000 REDRIVE_SHARE=0.01 python -m bench redrive` takes fewer letters than 100,000, and another share
than a twentieth; with `REDRIVE_WHOLE=yes` the task goes on to its end, at its pace.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles

import sqlalchemy as sa

from bench.backlog import cpu_seconds
from bench.bare import arrivals, submit
from bench.letters import Writer, bodies, statement_keys
from bench.redelivered import answering
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.producer import SubmissionProducer
from exchange.domain.task import RATE, ItemState, Plan, TaskAct, TaskState
from exchange.domain.task import Stage as Part
from exchange.domain.user import Role, User
from exchange.services.tasks.office import Asked, TaskOffice, Told
from exchange.services.tasks.throttle import QUIET, WORK
from exchange.settings.console import console_settings
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.lists import DeliveryFilter
from exchange.store.schema import deliveries

LETTERS = int(os.environ.get("REDRIVE_LETTERS", "100000"))
SHARE = float(os.environ.get("REDRIVE_SHARE", "0.05"))
"""Of the router's measured pace; each redelivered letter costs it a command, a copy and a receipt."""
WHOLE = bool(os.environ.get("REDRIVE_WHOLE"))
LIVE_PER_SECOND = 100
LIVE_SENDERS = 4
AT_ONCE = 500
LEAD_SECONDS = 120.0
"""For the throttle to find its pace, behind sample and share."""
COUNTED_SECONDS = 3 * (WORK + QUIET).total_seconds()
SETTLE_SECONDS = 4.0
"""Before what counts of each window: the one before comes to its end."""
WINDOWS = 10
LIMIT_SECONDS = 600.0
"""Without any progress."""
GOAL = 1.1

AUTHOR = User("author", "Author", frozenset({Role.OPERATOR}))
SECOND = User("second", "Second", frozenset({Role.OPERATOR}))


@dataclass(slots=True)
class _Live:
    """Live letters: when they were submitted, by digest; how long each that came took, seconds."""

    sent: dict[bytes, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Windows:
    """What was seen in windows of one kind.

    Attributes:
        waits: of live letters, seconds.
        seconds: how long these windows were.
        said: letters of the task.
        busy: CPU seconds of each process.
    """

    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    said: int = 0
    busy: Counter[str] = field(default_factory=Counter)

    def part(self, cut: int) -> float:
        """A percentile of the waits."""
        return quantiles(self.waits, n=100)[cut - 1]

    @property
    def live(self) -> float:
        """Live letters a second."""
        return len(self.waits) / self.seconds

    @property
    def pace(self) -> float:
        """The task's letters a second."""
        return self.said / self.seconds


async def run() -> None:
    """Everything once as new letters; then once more by a task."""
    sender, lost, reader, *writers = bodies(3 + LIVE_SENDERS)
    async with stage((sender, lost, reader, *writers), console=True) as place:
        await place.warm()
        settings = console_settings(place.folder / "console.toml", {})
        with Store(settings.store) as store, DeskStore(settings.desk) as desk:
            store.migrate()
            desk.migrate()
            pids = {"broker": place.broker, "tracker": place.start("tracker", place.folder / "tracker.toml").pid}
            pace = await _lose(place, store, sender, lost)
            pids["router"] = place.processes[-1].pid
            rate = min(RATE[-1], max(RATE[0], round(pace * SHARE)))
            pids["console"] = place.start("console", place.folder / "console.toml").pid
            office = TaskOffice(desk, store, system.now)
            with answering(place, lost) as pids["the body that answers"]:
                async with _live(place, reader, writers) as live:
                    task = await _begun(office, lost, rate)
                    await _until(place, office, task, lambda told: told.standing.stage is Part.REST)
                    await asyncio.sleep(LEAD_SECONDS)
                    windows = await _alternate(place, office, task, live, pids)
                    told = await _finished(place, office, task)
    _report(told, rate, windows[True], windows[False])


def _report(told: Told, rate: int, running: _Windows, paused: _Windows) -> None:
    """Live letters while the task runs, beside those while it is paused."""
    came = told.counts[ItemState.HANDED_OVER]
    said = _said(told)
    report(Figure("redrive.letters", came, "letters", came / said, "all that were said"))
    report(Figure("redrive.pace", running.pace, "letters/s", running.pace / rate, f"its rate of {rate}"))
    report(Figure("redrive.whole", LETTERS / running.pace / 60, "minutes", None, f"{LETTERS} at this pace"))
    for name, seconds in running.busy.items():
        more = seconds / running.seconds - paused.busy[name] / paused.seconds
        report(Figure(f"redrive.cpu {name}", more / running.pace * 1000, "ms/letter", more, "a core"))
    seen = told.task.going
    report(Figure("redrive.seen", seen.working * 1000, "ms", seen.working / seen.quiet, "quiet, as the throttle sees"))
    against = "the same while it is paused"
    for cut in (50, 95, 99):
        ratio = running.part(cut) / paused.part(cut)
        report(Figure(f"redrive.live.p{cut}", running.part(cut) * 1000, "ms", ratio, against))
    report(Figure("redrive.live.throughput", running.live, "letters/s", running.live / paused.live, against))
    slower = running.part(50) / paused.part(50)
    report(Figure("redrive.live.slower", slower, "times", slower / GOAL, f"goal of {GOAL}"))


async def _lose(place: Stage, store: Store, sender: str, lost: str) -> float:
    """Letters that go their way for the first time; how many a second the tracker saw."""
    writer = _writer(place, sender)
    async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
        await submit(producer, writer.body, [writer.open()])
        for start in range(0, LETTERS, AT_ONCE):
            some = await asyncio.to_thread(lambda: [writer.letter(lost) for _ in range(AT_ONCE)])
            await submit(producer, writer.body, some[: LETTERS - start])
    place.start_routers(1)
    query = sa.select(sa.func.count()).where(deliveries.c.recipient == lost)
    begun, first = time.monotonic(), 0
    while True:
        place.check()
        with store.reading() as connection:
            known = connection.execute(query).scalar_one()
        if not first:  # what it takes to start is left out
            begun, first = time.monotonic(), known
        elif known >= LETTERS:
            return (known - first) / (time.monotonic() - begun)
        if time.monotonic() > begun + LIMIT_SECONDS:
            message = f"only {known} of {LETTERS} letters were known after {LIMIT_SECONDS:.0f} s"
            raise TimeoutError(message)
        await asyncio.sleep(0.1)


def _writer(place: Stage, body: str, seed: int = 0) -> Writer:
    return Writer(place.directory.exchange, body, statement_keys(place.folder, body), system.now(), seed)


async def _begun(office: TaskOffice, lost: str, rate: int) -> str:
    """The id of a task that redrives everything, let run by two people."""
    asked = Asked(DeliveryFilter(recipient=lost), f"to:{lost}", Plan(rate=rate, sample=5, share=1), system.random_id())
    asking = time.monotonic()
    task = (await office.preview(AUTHOR, asked)).task
    report(Figure("redrive.preview", time.monotonic() - asking, "s"))
    if task.count != LETTERS:
        message = f"the task has {task.count} letters, not {LETTERS}"
        raise RuntimeError(message)
    begun = await office.begin(AUTHOR, task.id, "the bench lost them all")
    if begun.state is TaskState.WAITING:
        await office.act(SECOND, task.id, TaskAct.APPROVE)
    return task.id


async def _finished(place: Stage, office: TaskOffice, task: str) -> Told:
    """The task when everything that it said came to a result: cancelled, or at its end."""
    await office.act(AUTHOR, task, TaskAct.RESUME if WHOLE else TaskAct.CANCEL)
    return await _until(place, office, task, lambda told: told.task.state.is_last and told.results == _said(told))


async def _until(place: Stage, office: TaskOffice, task: str, done: Callable[[Told], bool]) -> Told:
    """Wait until a task is so far."""
    before, progressed = None, time.monotonic()
    while not done(told := await _told(office, task)):
        place.check()
        if told.counts != before:
            before, progressed = told.counts, time.monotonic()
        if told.task.state is TaskState.FAILED or time.monotonic() > progressed + LIMIT_SECONDS:
            message = f"the task is {told.task.state} {told.task.code} with {told.counts}"
            raise RuntimeError(message)
        await asyncio.sleep(2.0)
    return told


async def _told(office: TaskOffice, task: str) -> Told:
    return (await office.story(AUTHOR, task)).told


def _said(told: Told) -> int:
    return told.task.count - told.counts[ItemState.WAITING]


async def _alternate(
    place: Stage, office: TaskOffice, task: str, live: _Live, pids: Mapping[str, int]
) -> Mapping[bool, _Windows]:
    """Windows in which the task runs, by True, and between them those in which it is paused."""
    found = {True: _Windows(), False: _Windows()}
    for number in range(WINDOWS):
        runs = number % 2 == 0
        if number:
            await office.act(AUTHOR, task, TaskAct.RESUME if runs else TaskAct.PAUSE)
        await asyncio.sleep(SETTLE_SECONDS)
        seen, before, busy = found[runs], _said(await _told(office, task)), _busy(pids)
        live.waits.clear()
        begun = time.monotonic()
        await asyncio.sleep(COUNTED_SECONDS)
        place.check()
        seen.waits += live.waits
        seen.seconds += time.monotonic() - begun
        seen.busy += _busy(pids) - busy
        told = await _told(office, task)
        seen.said += _said(told) - before
        if not told.counts[ItemState.WAITING]:
            message = f"{LETTERS} letters are too few for the windows: give more by REDRIVE_LETTERS"
            raise RuntimeError(message)
    return found


def _busy(pids: Mapping[str, int]) -> Counter[str]:
    """CPU seconds of processes so far."""
    return Counter({name: cpu_seconds(pid) for name, pid in pids.items()})


@asynccontextmanager
async def _live(place: Stage, reader: str, writers: Sequence[str]) -> AsyncIterator[_Live]:
    """Letters at an even pace, each sender in turn, while the context lasts."""
    live = _Live()
    async with SubmissionProducer(place.kafka("operator")) as producer, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_hear(place, reader, live))]
        for seed, code in enumerate(writers, 1):
            tasks.append(group.create_task(_write(producer, _writer(place, code, seed), reader, live)))
        try:
            yield live
        finally:
            for each in tasks:
                each.cancel()


async def _write(producer: SubmissionProducer, writer: Writer, reader: str, live: _Live) -> None:
    await submit(producer, writer.body, [writer.open()])
    begun = time.monotonic()
    for number in count():
        await asyncio.sleep(max(0.0, begun + number * LIVE_SENDERS / LIVE_PER_SECOND - time.monotonic()))
        letter = writer.letter(reader)
        live.sent[writer.last] = time.monotonic()
        await submit(producer, writer.body, [letter])


async def _hear(place: Stage, body: str, live: _Live) -> None:
    async for arrived in arrivals(place.kafka("operator"), body):
        for decided in arrived:
            sent = live.sent.pop(decided.decision.statement, None)
            if sent is not None:
                live.waits.append(time.monotonic() - sent)
