"""Submit to signed registration receipt back, at 200 letters a second.

The participants are bare: a sender that submits and reads its inbox, a recipient that verifies each
letter, signs the registration and submits it. So this is the exchange's share; an agent adds its
spool's fsync on both sides and how often it looks at its EDMS. A fresh broker's Java is compiled while
it works: a commit takes 20 ms in its first seconds and 5 ms after half a minute, so warm-up is long.
"""

import asyncio
import time
from statistics import quantiles

from bench.bare import arrivals, submit
from bench.letters import Writer, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.producer import SubmissionProducer
from exchange.domain.event import Event
from exchange.domain.statement import Receipt
from exchange.security.trust import Trust
from exchange.wire.records import decode_statement

PER_SECOND = 200
SECONDS = 20
WARM_UP_SECONDS = 45


async def run() -> None:
    """Two bodies, two router processes."""
    async with stage(("bench-000", "bench-001")) as place:
        await place.warm()
        place.start_routers(2)
        waits = await _converse(place)
    cuts = quantiles(waits, n=100)
    report(Figure("latency.p50", cuts[49] * 1000, "ms", cuts[49] * 1000 / 40, "goal of 40 ms"))
    report(Figure("latency.p99", cuts[98] * 1000, "ms", cuts[98] * 1000 / 150, "goal of 150 ms"))


async def _converse(place: Stage) -> list[float]:
    now = system.now()
    sender, recipient = (
        Writer(place.directory.exchange, body, statement_keys(place.folder, body), now, seed)
        for seed, body in enumerate(place.bodies)
    )
    sent: dict[bytes, float] = {}
    waits: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        participants = [
            tasks.create_task(_answer(place, recipient)),
            tasks.create_task(_hear(place, sent, waits)),
        ]
        async with SubmissionProducer(place.kafka(sender.body)) as producer:
            await submit(producer, sender.body, [sender.open()])
            begin = time.monotonic()
            for index in range(PER_SECOND * (SECONDS + WARM_UP_SECONDS)):
                place.check()
                await asyncio.sleep(max(0.0, begin + index / PER_SECOND - time.monotonic()))
                letter = sender.letter(recipient.body)
                sent[sender.last] = time.monotonic()
                await submit(producer, sender.body, [letter])
        await asyncio.sleep(2)
        for task in participants:
            task.cancel()
    return waits[PER_SECOND * WARM_UP_SECONDS :]


async def _answer(place: Stage, recipient: Writer) -> None:
    """Verify what arrives as of its decision, register it, submit the signed receipt."""
    trust = Trust(place.directory)
    settings = place.kafka(recipient.body)
    async with SubmissionProducer(settings) as producer:
        await submit(producer, recipient.body, [recipient.open()])
        async for arrived in arrivals(settings, recipient.body):
            receipts = []
            for entry in arrived:
                body = trust.verify_statement(entry.statement, entry.signature, entry.decision.decided)
                receipts.append(recipient.receipt(entry.decision.statement, body, Event.REGISTERED))
            if receipts:
                await submit(producer, recipient.body, receipts)


async def _hear(place: Stage, sent: dict[bytes, float], waits: list[float]) -> None:
    body = place.bodies[0]
    async for arrived in arrivals(place.kafka(body), body):
        for entry in arrived:
            statement = decode_statement(entry.statement)
            if isinstance(statement, Receipt):
                waits.append(time.monotonic() - sent[statement.letter])
