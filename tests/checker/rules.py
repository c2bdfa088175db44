"""All rules, applied."""

from collections.abc import Callable, Iterator

from tests.checker import client_rules, exchange_rules, spool_rules, tracker_rules, waiting
from tests.checker.journal import Journal
from tests.checker.observations import Observations
from tests.checker.violation import Violation

_RULES: tuple[Callable[[Journal, Observations], Iterator[Violation]], ...] = (
    exchange_rules.chains,
    exchange_rules.decided_once,
    exchange_rules.stored,
    exchange_rules.copies,
    exchange_rules.notices,
    spool_rules.positions,
    spool_rules.arrivals,
    spool_rules.receipts,
    spool_rules.taken,
    client_rules.letters,
    client_rules.answers,
    client_rules.told,
    client_rules.handed,
    tracker_rules.tracked,
    waiting.in_time,
)


def violations(seen: Observations) -> list[Violation]:
    """Every promise that these observations show broken; pure, so the same observations give the same list."""
    journal = Journal(seen.entries)
    return [violation for rule in _RULES for violation in rule(journal, seen)]
