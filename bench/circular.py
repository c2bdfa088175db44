"""A letter to a country: how long until all 941 copies are there, and what others of its lane notice.

One body writes to `all`. Meanwhile others of the same lane say a letter every 20 ms to one body that
reads: quiet first, then with a circular every two seconds, most of them just before one of theirs. Every
inbox was written to twice before: the first entry of a log's index costs the broker ten milliseconds a
partition and more, and each log has that once.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from aiokafka.client import AIOKafkaClient

from bench.letters import Writer, statement_keys
from bench.report import Figure, report
from bench.stage import Stage, stage
from exchange import system
from exchange.bus.connection import aiokafka_options
from exchange.bus.lookup import End, Partition, offsets
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import SUBMISSIONS, inbox
from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import lane_of
from exchange.domain.statement import Group
from exchange.embedded.installation import SHAPE
from exchange.wire.records import decode, kind_of

BODIES = 942
CIRCULARS = 15
OTHERS = 4
APART_SECONDS = 0.02
CIRCULAR_APART_SECONDS = 2.0
WARM_UP_SECONDS = 30
SECONDS = 40
LOOK_SECONDS = 0.005

Waits = dict[float, float]
"""Seconds that a letter took, by when it was submitted."""


async def run() -> None:
    """The circulars alone, then others quiet and beside them, in the same installation."""
    sender, reader, *others = codes = tuple(_codes(BODIES))
    lane = lane_of(sender, SHAPE.lanes)
    neighbours = [code for code in others if lane_of(code, SHAPE.lanes) == lane][:OTHERS]
    async with stage(codes) as place:
        await place.warm()
        await place.warm()
        place.start_routers(2)
        async with SubmissionProducer(place.kafka("operator"), delivery_seconds=120) as producer:
            talk = _Talk(place, producer, [_writer(place, code) for code in neighbours], reader)
            circular = _writer(place, sender)
            await talk.submit(circular.body, circular.open())
            await talk.open()
            await talk.quiet(WARM_UP_SECONDS)
            alone = await _alone(place, talk, circular)
            quiet = await talk.quiet(SECONDS)
            beside, sent = await talk.beside(circular, SECONDS)
    _tell(alone, quiet, beside, sent)


def _tell(alone: Sequence[float], quiet: Waits, beside: Waits, sent: Sequence[float]) -> None:
    copies = BODIES - 1
    report(Figure(f"circular.{copies}.p50", median(alone), "s", median(alone), "goal of 1 s"))
    report(Figure(f"circular.{copies}.worst", max(alone), "s", max(alone), "goal of 1 s"))
    p99 = _p99(quiet)
    report(Figure("circular.others.quiet.p50", median(quiet.values()) * 1000, "ms"))
    report(Figure("circular.others.quiet.p99", p99 * 1000, "ms"))
    report(Figure("circular.others.p99", _p99(beside) * 1000, "ms", _p99(beside) / p99, "the others' p99 without"))
    # Also in a quiet second one letter of fifty waits longest: what is more behind a circular is its doing.
    usual, behind = _worst(quiet, [min(quiet) + second for second in range(SECONDS)]), _worst(beside, sent)
    extra, words = median(behind) - median(usual), "goal of 100 ms more than the longest wait of a quiet second"
    report(Figure("circular.others.worst", median(behind) * 1000, "ms", median(behind) / median(usual), "quiet"))
    report(Figure("circular.others.extra", extra * 1000, "ms", extra / 0.1, words))


def _worst(waits: Waits, begins: Sequence[float]) -> list[float]:
    """The longest wait of the letters of each second."""
    return [max(wait for at, wait in waits.items() if begin <= at < begin + 1) for begin in begins]


class _Talk:
    """Others of the circular's lane who write to one body that reads."""

    def __init__(self, place: Stage, producer: SubmissionProducer, writers: Sequence[Writer], reader: str) -> None:
        self._place = place
        self._producer = producer
        self._writers = writers
        self._reader = reader
        self._under_way: dict[bytes, float] = {}
        self._waits: Waits = {}

    async def submit(self, body: str, value: bytes) -> None:
        """Write to the lane of `body`."""
        record = Outgoing(value, body.encode())
        await self._producer.send([record], topic=SUBMISSIONS, partition=lane_of(body, SHAPE.lanes))

    async def open(self) -> None:
        """Everybody's first statement."""
        for writer in self._writers:
            await self.submit(writer.body, writer.open())

    async def quiet(self, seconds: float) -> Waits:
        """How long letters take."""
        return (await self._say(seconds, None))[0]

    async def beside(self, circular: Writer, seconds: float) -> tuple[Waits, list[float]]:
        """How long they take beside circulars, and when these were submitted."""
        return await self._say(seconds, circular)

    async def _say(self, seconds: float, circular: Writer | None) -> tuple[Waits, list[float]]:
        self._waits = {}
        sent: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            await asyncio.sleep(1)
            begin = time.monotonic()
            for index in range(round(seconds / APART_SECONDS)):
                await asyncio.sleep(max(0.0, begin + index * APART_SECONDS - time.monotonic()))
                now = time.monotonic()
                if circular is not None and now >= begin + len(sent) * CIRCULAR_APART_SECONDS:
                    sent.append(now)
                    value = circular.circular(Group("all", self._place.directory.version))
                    await self.submit(circular.body, value)
                writer = self._writers[index % len(self._writers)]
                letter = writer.letter(self._reader)
                self._under_way[writer.last] = time.monotonic()
                await self.submit(writer.body, letter)
            await asyncio.sleep(2)
            listening.cancel()
        return self._waits, sent

    async def _listen(self) -> None:
        place = {(inbox(self._reader), 0): None}
        async with PositionedReader(self._place.kafka("operator"), place, fetch_wait_seconds=0.5) as reader:
            while True:
                self._place.check()
                for entry in _entries(await reader.read(1.0)):
                    submitted = self._under_way.pop(entry.decision.statement, None)
                    if submitted is not None:
                        self._waits[submitted] = time.monotonic() - submitted


async def _alone(place: Stage, talk: _Talk, circular: Writer) -> list[float]:
    """Seconds from the submission of each circular until every inbox shows it as committed; nobody reads meanwhile."""
    inboxes = [(inbox(code), 0) for code in place.bodies if code != circular.body]
    took = []
    client = AIOKafkaClient(**aiokafka_options(place.kafka("operator")))
    await client.bootstrap()
    try:
        await client.set_topics([topic for topic, _ in inboxes])
        before = await offsets(client, inboxes, End.STABLE)
        for _ in range(CIRCULARS):
            begin = time.monotonic()
            await talk.submit(circular.body, circular.circular(Group("all", place.directory.version)))
            # One alone is asked for, again and again; then the rest.
            await _changed(client, inboxes[-1:], before)
            await _changed(client, inboxes, before)
            took.append(time.monotonic() - begin)
            await asyncio.sleep(1)
            before = await offsets(client, inboxes, End.STABLE)
    finally:
        await client.close()
    return took


async def _changed(client: AIOKafkaClient, partitions: Sequence[Partition], before: dict[Partition, int]) -> None:
    """Wait until each has more that is committed."""
    while partitions:
        ends = await offsets(client, partitions, End.STABLE)
        partitions = [each for each in partitions if ends[each] == before[each]]
        await asyncio.sleep(LOOK_SECONDS if partitions else 0)


def _entries(records: Sequence[object]) -> Iterator[Decided]:
    """Decisions among what an inbox holds, beside notices and what it was warmed with."""
    values = [record.value for record in records if isinstance(record, Record) and record.value and any(record.value)]
    return (decode(Decided, decode(Journalled, value).entry) for value in values if kind_of(value) is Journalled)


def _codes(count: int) -> Iterator[str]:
    """Made-up codes, as long as those of aiyl aimaks: every copy names everybody."""
    return (f"ao-{41702205805000 + index}" for index in range(count))


def _writer(place: Stage, code: str) -> Writer:
    return Writer(place.directory.exchange, code, statement_keys(place.folder, code), system.now(), int(code[3:]))


def _p99(waits: Waits) -> float:
    return quantiles(waits.values(), n=100)[98]
