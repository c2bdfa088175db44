"""Asks a time-stamping authority for a token over a package."""

import asyncio

import httpx

from exchange import system
from exchange.security.timestamps import Authorities, Imprint, accept, query, token_of
from exchange.services.archive.stamping import NONCE_BYTES, HttpAuthority
from exchange.services.evidence.container import Stamp
from exchange.settings.timestamps import TimestampSettings


def stamp_by(settings: TimestampSettings) -> Stamp:
    """Who asks the authority of the settings; for threads without an event loop.

    Raises:
        KeyRefused: its roots cannot be read.
    """
    authorities = Authorities.load(settings.roots)

    async def ask(asked: bytes) -> bytes:
        """What the authority answers."""
        async with httpx.AsyncClient() as client:
            return await HttpAuthority(client, settings.url)(asked)

    def stamp(data: bytes) -> bytes:
        imprint, nonce = Imprint.of(data), int.from_bytes(system.random_bytes(NONCE_BYTES))
        response = asyncio.run(ask(query(imprint, nonce)))
        accept(response, imprint, nonce, authorities, system.now())
        return token_of(response)

    return stamp
