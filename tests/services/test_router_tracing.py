"""What a router tells of letters for their traces: decisions that are committed, and nothing of anything else."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.domain.trace import Doing, SpanPlace, TraceStep
from exchange.journal.examine import Submission
from exchange.journal.ledger import Entry
from exchange.services.router.tracing import Decided

LETTER = bytes(range(1, 33))
NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
BEFORE = SpanPlace.of(LETTER, Doing.SEND, "first")
SUBMISSION = Submission(3, 17, NOW, b"x" * 500, BEFORE.traceparent)


class Kept(list[TraceStep]):
    """Steps that were told."""

    def tell(self, step: TraceStep) -> None:
        """See `Traces`."""
        self.append(step)


def entry(kind: str = "letter", reason: str = "") -> Entry:
    """A decision about what mfa said."""
    return Entry(LETTER, LETTER, "mfa", kind, reason, NOW, "", SUBMISSION.traceparent, b"", (), ())


@pytest.mark.parametrize(("reason", "outcome"), [("", "accepted"), ("recipient-unknown", "refused")])
def test_a_decision_is_told_once_it_is_committed(reason: str, outcome: str) -> None:
    """It follows what the record said, and the next step follows it."""
    kept = Kept()
    decided = Decided(kept)
    written = decided.note(SUBMISSION, entry(reason=reason), NOW)
    assert kept == []
    decided.tell(LATER)
    (step,) = kept
    assert (step.before, step.began, step.ended) == (BEFORE, NOW, LATER)
    assert (step.outcome, step.code, step.body, step.size, step.partition) == (outcome, reason, "mfa", 500, 3)
    assert written.traceparent == step.place.traceparent != SUBMISSION.traceparent


def test_of_what_is_no_letter_nothing_is_told() -> None:
    """A receipt's header goes on as it came."""
    kept = Kept()
    decided = Decided(kept)
    assert decided.note(SUBMISSION, entry("receipt"), NOW) == entry("receipt")
    decided.tell(LATER)
    assert kept == []


def test_nothing_changes_when_nobody_asks() -> None:
    """Headers go on as they came."""
    decided = Decided(None)
    assert decided.note(SUBMISSION, entry(), NOW) == entry()
    decided.tell(LATER)
