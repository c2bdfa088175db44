"""Two consoles on one desk: one runs the tasks, the other takes over when it ends."""

import asyncio
from collections.abc import Callable

import pytest

from exchange.domain.event import Event
from exchange.services.tasks import runner as module
from exchange.services.tasks.runner import OTHER
from tests.patience import PATIENCE
from tests.services.tasks.place import FakeSpeaker, Place


async def test_one_says_and_the_other_takes_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each letter is said by one of them."""
    monkeypatch.setattr(module, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "HEAR_SECONDS", 0.01)
    place.letters(10)
    await place.begun()
    first, one = place.runner, place.speaker
    running = asyncio.create_task(first.run())
    try:
        await until(lambda: len(one.redriven()) == 2)
        place.speaker = two = FakeSpeaker()
        place.again()
        place.speaker, second = one, place.runner
        waiting = asyncio.create_task(second.run())
        try:
            await until(lambda: second.waiting_for == OTHER)
            place.answer(Event.DELIVERED, Event.HANDED_OVER)
            await until(lambda: len(one.redriven()) == 7)
            assert two.said == {}
            await ended(running)
            place.answer(Event.DELIVERED, Event.HANDED_OVER)
            await until(lambda: len(two.redriven()) == 3)
            await until(lambda: second.waiting_for == "")
            assert not {*one.redriven()} & {*two.redriven()}
        finally:
            await ended(waiting)
    finally:
        await ended(running)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the runners bring about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # runners have no event to wait for
            await asyncio.sleep(0.01)


async def ended(running: "asyncio.Task[None]") -> None:
    """Cancel a runner."""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
