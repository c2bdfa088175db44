"""How a lane's last transaction is waited for."""

import asyncio

import pytest

from exchange.services.router.service import finish


async def cancelled_while(working: asyncio.Event, task: "asyncio.Task[None]") -> None:
    """Cancel `task` once its work has begun, and await its end."""
    await working.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(("needed", "allowed", "is_done"), [(0.05, 5.0, True), (60.0, 0.05, False)])
async def test_finished_or_given_up(needed: float, allowed: float, is_done: bool) -> None:  # noqa: FBT001
    """Work that still ends is finished; with Kafka away a router that is asked to end does so."""
    working, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        working.set()
        await asyncio.sleep(needed)
        done.set()

    async with asyncio.timeout(30):
        await cancelled_while(working, asyncio.create_task(finish(work(), allowed)))
    assert done.is_set() is is_done
