"""One body floods: what the others notice. Their p99 from submission to inbox, quiet and flooded.

The flooding body holds a valid certificate and says nothing wrong: signed letters in order, as fast as the
broker lets it, whatever it is told. What holds it back is what an installation has: the broker's quota for
one principal and the lane's budget for one body (rule 3.4). The others, some of them in the flooded lane,
say a few letters a second each to one body that reads.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

import uvloop

from bench.bare import arrivals, submit
from bench.letters import Writer, bodies, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.access import ROUTER
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import SubmissionProducer
from exchange.bus.quotas import EVERY_OTHER_USER, Quota, set_quotas
from exchange.domain.errors import BusError
from exchange.embedded.installation import ADMIN
from exchange.resources import resource
from exchange.settings.quotas import read_allowances

OTHERS = 12
PER_SECOND = 100
WARM_UP_SECONDS = 45
SECONDS = 60
FLOOD_LETTERS = 100
FLOOD_WAIT_SECONDS = 0.1


@dataclass(slots=True)
class _Watch:
    """Letters of the others under way, by digest: when submitted; and how long each took. Seconds."""

    sent: dict[bytes, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    flooded: int = 0


@dataclass(frozen=True, slots=True)
class _Flooder:
    """What the flooding process needs, and nothing that cannot be handed over to it."""

    settings: KafkaSettings
    folder: Path
    exchange: bytes
    body: str
    recipient: str


async def run() -> None:
    """Quiet first, then with the flood, in the same installation."""
    flooder, reader, *others = bodies(OTHERS + 2)
    async with stage((flooder, reader, *others)) as place:
        (place.folder / "policy.toml").write_bytes(resource("config", "policy.toml").read_bytes())
        # All others write as one principal here.
        table = read_allowances(resource("config", "quotas.toml"))
        quotas: dict[str | None, Quota] = {EVERY_OTHER_USER: table.bodies}
        quotas.update(table.services)
        quotas[ADMIN] = table.services[ROUTER]
        await set_quotas(place.kafka("operator"), quotas)
        await place.warm()
        place.start_routers(2)
        flooding = _Flooder(place.kafka(flooder), place.folder, place.directory.exchange, flooder, reader)
        watch = _Watch()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(place, reader, watch))
            async with SubmissionProducer(place.kafka("operator")) as producer:
                writers = [
                    _writer(place.folder, place.directory.exchange, *one)
                    for one in zip(others, range(OTHERS), strict=True)
                ]
                for writer in writers:
                    await submit(producer, writer.body, [writer.open()])
                await _say(producer, writers, reader, watch, WARM_UP_SECONDS)
                quiet = _p99(await _say(producer, writers, reader, watch, SECONDS))
                before = watch.flooded
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    offered = pool.submit(_flood, flooding)
                    flooded = _p99(await _say(producer, writers, reader, watch, SECONDS))
                    taken = watch.flooded - before
                    report(Figure("flood.offered", await asyncio.wrap_future(offered) / SECONDS, "letters/s"))
            listening.cancel()
    report(Figure("flood.taken", taken / SECONDS, "letters/s"))
    report(Figure("flood.quiet.p99", quiet * 1000, "ms"))
    report(Figure("flood.flooded.p99", flooded * 1000, "ms", flooded / quiet, "the others' p99 without the flood"))


def _writer(folder: Path, exchange: bytes, body: str, seed: int) -> Writer:
    return Writer(exchange, body, statement_keys(folder, body), system.now(), seed)


async def _say(
    producer: SubmissionProducer, writers: Sequence[Writer], reader: str, watch: _Watch, seconds: float
) -> list[float]:
    """Submit at an even pace, each body in turn; how long each letter took, those still missing included."""
    watch.waits.clear()
    begin = time.monotonic()
    for index in range(round(PER_SECOND * seconds)):
        await asyncio.sleep(max(0.0, begin + index / PER_SECOND - time.monotonic()))
        writer = writers[index % len(writers)]
        letter = writer.letter(reader)
        watch.sent[writer.last] = time.monotonic()
        await submit(producer, writer.body, [letter])
    await asyncio.sleep(2)
    now = time.monotonic()
    return watch.waits + [now - sent for sent in watch.sent.values()]


def _p99(waits: Sequence[float]) -> float:
    return quantiles(waits, n=100)[98]


async def _listen(place: Stage, body: str, watch: _Watch) -> None:
    async for arrived in arrivals(place.kafka("operator"), body):
        place.check()
        for decided in arrived:
            sent = watch.sent.pop(decided.decision.statement, None)
            if sent is None:
                watch.flooded += 1
            else:
                watch.waits.append(time.monotonic() - sent)


def _flood(flooder: _Flooder) -> int:
    """In a process of its own: submit for a minute; how many letters the broker took."""
    return uvloop.run(_submit_all(flooder))


async def _submit_all(flooder: _Flooder) -> int:
    writer = _writer(flooder.folder, flooder.exchange, flooder.body, OTHERS)
    offered = 0
    end = time.monotonic() + SECONDS
    async with SubmissionProducer(flooder.settings) as producer:
        await submit(producer, flooder.body, [writer.open()])
        while time.monotonic() < end:
            letters = [writer.letter(flooder.recipient) for _ in range(FLOOD_LETTERS)]
            try:
                await submit(producer, flooder.body, letters)
            except BusError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(FLOOD_WAIT_SECONDS)
            else:
                offered += len(letters)
    return offered
