"""What a tracker shows: the journal up to the tracker's own position, no more and no less."""

from collections.abc import Iterator

from tests.checker.journal import Journal
from tests.checker.observations import Observations
from tests.checker.violation import Rule, Violation


def tracked(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """Positions are records of the journal, and states what the journal comes to up to them."""
    tracker = seen.tracker
    if tracker is None:
        return
    for partition, position in tracker.positions.items():
        values = {entry.offset: entry.value for entry in journal.partitions.get(partition, ())}
        if values.get(position.offset) != position.digest:
            there = "another record" if position.offset in values else "no record"
            detail = f"stands at {position.offset}, where there is {there}"
            yield Violation(Rule.TRACKER_POSITION, f"journal/{partition}", detail)
    ends = {partition: position.offset for partition, position in tracker.positions.items()}
    expected = journal.deliveries(ends)
    for key in expected.keys() | tracker.deliveries.keys():
        due, shown = expected.get(key), tracker.deliveries.get(key)
        place = f"{key[0].hex()} to {key[1]}"
        if shown is None:
            yield Violation(Rule.TRACKER_MISSING, place, f"is {due}")
        elif due is None:
            yield Violation(Rule.TRACKER_UNEXPLAINED, place, f"shown as {shown}")
        elif due != shown:
            yield Violation(Rule.TRACKER_STATE, place, f"is {due}, shown as {shown}")
