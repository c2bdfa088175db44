"""Who has checkpoints stamped and keeps that provable: for the archive's process, and for the command `renew`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.renewals import Renewals
from exchange.archive.tokens import Tokens
from exchange.security.timestamps import Authorities
from exchange.services.archive.renewing import Means, RenewalMetrics, Renewing
from exchange.services.archive.stamping import HttpAuthority, Plan, Stamping, StampingMetrics
from exchange.settings.timestamps import TimestampSettings


@asynccontextmanager
async def open_timestamps(
    settings: TimestampSettings, archive: Path, registry: CollectorRegistry, newest: Callable[[], bytes | None]
) -> AsyncIterator[tuple[Stamping, Renewing]]:
    """What asks an authority on behalf of an archive; both run side by side while the context lasts.

    Args:
        settings: whom to ask.
        archive: the archive's folder.
        registry: where their metrics go.
        newest: the newest signed checkpoint; None while there is none.

    Raises:
        KeyRefused: the authorities' roots cannot be read.
    """
    authorities = Authorities.load(settings.roots)
    async with httpx.AsyncClient() as client:
        ask = HttpAuthority(client, settings.url)
        plan = Plan(newest, ask, authorities, settings.interval)
        means = Means(ask, authorities, settings.digest, system.now, system.random_bytes)
        yield (
            Stamping(Tokens(archive), plan, StampingMetrics(registry), system.now, system.random_bytes),
            Renewing(Renewals(archive), means, RenewalMetrics(registry)),
        )
