"""Questions to the tracker's database; every function takes a connection of `Store.reading`.

letters      letters found, listed, followed
deliveries   deliveries listed by any filter, a page at a time, and counted
failures     what failed, by reason and route
present      how the exchange is now
routes       sender × recipient: volume, lateness, percentiles
trials       what a body exchanged with the one that answers every letter
bodies       each body: last word, silence, what waits
months       the service report; days
changes      the stream of changes
acts         what operators did and looked at
archived     letters that were put away
places       where letters stand in the journal, and what was said about them since
waits        how long live letters waited for the exchange
"""

from exchange.store.queries.acts import acts, count_acts, last_said
from exchange.store.queries.archived import PutAway, digests_put_away, put_away
from exchange.store.queries.bodies import bodies_last_seen, body_summary, last_word, oldest, silent, waiting
from exchange.store.queries.changes import changes, reached
from exchange.store.queries.deliveries import count, counted, deliveries
from exchange.store.queries.failures import failure_groups
from exchange.store.queries.letters import (
    find,
    oldest_undelivered,
    overview,
    positions_of,
    speaking,
    timeline,
    tracked,
)
from exchange.store.queries.months import breaches, days, report, report_total
from exchange.store.queries.present import now
from exchange.store.queries.routes import routes
from exchange.store.queries.trials import trial

__all__ = [
    "PutAway",
    "acts",
    "bodies_last_seen",
    "body_summary",
    "breaches",
    "changes",
    "count",
    "count_acts",
    "counted",
    "days",
    "deliveries",
    "digests_put_away",
    "failure_groups",
    "find",
    "last_said",
    "last_word",
    "now",
    "oldest",
    "oldest_undelivered",
    "overview",
    "positions_of",
    "put_away",
    "reached",
    "report",
    "report_total",
    "routes",
    "silent",
    "speaking",
    "timeline",
    "tracked",
    "trial",
    "waiting",
]
