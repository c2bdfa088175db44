"""Keeps time-stamps provable over decades (RFC 4998): makes batches of them, and has these stamped anew in time.

1. Once a month, or when a certificate behind one ends soon, the time-stamps that are in no batch become one.
2. A batch whose last time-stamp ends soon gets another one over that.
3. A batch whose digest is no longer the one of the settings gets a new hash tree by the new one.

Before anything is renewed it is verified: what no longer holds is told, and cannot be healed by a new time-stamp.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.archive.renewals import PAIRS, Batch, Renewals
from exchange.domain.errors import ExchangeError
from exchange.security.timestamps import Authorities, Imprint, Stamp, accept, query, read_token, token_of
from exchange.security.timestamps.record import RecordInvalid
from exchange.security.timestamps.renewal import next_chain, next_stamp
from exchange.services.archive.stamping import NONCE_BYTES, Ask

log = logging.getLogger(__name__)

AHEAD = timedelta(days=90)
"""So long before a certificate ends a batch is renewed, or begun."""
MONTH = timedelta(days=30)
"""How old a time-stamp becomes before a batch takes it, and a batch before it is renewed for a certificate."""
LOOK_SECONDS, AGAIN_SECONDS = 24 * 3600.0, 3600.0


class RenewalMetrics:
    """Metrics of batches, named as in `docs/metrics.md`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        name = "exchange_archive_evidence_until_timestamp_seconds"
        self.until = Gauge(name, "When the first of all evidence ends", registry=registry)
        self.failures = Counter("exchange_archive_renewal_failures", "Failed renewals", ["code"], registry=registry)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What was done for a batch.

    Attributes:
        batch: its number.
        what: `begun`, `renewed`, or `digest` for a new hash tree.
        until: how long it holds now.
    """

    batch: int
    what: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Means:
    """Who stamps, and how.

    Attributes:
        ask: the authority.
        authorities: who is trusted, or was.
        digest: of hash trees that are made from now on: `sha256`, `sha384` or `sha512`.
        now: the present time.
        random_bytes: fresh ones.
    """

    ask: Ask
    authorities: Authorities
    digest: str
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    async def stamp(self, imprint: Imprint) -> bytes:
        """An answer with a time-stamp that holds.

        Raises:
            TimestampError: there is none.
        """
        nonce = int.from_bytes(self.random_bytes(NONCE_BYTES), "big")
        response = await self.ask(query(imprint, nonce))
        accept(response, imprint, nonce, self.authorities, self.now())
        return response


class Renewing:
    """Looks once a day what has to be renewed."""

    def __init__(self, renewals: Renewals, means: Means, metrics: RenewalMetrics) -> None:
        """Nothing is looked at yet."""
        self._renewals, self._means, self._metrics = renewals, means, metrics

    async def run(self) -> None:
        """Renew until cancelled; what fails is told and tried again after an hour."""
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = LOOK_SECONDS if await self._once() else AGAIN_SECONDS

    async def _once(self) -> bool:
        try:
            for done in await self.renew():
                log.info("evidence %s", done.what, extra={"batch": done.batch, "until": done.until.isoformat()})
        except ExchangeError as error:
            self._metrics.failures.labels(error.code).inc()
            log.warning("evidence not renewed: %s", error, extra={"code": error.code})
            return False
        return True

    async def renew(self) -> list[Renewed]:
        """Do what is due now.

        Raises:
            ArchiveError: a file is gone or altered; `archive-in-use`: another process renews now.
            TimestampError: evidence does not hold, or the authority did not stamp; what was done before stays.
        """
        with self._renewals.alone():
            return await self._renew()

    async def _renew(self) -> list[Renewed]:
        batches = await asyncio.to_thread(self._renewals.batches)
        ends, made = [], []
        for batch in batches:
            last = await asyncio.to_thread(self._last, batch)
            what = self._due(last)
            if what:
                last = await self._again(batch, what)
                made.append(Renewed(batch.number, what, last.until))
            ends.append(last.until)
        single = await asyncio.to_thread(self._single, batches)
        while single and self._is_due([stamp for _, stamp in single]):
            batch, last = await self._begin([size for size, _ in single[:PAIRS]])
            made.append(Renewed(batch.number, "begun", last.until))
            ends.append(last.until)
            single = single[PAIRS:]
        ends += [stamp.until for _, stamp in single]
        self._metrics.until.set(min(ends).timestamp() if ends else 0.0)
        return made

    def _due(self, last: Stamp) -> str:
        now = self._means.now()
        if last.token.imprint.algorithm != self._means.digest:
            return "digest"
        # An authority whose certificates live shortly is not asked each day.
        return "renewed" if last.until - now < AHEAD and now - last.token.at > MONTH else ""

    def _is_due(self, stamps: Sequence[Stamp]) -> bool:
        now = self._means.now()
        oldest, ends = min(stamp.token.at for stamp in stamps), min(stamp.until for stamp in stamps)
        return now - oldest > MONTH or ends - now < AHEAD

    async def _again(self, batch: Batch, what: str) -> Stamp:
        imprint = await asyncio.to_thread(self._imprint, batch, what)
        response = await self._means.stamp(imprint)
        await asyncio.to_thread(batch.keep, response, begins_chain=what == "digest")
        return self._means.authorities.verify(token_of(response), imprint)

    def _imprint(self, batch: Batch, what: str) -> Imprint:
        """What is stamped next; the batch as it is holds still."""
        first = self._renewals.kept.read(batch.sizes[0])
        # One record holds only if its hash tree does, for which all files of the batch are read.
        record = batch.record(first.size)
        record.verify([first.note, first.response], self._means.authorities, self._means.now())
        if what == "digest":
            return next_chain(batch.digests, batch.tokens(), self._means.digest)
        return next_stamp(batch.tokens())

    async def _begin(self, sizes: Sequence[int]) -> tuple[Batch, Stamp]:
        batch = await asyncio.to_thread(self._renewals.begin, sizes)
        imprint = await asyncio.to_thread(next_chain, batch.digests, [], self._means.digest)
        response = await self._means.stamp(imprint)
        await asyncio.to_thread(batch.keep, response, begins_chain=True)
        return batch, self._means.authorities.verify(token_of(response), imprint)

    def _last(self, batch: Batch) -> Stamp:
        token = batch.tokens()[-1][-1]
        return self._means.authorities.verify(token, read_token(token).imprint)

    def _single(self, batches: Sequence[Batch]) -> list[tuple[int, Stamp]]:
        """Time-stamps that are in no batch and hold; others are told."""
        taken = {size for batch in batches for size in batch.sizes}
        found = []
        for size in self._renewals.kept.sizes():
            if size in taken:
                continue
            try:
                found.append((size, self._still_verified(size)))
            except ExchangeError as error:
                self._metrics.failures.labels(error.code).inc()
                log.warning("time-stamp of %d is not taken along: %s", size, error, extra={"code": error.code})
        return found

    def _still_verified(self, size: int) -> Stamp:
        kept = self._renewals.kept.read(size)
        stamp = self._means.authorities.verify_response(kept.response, kept.note)
        if stamp.until < self._means.now():
            message = f"it held until {stamp.until:%Y-%m-%d}, and nobody renewed it: a new one cannot prove its time"
            raise RecordInvalid(message)
        return stamp
