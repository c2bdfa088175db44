"""Waiting for what other processes do."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.patience import PATIENCE


async def until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until `done`; fails when that takes long."""
    deadline = time.monotonic() + PATIENCE
    while not await done():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)
