"""Routers that are killed or frozen while they work: every letter exactly once, in order."""

import asyncio
from collections import deque
from contextlib import ExitStack
from functools import partial
from random import Random

import pytest

from tests.faults.conftest import Following
from tests.faults.traffic import Traffic, hand_in, letters
from tests.stage import Process, Stage

pytestmark = pytest.mark.server

LETTERS = 20_000
SENDERS = 8
FROZEN_SECONDS = 13.0
"""Longer than a transaction (10 s) and a group session (6 s) may last: whoever wakes up is a zombie."""
FREEZES = 5
"""At most: one of them falls into a transaction."""


async def test_routers_killed_again_and_again(stage: Stage, following: Following) -> None:
    """Two processes, one of them killed -9 every few seconds and started again, 20,000 letters."""
    random = Random(11)
    traffic = letters(stage, stage.fresh(SENDERS), LETTERS, random)
    with ExitStack() as processes:

        def start(name: str) -> Process:
            return processes.enter_context(stage.running("router", name=name))

        async def kill_now_and_then() -> None:
            routers = {name: start(name) for name in ("one", "two")}
            for name in ("one", "two", "one"):
                await asyncio.sleep(random.uniform(2.0, 4.0))
                routers[name].kill()
                routers[name] = start(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(kill_now_and_then())
            group.create_task(hand_in(stage, traffic))
            group.create_task(stage.checker.until_decided(traffic.digests))
        await stage.checker.check()
        await following.settle()


async def test_a_frozen_router_wakes_up_as_a_zombie(stage: Stage, following: Following) -> None:
    """Frozen at work for longer than its transaction lasts, while another takes its lanes; then it goes on.

    It may have been between two transactions: then nothing of it is refused, and it is frozen again.
    """
    random = Random(12)
    traffic = letters(stage, stage.fresh(SENDERS), LETTERS, random)
    waiting = deque(traffic.part(number / FREEZES, (number + 1) / FREEZES) for number in range(FREEZES))
    with stage.running("router", name="one") as one, stage.running("router", name="two") as two:
        await stage.checker.until(lambda: bool(_arming(one) and _arming(two)), "each serves lanes")
        while not _refused(one):
            assert waiting, "nothing of it was refused, so it was no zombie"
            part = waiting.popleft()
            async with asyncio.TaskGroup() as group:
                group.create_task(hand_in(stage, part))
                await stage.checker.until(partial(_begun, stage, part), "work begun")
                one.freeze()
                before, others = _arming(one), _arming(two)
                await asyncio.sleep(FROZEN_SECONDS)
                await stage.checker.until(partial(_armed, two, others), "the other has taken its lanes")
                one.thaw()
            await stage.checker.until(partial(_armed, one, before), "it serves lanes again")
        for part in waiting:
            await hand_in(stage, part)
        await stage.checker.until_decided(traffic.digests)
        await stage.checker.check()
        await following.settle()
        assert one.running
        assert not any("never retrieved" in line for line in one.said)


def _arming(router: Process) -> int:
    """How often it began to serve a lane."""
    return sum("armed at offset" in line for line in router.said)


def _armed(router: Process, before: int) -> bool:
    return _arming(router) > before


def _begun(stage: Stage, part: Traffic) -> bool:
    return bool(part.digests & stage.checker.decided.keys())


def _refused(router: Process) -> bool:
    return any("arms again" in line or "let go failed" in line for line in router.said)
