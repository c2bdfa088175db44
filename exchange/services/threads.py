"""Work in a thread that is never left half done."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def finish(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread, to its end even when we are cancelled: nobody closes the database under it."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
