"""What agents hold: their spools against their inboxes and against the journal."""

from collections import Counter
from collections.abc import Iterator

from tests.checker.journal import Journal
from tests.checker.observations import (
    LetterWords,
    Observations,
    Outgoing,
    ReceiptWords,
    Said,
    SpoolOrigin,
    SpoolSeen,
)
from tests.checker.violation import Rule, Violation


def positions(_: Journal, seen: Observations) -> Iterator[Violation]:
    """A spool stands at a record of its inbox, not ahead of it."""
    for body, spool in _readable(seen):
        position = spool.position
        records = {record.offset: record.value for record in seen.inboxes[body]}
        if position is not None and records.get(position.offset) != position.digest:
            there = "another record" if position.offset in records else "no record"
            yield Violation(Rule.SPOOL_POSITION, body, f"stands at {position.offset}, where there is {there}")


def arrivals(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """A spool has exactly what its inbox holds up to its position, in the order of each origin."""
    for body, spool in _readable(seen):
        reached = max(-1 if spool.position is None else spool.position.offset, spool.next - 1)
        kept = Counter(arrival.value for arrival in spool.incoming if arrival.kind != "rejection")
        for record in seen.inboxes[body]:
            entry = journal.records.get(record.value)
            if entry is None or record.offset > reached or record.value in kept:
                continue
            is_receipt = entry.said is not None and isinstance(entry.said.words, ReceiptWords)
            if not (is_receipt and record.offset in spool.flagged):
                yield Violation(Rule.SPOOL_MISSING, body, f"inbox record {record.offset}, taken up to {reached}")
        yield from (
            Violation(Rule.SPOOL_DOUBLED, body, f"record {value.hex()}: {count} times")
            for value, count in kept.items()
            if count > 1
        )
    for body, spool in seen.spools.items():
        yield from _explained(journal, body, spool)


def _explained(journal: Journal, body: str, spool: SpoolSeen) -> Iterator[Violation]:
    last: dict[tuple[str, bytes], int] = {}
    for arrival in spool.incoming:
        if arrival.kind == "rejection":
            continue
        said = journal.accepted(arrival.digest)
        if said is None or body not in said.copies or journal.statements[arrival.digest].value != arrival.value:
            yield Violation(Rule.SPOOL_UNEXPLAINED, body, f"{arrival.kind} {arrival.digest.hex()}")
            continue
        if said.head.number < last.get(said.origin, 0):
            detail = f"{said.head.body}'s number {said.head.number} after {last[said.origin]}"
            yield Violation(Rule.ORDER, f"spool of {body}", detail)
        last[said.origin] = said.head.number
        if arrival.kind == "receipt" and not journal.concerns(journal.statements[arrival.digest]):
            yield Violation(Rule.RECEIPT_WITHOUT_LETTER, f"spool of {body}", f"receipt {arrival.digest.hex()}")


def receipts(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """An agent speaks only of letters that it got."""
    for body in seen.spools:
        for entry in journal.spoken.get(body, ()):
            is_receipt = entry.said is not None and isinstance(entry.said.words, ReceiptWords) and not entry.said.reason
            if is_receipt and not journal.concerns(entry):
                yield Violation(Rule.RECEIPT_WITHOUT_LETTER, body, f"lane {entry.lane} number {entry.number}")


def taken(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """What agents believe of their own chains is what the journal says, number by number."""
    for body, spool in seen.spools.items():
        read_all = _read_all(body, spool, seen)
        for origin in spool.origins:
            yield from _origin_taken(f"{body}/{origin.origin.hex()}", origin, journal, body, whole=read_all)
        yield from _settled(journal, body, spool)
        if read_all:
            yield from _refusals(journal, body, spool)


def _origin_taken(place: str, origin: SpoolOrigin, journal: Journal, body: str, *, whole: bool) -> Iterator[Violation]:
    chain = journal.origins.get((body, origin.origin), [])
    if origin.taken > len(chain) or (whole and origin.current and origin.taken < len(chain)):
        yield Violation(Rule.SPOOL_TAKEN, place, f"counts {origin.taken} as taken, the journal has {len(chain)}")
    own = {one.number: one.digest for one in origin.statements if not one.withdrawn}
    for number, said in enumerate(chain[: origin.taken], start=1):
        if own.get(number) != said.statement:
            yield Violation(Rule.SPOOL_TAKEN, f"{place} number {number}", "another statement was taken")
    rows = list(
        dict.fromkeys(one.outgoing for one in origin.statements if one.outgoing is not None and not one.withdrawn)
    )
    if rows != sorted(rows):
        yield Violation(Rule.ORDER, place, "numbered in another order than it was said in")


def _settled(journal: Journal, body: str, spool: SpoolSeen) -> Iterator[Violation]:
    """Each row's state is what the journal decided on its statements."""
    said = _decisions(journal, spool)
    for row in spool.outgoing:
        reasons = [one.reason for one in said.get(row.row, [])]
        expected = {"taken": [""], "refused": [row.reason or "some reason"], "void": []}.get(row.state)
        if expected is not None and reasons != expected:
            yield Violation(Rule.SPOOL_TAKEN, _row(body, row), f"is {row.state}, the journal says {reasons}")


def _refusals(journal: Journal, body: str, spool: SpoolSeen) -> Iterator[Violation]:
    """A refusal of a letter that stands in the inbox is known to the agent, and kept for the document system."""
    rejections = {arrival.digest for arrival in spool.incoming if arrival.kind == "rejection"}
    said = _decisions(journal, spool)
    for row in spool.outgoing:
        for one in said.get(row.row, []):
            known = row.state == "refused" and one.statement in rejections
            if one.reason and isinstance(row.words, LetterWords) and not known:
                yield Violation(Rule.REFUSAL_UNTOLD, _row(body, row), f"refused: {one.reason}")


def _decisions(journal: Journal, spool: SpoolSeen) -> dict[int, list[Said]]:
    """What was decided on each row of `outgoing`, by any statement that carried it."""
    found: dict[int, list[Said]] = {}
    for origin in spool.origins:
        for statement in origin.statements:
            entry = journal.statements.get(statement.digest)
            if statement.outgoing is None or entry is None or entry.said is None:
                continue
            if not entry.said.is_said_again:
                found.setdefault(statement.outgoing, []).append(entry.said)
    return found


def _read_all(body: str, spool: SpoolSeen, seen: Observations) -> bool:
    """Whether the agent has read its inbox to its end."""
    records = seen.inboxes.get(body, ())
    reached = -1 if spool.position is None else spool.position.offset
    return bool(records) and body not in seen.spoilt and reached >= records[-1].offset


def _readable(seen: Observations) -> Iterator[tuple[str, SpoolSeen]]:
    """Spools whose inboxes were seen."""
    for body, spool in seen.spools.items():
        if body in seen.inboxes and body not in seen.spoilt:
            yield body, spool


def _row(body: str, row: Outgoing) -> str:
    name = row.words.message_id if isinstance(row.words, LetterWords) else f"{row.words.event} receipt"
    return f"spool of {body}: {name}"


def behind(body: str, spool: SpoolSeen, seen: Observations) -> int:
    """How many records of its inbox an agent has not taken."""
    reached = -1 if spool.position is None else spool.position.offset
    return sum(record.offset > reached for record in seen.inboxes.get(body, ()))
