"""Waiting for what other processes do."""

import asyncio
import time
from collections.abc import Awaitable, Callable

WAIT_SECONDS = 45.0


async def until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until `done`; fails when that takes long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not await done():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)
