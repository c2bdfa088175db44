"""Puts old letters away, beside the fold: see `exchange.store.putting_away`."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from exchange.services.threads import finish
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.months import earlier, month_of, window_of

LOOK_SECONDS = 3600.0
RETRY_SECONDS = 60.0
SHARE = 5
"""Putting away may take a fifth of the time: each step holds writers up for as long as it takes."""

log = logging.getLogger(__name__)


async def keep_putting_away(
    store: Store,
    keep_months: int,
    now: Callable[[], datetime],
    clock: Callable[[], float],
    fail: Callable[[str], None],
) -> None:
    """Put away what is older than so many whole months, again and again, until cancelled.

    Archive files that cannot be used stop nothing else: it is told, and tried again a minute later.

    Args:
        store: with an archive; its tables may not be there yet.
        keep_months: what was finished in these months before the present one stays.
        now: the time that is noted, and that months are reckoned from.
        clock: seconds, as `time.monotonic`.
        fail: counts an error by its code.
    """
    after: tuple[int, int] | None = None
    letters = 0
    while True:
        begin, moment = clock(), now()
        month = earlier(month_of(moment), keep_months)
        try:
            step = await finish(store.put_away, window_of(month).since, moment, after)
        except StoreError as error:
            if error.code != "store-version":  # the tracker makes the tables
                log.warning("old letters are put away later: %s: %s", error.code, error)
                fail(error.code)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if step is None:
            if letters:
                log.info("%d letters that were finished before %s were put away", letters, month)
            after, letters = None, 0
            await asyncio.sleep(LOOK_SECONDS)
        else:
            after, letters = step.after, letters + step.letters
            await asyncio.sleep(SHARE * (clock() - begin))
