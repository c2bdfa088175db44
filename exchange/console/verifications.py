"""When journal or log were last verified, and what came of it, for whoever watches the exchange.

By the results that stand in the journal, of checks at a console and on auditors' own machines: no process remembers
them, and a console that was started again says the same.
"""

import asyncio
import logging

from prometheus_client import CollectorRegistry, Gauge

from exchange.console.api.audits_model import AuditKind
from exchange.console.checks import CheckKind
from exchange.services.audit.findings import FOUND, HOLDS
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError

LOOK_SECONDS = 60.0
RESULTS = (CheckKind.VERIFY.result, CheckKind.LOG.result, AuditKind.VERIFY.result, AuditKind.REPLAY.result)
"""Acts that tell what came of a verification: one of a few offsets only, which the console calls a replay, is none."""

log = logging.getLogger(__name__)


class Verifications:
    """Shows the last verifications as metrics."""

    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        """Nothing is looked up before `run`.

        Args:
            store: the tracker's.
            registry: where metrics are registered.
        """
        self._store = store
        self._held = Gauge(
            "exchange_log_last_verified_timestamp_seconds",
            "When journal or log were last verified and everything held",
            registry=registry,
        )
        self._found = Gauge(
            "exchange_log_last_found_timestamp_seconds",
            "When a verification of journal or log last found something",
            registry=registry,
        )

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except StoreError as error:
                log.warning("the last verification cannot be looked up: %s: %s", error.code, error)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once.

        Raises:
            StoreError: the database does not answer.
        """
        with self._store.reading() as connection:
            for gauge, words in ((self._held, HOLDS), (self._found, FOUND)):
                last = queries.last_said(connection, RESULTS, f": {words}")
                gauge.set(0 if last is None else last.timestamp())
