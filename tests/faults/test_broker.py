"""The broker is killed and comes back while routers, a tracker and senders work."""

import asyncio
from random import Random

import pytest

from tests.faults.conftest import Following
from tests.faults.traffic import hand_in, letters
from tests.stage import Stage

pytestmark = pytest.mark.server

LETTERS = 6_000
SENDERS = 6


async def test_broker_killed_and_started_again(stage: Stage, following: Following) -> None:
    """As in a power cut of its process, twice; everybody goes on by themselves."""
    random = Random(31)
    traffic = letters(stage, stage.fresh(SENDERS), LETTERS, random)
    with stage.running("router", name="one") as one, stage.running("router", name="two") as two:
        await hand_in(stage, traffic.part(0.0, 0.1))
        await stage.checker.until(lambda: bool(traffic.digests & stage.checker.decided.keys()), "work begun")
        async with asyncio.TaskGroup() as group:
            group.create_task(hand_in(stage, traffic.part(0.1, 1.0)))
            for _ in range(2):
                await asyncio.sleep(random.uniform(0.3, 1.0))
                await asyncio.to_thread(power_cut, stage)
        await stage.checker.until_decided(traffic.digests)
        await stage.checker.check()
        await following.settle()
        assert one.running
        assert two.running


def power_cut(stage: Stage) -> None:
    """Kill the broker and start it again."""
    (broker,) = stage.kafka.brokers
    broker.kill()
    stage.kafka.start()
