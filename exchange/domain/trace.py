"""A letter's way as steps that tools for traces draw (W3C Trace Context, OpenTelemetry): digests, codes and sizes only.

The trace of a letter has the first 16 bytes of its digest as its id, so whoever has the digest finds the trace.
The record's header `traceparent` names the step before; it is an unsigned hint, and nothing is decided by it.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

TRACE_BYTES = 16
SPAN_BYTES = 8
_CONTEXT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class Doing(StrEnum):
    """What is done with a letter."""

    SEND = "send"
    DECIDE = "decide"
    TAKE = "take"
    HAND_OVER = "hand-over"


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Where a step stands: 16 bytes of the trace, 8 of the step in it."""

    trace: bytes
    span: bytes

    @classmethod
    def of(cls, letter: bytes, doing: Doing, *which: str) -> Self:
        """The place of a step with this letter; `which` tells steps of the same kind apart.

        Derived, not drawn: who hands a letter over knows the step in which it was taken, however long ago.
        """
        name = "\0".join((doing.value, *which)).encode()
        return cls(letter[:TRACE_BYTES], hashlib.sha256(letter + name).digest()[:SPAN_BYTES])

    @classmethod
    def read(cls, traceparent: str | None) -> Self | None:
        """What a header says; None when it says nothing that W3C Trace Context knows."""
        found = None if traceparent is None else _CONTEXT.fullmatch(traceparent)
        if found is None:
            return None
        trace, span = (bytes.fromhex(part) for part in found.groups())
        return cls(trace, span) if any(trace) and any(span) else None

    @property
    def traceparent(self) -> str:
        """As a header says it."""
        return f"00-{self.trace.hex()}-{self.span.hex()}-01"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A step of a letter's way that was taken.

    Attributes:
        letter: digest of the statement.
        place: where it stands.
        before: the step that it follows; None where nobody said one.
        body: code of whose step it is: the sender's, or the recipient's.
        began: UTC, as `ended`.
        topic: of Kafka; empty for a hand-over.
        partition: of the topic.
        size: of the record, bytes.
        outcome: what came of it: `sent`, `accepted`, `refused`, `arrived`, `handed`, `failed`, `postponed`, `skipped`.
        code: why it did not go well; empty when it did.
    """

    doing: Doing
    letter: bytes
    place: SpanPlace
    before: SpanPlace | None
    body: str
    began: datetime
    ended: datetime
    size: int
    outcome: str
    code: str = ""
    topic: str = ""
    partition: int = 0

    def ending(self, ended: datetime) -> "TraceStep":
        """The step once it is over."""
        return replace(self, ended=ended)


class Traces(Protocol):
    """Takes steps on their way to where traces are looked at: at once, whatever happens there, and without an error."""

    def tell(self, step: TraceStep) -> None:
        """Take a step; called from the process's event loop only."""
        ...
