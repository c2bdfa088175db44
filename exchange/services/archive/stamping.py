"""Has checkpoints stamped by an authority (RFC 3161): one at once, then the newest of each interval.

What has to be stamped is known from the disk alone: the newest checkpoint, unless its time-stamp lies there and the
interval is not over. A token over a later checkpoint proves all that an earlier one would have, at the same time; so
an authority that was away is asked for the newest one alone, and no queue grows. No letter waits for any of this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.archive.errors import ArchiveError
from exchange.archive.tokens import Tokens, size_of
from exchange.domain.errors import ExchangeError
from exchange.security.timestamps import Authorities, Imprint, Stamp, TimestampError, accept, query
from exchange.security.timestamps.errors import away, refused
from exchange.security.timestamps.response import RESPONSE_BYTES
from exchange.services.archive.again import pause_after

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How soon a new checkpoint is seen when one is due."""
ANSWER_SECONDS = 30.0
NONCE_BYTES = 8
BEGIN_WITH = 24
"""Time-stamps that are looked at when the process starts; when none of them holds the newest checkpoint is stamped."""
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}

Ask = Callable[[bytes], Awaitable[bytes]]
"""Sends a request to the authority and returns its answer; raises `TimestampError`, retriable or not."""


class StampingMetrics:
    """Metrics of time-stamps, named as in `docs/metrics.md`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register them."""
        name = "exchange_archive_token"
        self.at = Gauge(f"{name}_timestamp_seconds", "Time of the newest time-stamp", registry=registry)
        self.due = Gauge(f"{name}_due_timestamp_seconds", "When a checkpoint has to be stamped", registry=registry)
        self.until = Gauge(f"{name}_until_timestamp_seconds", "When its chain ends", registry=registry)
        self.failures = Counter("exchange_archive_stamping_failures", "Failed tries", ["code"], registry=registry)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is stamped, by whom.

    Attributes:
        newest: the newest signed checkpoint; None while there is none. Raises `ArchiveError`.
        ask: the authority.
        authorities: who is trusted.
        interval: at least one checkpoint is stamped in this time.
    """

    newest: Callable[[], bytes | None]
    ask: Ask
    authorities: Authorities
    interval: timedelta


class Stamping:
    """Has checkpoints stamped for as long as it runs."""

    def __init__(
        self,
        tokens: Tokens,
        plan: Plan,
        metrics: StampingMetrics,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Keep time-stamps in `tokens`; nothing is asked yet."""
        self._tokens, self._plan, self._metrics = tokens, plan, metrics
        self._now, self._random_bytes = now, random_bytes
        self._failed = 0
        self._last: tuple[int, datetime] | None = None
        """Size of the checkpoint that was stamped last, and when the next one is due."""

    async def run(self) -> None:
        """Stamp until cancelled; what fails is told and tried again."""
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = await self.once()

    async def once(self) -> float:
        """Have the newest checkpoint stamped if that is due; return after how many seconds to look again."""
        try:
            await self._stamp_if_due()
        except ExchangeError as error:
            self._failed += 1
            self._metrics.failures.labels(error.code).inc()
            log.warning("no time-stamp: %s", error, extra={"code": error.code})
            return pause_after(self._failed)
        self._failed = 0
        return LOOK_SECONDS

    async def _stamp_if_due(self) -> None:
        if self._last is None:
            self._last = await asyncio.to_thread(self._begin)
        note = self._plan.newest()
        now = self._now()
        if note is None:
            return
        (size, due), newest = self._last, size_of(note)
        if newest <= size:
            self._metrics.due.set((now + self._plan.interval).timestamp())  # nothing new: nothing is late
            return
        self._metrics.due.set(due.timestamp())
        if now < due <= now + self._plan.interval:  # later than that, and the clock was turned back
            return
        imprint, nonce = Imprint.of(note), int.from_bytes(self._random_bytes(NONCE_BYTES), "big")
        response = await self._plan.ask(query(imprint, nonce))
        stamp = accept(response, imprint, nonce, self._plan.authorities, self._now())
        await asyncio.to_thread(self._tokens.keep, note, response)
        self._last = self._tell(newest, stamp, self._now() + self._plan.interval)
        log.info("checkpoint stamped", extra={"size": newest, "at": stamp.token.at.isoformat()})

    def _begin(self) -> tuple[int, datetime]:
        """The newest time-stamp on the disk that holds; the next one is due at once."""
        for size in reversed(self._tokens.sizes()[-BEGIN_WITH:]):
            try:
                stamp = self._verified(size)
            except (TimestampError, ArchiveError) as error:
                log.warning("time-stamp of %d passed over: %s", size, error, extra={"code": error.code})
                continue
            return self._tell(size, stamp, self._now())
        return -1, self._now()

    def _verified(self, size: int) -> Stamp:
        kept = self._tokens.read(size)
        return self._plan.authorities.verify_response(kept.response, kept.note)

    def _tell(self, size: int, stamp: Stamp, due: datetime) -> tuple[int, datetime]:
        self._metrics.at.set(stamp.token.at.timestamp())
        self._metrics.until.set(stamp.until.timestamp())
        self._metrics.due.set(due.timestamp())
        return size, due


class HttpAuthority:
    """An authority that is asked over HTTP (RFC 3161, 3.4)."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        """Ask by `client` at `url`."""
        self._client, self._url = client, url

    async def __call__(self, asked: bytes) -> bytes:
        """Its answer, which is not looked at.

        Raises:
            TimestampError: `timestamp-authority-away`, `timestamp-refused`, `timestamp-invalid`: too long.
        """
        request = self._client.build_request("POST", self._url, content=asked, headers=_HEADERS, timeout=ANSWER_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer(request)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise away(type(error).__name__) from error

    async def _answer(self, request: httpx.Request) -> bytes:
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != HTTPStatus.OK:
                why = f"HTTP {response.status_code}"
                raise refused(why) if response.is_client_error else away(why)
            found = bytearray()
            async for part in response.aiter_bytes(RESPONSE_BYTES):
                found += part
                if len(found) > RESPONSE_BYTES:
                    message = f"the authority's answer is longer than {RESPONSE_BYTES} bytes: see what answers there"
                    raise TimestampError(message)
            return bytes(found)
        finally:
            await response.aclose()
