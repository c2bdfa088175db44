"""The body that lost its letters: it says of each that comes once more that its document system has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import uvloop

from bench.bare import arrivals, submit
from bench.letters import Writer, statement_keys
from bench.stage import Stage
from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import SubmissionProducer
from exchange.domain.event import Event
from exchange.domain.statement import Command, Letter
from exchange.wire.records import decode_statement


@dataclass(frozen=True, slots=True)
class _Answerer:
    """What the answering process needs, and nothing that cannot be handed over to it."""

    settings: KafkaSettings
    folder: Path
    exchange: bytes
    body: str


@contextmanager
def answering(place: Stage, body: str) -> Iterator[int]:
    """Let a body answer, in a process of its own; its id.

    As an agent does, it answers together what came together.
    """
    answerer = _Answerer(place.kafka("operator"), place.folder, place.directory.exchange, body)
    process = get_context("spawn").Process(target=_answer, args=(answerer,), daemon=True)
    process.start()
    try:
        yield process.pid or 0
    finally:
        process.terminate()
        process.join()


def _answer(answerer: _Answerer) -> None:
    uvloop.run(_answer_all(answerer))


async def _answer_all(answerer: _Answerer) -> None:
    settings, body = answerer.settings, answerer.body
    keys = statement_keys(answerer.folder, body)
    writer, senders = Writer(answerer.exchange, body, keys, system.now(), 0), dict[bytes, str]()
    async with SubmissionProducer(settings) as producer:
        await submit(producer, body, [writer.open()])
        async for arrived in arrivals(settings, body):
            receipts = []
            for decided in arrived:
                statement = decode_statement(decided.statement)
                if isinstance(statement, Letter):
                    senders[decided.decision.statement] = statement.head.body
                elif isinstance(statement, Command) and statement.letter is not None:
                    receipts.append(writer.receipt(statement.letter, senders[statement.letter], Event.HANDED_OVER))
            if receipts:
                await submit(producer, body, receipts)
