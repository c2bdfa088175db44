"""Counts what pictures and reports show, beside the fold: see `exchange.store.tallies`.

At ten million deliveries a month takes seconds to count. So the month that letters begin in now is counted as often
as its share of the time allows, whatever else changed once an hour: that is how old a picture can be.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from exchange.bus.topics import JOURNAL
from exchange.services.threads import finish
from exchange.store.database import Store
from exchange.store.errors import StoreError

LEAST_SECONDS = 5.0
WHOLE_SECONDS = 3600.0
SHARE = 20
"""Counting may take a twentieth of the time: a long history is counted less often."""

log = logging.getLogger(__name__)


async def keep_counting(store: Store, clock: Callable[[], float]) -> None:
    """Count what changed, again and again, until cancelled.

    Args:
        store: whose tallies; its tables may not be there yet.
        clock: seconds, as `time.monotonic`.

    Raises:
        StoreError: its tables are damaged; what passes by itself is waited for.
    """
    reached: Mapping[int, int] = {}
    whole_at = clock()
    while True:
        begin = clock()
        try:
            if begin >= whole_at:
                await finish(store.count_changes, JOURNAL)
                whole_at = clock() + WHOLE_SECONDS
            else:
                reached = await finish(store.count_latest, JOURNAL, reached)
        except StoreError as error:
            if not error.retriable and error.code != "store-version":  # the tracker makes the tables
                raise
            log.info("tallies are counted later: %s: %s", error.code, error)
        await asyncio.sleep(max(LEAST_SECONDS, SHARE * (clock() - begin)))
