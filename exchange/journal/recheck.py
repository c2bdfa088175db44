"""A decision checked again by itself: steps 3 and 4 of a replay."""

from collections.abc import Iterator

from exchange.domain.decision import Decided, Decision, Verdict
from exchange.domain.errors import WireError
from exchange.domain.ids import journal_partition
from exchange.domain.reason import Reason
from exchange.domain.statement import Command, Content, Signed, concerned
from exchange.journal.examine import Examined, Ground, Standing, Submission, Supply, examine_signed
from exchange.journal.facts import JournalRecord
from exchange.journal.findings import FindingCode
from exchange.wire.records import kind_of

Found = Iterator[tuple[FindingCode, str]]
"""What is wrong, with its detail."""


def examined_again(
    decided: Decided, contents: tuple[Content, ...], ground: Ground, supply: Supply | None = None
) -> Examined:
    """The router's examination, repeated as of the decision's time (rules 3.1, 3.2).

    Args:
        decided: the entry.
        contents: what stands beside it.
        ground: what it was decided by.
        supply: gives them, where they are kept elsewhere; what they say is not judged where they are gone (rule 1.5).
    """
    decision = decided.decision
    submission = Submission(decision.partition, decision.offset, decision.arrived, b"")
    signed = Signed(decided.statement, decided.signature, contents)
    # What an accepted redrive carried stands in the journal already, as the letter that it names.
    withheld = (
        supply is None and not contents and decision.verdict is Verdict.ACCEPTED and _is_command(decided.statement)
    )
    return examine_signed(submission, signed, ground, decision.decided, withheld=withheld, supply=supply)


def _is_command(statement: bytes) -> bool:
    try:
        return kind_of(statement) is Command
    except WireError:
        return False


def unlike(decision: Decision, examined: Examined) -> Found:
    """Where the decision differs from what its inputs give."""
    if decision.statement != examined.digest:
        yield FindingCode.STATEMENT_DIGEST, f"the statement's digest is {examined.digest.hex()}"
    refusal = examined.refusal
    reason = "" if refusal is None else refusal.reason.value
    if examined.standing is not Standing.FIT:
        yield FindingCode.NOT_TAKABLE, reason
        return
    if reason != decision.reason or (decision.verdict is Verdict.ACCEPTED) != (not reason):
        altered = reason == Reason.CONTENT_MISMATCH
        code = FindingCode.CONTENTS_DIFFER if altered else FindingCode.VERDICT_DIFFERS
        yield code, f"'{decision.reason}' decided, '{reason}' found: {'' if refusal is None else refusal.detail}"
        return
    if decision.recipients != examined.recipients:
        counts = f"{len(decision.recipients)} decided, {len(examined.recipients)} found"
        yield FindingCode.RECIPIENTS_DIFFER, counts


def untimely(decision: Decision, record: JournalRecord, ground: Ground) -> Found:
    """Whether the decision's own time is believable: broker's clocks stand before and behind it."""
    skew = ground.policy.clock_skew
    if decision.arrived - decision.decided > skew or abs(record.journalled - decision.decided) > skew:
        detail = f"arrived {decision.arrived}, decided {decision.decided}, journalled {record.journalled}"
        yield FindingCode.DECISION_TIME, detail


def misplaced(record: JournalRecord, about: bytes, ground: Ground) -> Found:
    """Whether the record stands in the partition of what it is about."""
    expected = journal_partition(about, ground.directory.journal_partitions)
    if record.position.partition != expected:
        yield FindingCode.MISPLACED, f"partition {expected} is due"


def about(examined: Examined) -> bytes:
    """Digest of the letter concerned, by which the journal is partitioned."""
    return concerned(examined.statement, examined.digest)
