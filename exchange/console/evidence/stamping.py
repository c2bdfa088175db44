"""Asks a time-stamping authority for tokens over what a package holds."""

import asyncio
from collections.abc import Sequence

import httpx

from exchange import system
from exchange.security.timestamps import Authorities, Imprint, accept, query, token_of
from exchange.services.archive.stamping import NONCE_BYTES, HttpAuthority
from exchange.services.evidence.container import Stamp
from exchange.settings.timestamps import TimestampSettings

AT_ONCE = 4
"""Requests that are with the authority at a time."""


def stamp_by(settings: TimestampSettings) -> Stamp:
    """Who asks the authority of the settings; for threads without an event loop.

    Raises:
        KeyRefused: its roots cannot be read.
    """
    authorities = Authorities.load(settings.roots)

    async def one(authority: HttpAuthority, turns: asyncio.Semaphore, data: bytes) -> bytes:
        """A token that was looked at."""
        imprint, nonce = Imprint.of(data), int.from_bytes(system.random_bytes(NONCE_BYTES))
        async with turns:
            response = await authority(query(imprint, nonce))
        accept(response, imprint, nonce, authorities, system.now())
        return token_of(response)

    async def all_of(data: Sequence[bytes]) -> Sequence[bytes]:
        """One for each; the first that fails ends it."""
        async with httpx.AsyncClient() as client:
            authority, turns = HttpAuthority(client, settings.url), asyncio.Semaphore(AT_ONCE)
            return await asyncio.gather(*(one(authority, turns, each) for each in data))

    def stamp(data: Sequence[bytes]) -> Sequence[bytes]:
        return asyncio.run(all_of(data))

    return stamp
