"""Work in a thread that is never left half done."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def finish(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """As `asyncio.to_thread`, but to the end even when we are cancelled: nobody closes the database under the work."""
    task = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
