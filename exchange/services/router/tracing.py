"""What a router decides about letters, as steps of their traces (`exchange.domain.trace`)."""

from dataclasses import replace
from datetime import datetime

from exchange.bus.topics import SUBMISSIONS
from exchange.domain.trace import Doing, SpanPlace, Traces, TraceStep
from exchange.journal.examine import Submission
from exchange.journal.ledger import Entry

LETTER = "letter"


class Decided:
    """Decisions of one transaction; told once it is committed, for before it may never have been."""

    def __init__(self, traces: Traces | None) -> None:
        """Nobody asks when `traces` is None."""
        self._traces = traces
        self._steps: list[TraceStep] = []

    def note(self, submission: Submission, entry: Entry, now: datetime) -> Entry:
        """Note what was decided about a letter; what is written of it names this step as the one before the next."""
        if self._traces is None or entry.kind != LETTER:
            return entry
        place = SpanPlace.of(entry.digest, Doing.DECIDE)
        step = TraceStep(
            Doing.DECIDE,
            entry.digest,
            place,
            SpanPlace.read(submission.traceparent),
            entry.body,
            now,
            now,
            size=len(submission.value),
            outcome="refused" if entry.reason else "accepted",
            code=entry.reason,
            topic=SUBMISSIONS,
            partition=submission.partition,
        )
        self._steps.append(step)
        return replace(entry, traceparent=place.traceparent)

    def tell(self, ended: datetime) -> None:
        """It is committed."""
        if self._traces is not None:
            for step in self._steps:
                self._traces.tell(step.ending(ended))
