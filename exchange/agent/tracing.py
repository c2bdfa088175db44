"""What an agent does with letters, as steps of their traces (`exchange.domain.trace`)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from exchange.agent.arrivals import LetterArrival, RedriveArrival
from exchange.agent.spool.incoming import ArrivalKind, Kept
from exchange.agent.transport import Partition
from exchange.bus.producer import Outgoing
from exchange.bus.records import PoisonedBatch, Taken
from exchange.domain.trace import Doing, SpanPlace, Traces, TraceStep
from exchange.wire.headers import LETTER_TYPE, hints


def sending(letter: bytes, began: datetime) -> str:
    """The header that names the step in which a letter is sent; a repeat is another step."""
    return SpanPlace.of(letter, Doing.SEND, began.isoformat()).traceparent


def tell_sent(
    traces: Traces,
    lane: Partition,
    records: Iterable[Outgoing],
    times: tuple[datetime, datetime],
    code: str = "",
) -> None:
    """Letters among records were written to a lane, or were not: then `code` says why. What they are, headers say."""
    topic, partition = lane
    for record in records:
        said = hints(record.headers)
        place = SpanPlace.read(said.get("traceparent"))
        if place is None or said.get("ce_type") != LETTER_TYPE:
            continue
        step = TraceStep(
            Doing.SEND,
            bytes.fromhex(said["ce_id"]),
            place,
            None,
            (record.key or b"").decode(),
            *times,
            size=len(record.value or b""),
            outcome="failed" if code else "sent",
            code=code,
            topic=topic,
            partition=partition,
        )
        traces.tell(step)


def tell_taken(
    traces: Traces,
    bodies: Mapping[str, str],
    taken: Iterable[tuple[Taken, object]],
    times: tuple[datetime, datetime],
) -> None:
    """Letters among what inboxes brought hold and are kept; one that a redrive brings is a step of its own.

    Args:
        traces: is told.
        bodies: whose inbox a topic is.
        taken: records, and what each was found to be.
        times: when they were read and when they were kept, UTC.
    """
    for record, arrival in taken:
        if isinstance(record, PoisonedBatch):
            continue
        body = bodies[record.topic]
        match arrival:
            case LetterArrival():
                letter, command = arrival.digest, b""
            case RedriveArrival():
                letter, command = arrival.letter.digest, arrival.digest
            case _:
                continue
        step = TraceStep(
            Doing.TAKE,
            letter,
            _taking(letter, body, command),
            SpanPlace.read(hints(record.headers).get("traceparent")),
            body,
            *times,
            size=len(record.value or b""),
            outcome="arrived",
            topic=record.topic,
            partition=record.partition,
        )
        traces.tell(step)


def tell_handed(traces: Traces, outcomes: Sequence[tuple[Kept, str, str]], times: tuple[datetime, datetime]) -> None:
    """Letters among these came to an outcome at the document system; with its code, empty where it went well."""
    began, _ = times
    for kept, outcome, code in outcomes:
        if kept.kind is not ArrivalKind.LETTER:
            continue
        step = TraceStep(
            Doing.HAND_OVER,
            kept.digest,
            SpanPlace.of(kept.digest, Doing.HAND_OVER, kept.body, began.isoformat()),
            _taking(kept.digest, kept.body, kept.command),
            kept.body,
            *times,
            size=len(kept.record),
            outcome=outcome,
            code=code,
        )
        traces.tell(step)


def _taking(letter: bytes, body: str, command: bytes) -> SpanPlace:
    return SpanPlace.of(letter, Doing.TAKE, body, command.hex())
