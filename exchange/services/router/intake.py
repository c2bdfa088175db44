"""From what Kafka gave to what a ledger takes: examined submissions, and dead letters of what cannot be one."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from exchange.bus.records import PoisonedBatch, Record, Taken
from exchange.domain.decision import DEAD_LETTER_SAMPLE_BYTES, DeadLetter
from exchange.domain.ids import digest
from exchange.domain.reason import Reason
from exchange.journal.examine import Examined, Submission, examine
from exchange.services.router.ground import Footing

SLICE_RECORDS = 10
"""A millisecond and a half of letters, somewhat more of redrives: so long others wait for a lane with much to do."""

_TRACE_CONTEXT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

SIGNED_BYTES_MIN = 256
"""No statement with its signature is shorter: a head takes 90 bytes, a signature in the one form 300."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Submissions examined on one footing at one time; what cannot be a submission as dead letters."""

    footing: Footing
    now: datetime
    items: tuple[Examined | DeadLetter, ...] = ()

    @property
    def waited_seconds(self) -> float:
        """How long the first of them waited for its decision; nobody waited longer."""
        first = self.items[0]
        arrived = first.arrived if isinstance(first, DeadLetter) else first.submission.arrived
        return max(0.0, (self.now - arrived).total_seconds())


async def examine_all(records: Sequence[Taken], footing: Footing, now: datetime, lane: int) -> Batch:
    """Examine in slices, between which other lanes go on.

    Not in a thread: a verification gives the interpreter's lock away and waits to get it back, and the
    router as a whole routed a third less. More cores are used by more processes.
    """
    items: list[Examined | DeadLetter] = []
    for index, given in enumerate(_submissions(records, lane)):
        items.append(given if isinstance(given, DeadLetter) else examine(given, footing.ground, now))
        if index % SLICE_RECORDS == SLICE_RECORDS - 1:
            await asyncio.sleep(0)
    return Batch(footing, now, tuple(items))


def _submissions(records: Iterable[Taken], lane: int) -> Iterator[Submission | DeadLetter]:
    """One for each record, but one dead letter for records in a row that are too short to be signed.

    Anybody may write 100,000 records of a few bytes a second; a dead letter of each would cost us ten
    times as much as the record cost its writer.
    """
    for short, run in groupby(records, _too_short):
        together = list(run)
        if short and len(together) > 1:
            yield _run_of_short(together, lane)
        else:
            yield from (
                _poisoned(record, lane) if isinstance(record, PoisonedBatch) else _submission(record, lane)
                for record in together
            )


def _too_short(record: Taken) -> bool:
    return isinstance(record, Record) and len(record.value or b"") < SIGNED_BYTES_MIN


def _submission(record: Record, lane: int) -> Submission:
    traceparent = next((value for name, value in record.headers if name == "traceparent"), None)
    return Submission(
        partition=lane,
        offset=record.offset,
        arrived=record.timestamp,
        value=record.value or b"",
        traceparent=_trace_context(traceparent),
    )


def _trace_context(value: bytes | None) -> str | None:
    """A W3C trace context if it is one; anything else is dropped, for recipients will see it."""
    return value.decode("ascii") if value is not None and _TRACE_CONTEXT.fullmatch(value) else None


def _run_of_short(records: Sequence[Taken], lane: int) -> DeadLetter:
    """Dead by coordinates; size, digest and sample are of the values one behind the other."""
    first, last = records[0], records[-1]
    values = b"".join([record.value or b"" for record in records if isinstance(record, Record)])
    return DeadLetter(
        partition=lane,
        offset=last.offset,
        arrived=first.timestamp,
        reason=Reason.UNREADABLE.value,
        detail=f"offsets {first.offset} to {last.offset}: {len(records)} records too short to be signed",
        size=len(values),
        digest=digest(values),
        sample=values[:DEAD_LETTER_SAMPLE_BYTES],
    )


def _poisoned(batch: PoisonedBatch, lane: int) -> DeadLetter:
    """A batch that no agent writes: dead by coordinates; the ledger goes on behind its last offset."""
    return DeadLetter(
        partition=lane,
        offset=batch.last_offset,
        arrived=batch.timestamp,
        reason=Reason.BATCH_REFUSED.value,
        detail=f"offsets {batch.first_offset} to {batch.last_offset}: {batch.reason}"[:200],
        size=batch.size,
        digest=batch.digest,
        sample=batch.head[:DEAD_LETTER_SAMPLE_BYTES],
    )
