"""Says whether an exchange kept its promises, from what can be seen of it.

It knows the product's records and tables, but shares none of its rules: no ledger, no fold, no replay.

    seen = await observe(Checker(settings, bodies, lanes, partitions), at=time.time(), spools=…, tracker=…, history=…)
    for violation in violations(seen): …

- `observations.py` has what is looked at, as plain values; `violation.py` the promises by name.
- `rules.py` applies the rules: of the exchange's own records (`exchange_rules.py`), of agents' spools
  (`spool_rules.py`), of what clients were told (`client_rules.py`), of trackers (`tracker_rules.py`), and of time
  (`waiting.py`, with the bounds). All are pure.
- `follower.py` reads Kafka, `databases.py` spools and trackers, `tests/chaos/history.py` histories; `collect.py` puts
  them together.

`waits(history)` says what clients still wait for, `unfinished(seen)` what waits at all. A tracker that stands still is
right as far as it has read, so a run is over when nothing is unfinished, or when its bound has passed.
"""

from tests.checker.collect import observe
from tests.checker.databases import read_spool, read_tracker
from tests.checker.follower import Checker
from tests.checker.observations import Observations
from tests.checker.rules import violations
from tests.checker.violation import Rule, Violation
from tests.checker.waiting import unfinished, waits

__all__ = [
    "Checker",
    "Observations",
    "Rule",
    "Violation",
    "observe",
    "read_spool",
    "read_tracker",
    "unfinished",
    "violations",
    "waits",
]
