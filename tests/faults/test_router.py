"""Routers that are killed or frozen while they work: every letter exactly once, in order."""

import asyncio
from contextlib import ExitStack
from random import Random

import pytest

from tests.faults.conftest import Following
from tests.faults.traffic import hand_in, letters
from tests.stage import Process, Stage

pytestmark = pytest.mark.server

LETTERS = 20_000
SENDERS = 8
FROZEN_SECONDS = 13.0
"""Longer than a transaction (10 s) and a group session (6 s) may last: whoever wakes up is a zombie."""


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
    """Frozen for longer than its transaction lasts, while another takes its lanes; then it goes on."""
    random = Random(12)
    traffic = letters(stage, stage.fresh(SENDERS), LETTERS, random)
    with stage.running("router", name="one") as one, stage.running("router", name="two"):
        await hand_in(stage, traffic, last=0.1)
        await stage.checker.until(lambda: bool(traffic.digests & stage.checker.decided.keys()), "work begun")
        async with asyncio.TaskGroup() as group:
            group.create_task(hand_in(stage, traffic, first=0.1, last=0.7))
            await asyncio.sleep(random.uniform(0.1, 0.5))
            one.freeze()
            await asyncio.sleep(FROZEN_SECONDS)
            one.thaw()
            group.create_task(hand_in(stage, traffic, first=0.7))
        await stage.checker.until_decided(traffic.digests)
        await stage.checker.check()
        await following.settle()
        assert one.running
        fenced = [line for line in one.said if "arms again" in line or "let go failed" in line]
        assert fenced, "nothing of it was refused, so it was no zombie"
        assert not any("never retrieved" in line for line in one.said)
