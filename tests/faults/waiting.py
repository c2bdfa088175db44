"""Waiting for what other processes do."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from exchange.cli.exits import Exit
from tests.patience import PATIENCE


async def until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until `done`; fails when that takes long."""
    deadline = time.monotonic() + PATIENCE
    while not await done():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    """A command of the exchange, to its end; again while a server gave it no answer in time, as it says itself."""
    deadline = time.monotonic() + PATIENCE
    while True:
        command = [sys.executable, "-m", "exchange.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != Exit.UNAVAILABLE or time.monotonic() > deadline:
            return done
