"""Real agent processes that are killed anywhere, and a spool that comes back from a copy."""

import asyncio
import shutil
from collections import Counter
from random import Random

import pytest

from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.event import Event
from tests.faults.agents import MANY, agent, all_taken, arrived, leave, mailbox, open_spool, spool_of, spools
from tests.faults.conftest import Following
from tests.faults.waiting import until
from tests.stage import Stage

pytestmark = pytest.mark.server


async def live_and_die(stage: Stage, body: str, random: Random, lives: int) -> None:
    """Run the body's agent and kill it at any moment, again and again."""
    for _ in range(lives):
        with agent(stage, body) as process:
            await asyncio.sleep(random.uniform(1.0, 4.0))
            process.kill()


async def test_agents_killed_at_any_moment(stage: Stage, following: Following) -> None:
    """Sender's and recipient's agent killed -9 while letters are left in the sender's spool."""
    random = Random(21)
    sender, recipient = stage.fresh(2)
    names = [f"{sender}-{number:04}" for number in range(600)]

    async def feed() -> None:
        for start in range(0, len(names), 20):
            await leave(stage, sender, names[start : start + 20], recipient)
            await asyncio.sleep(random.uniform(0.1, 0.5))

    with stage.running("router"):
        async with asyncio.TaskGroup() as group:
            group.create_task(feed())
            group.create_task(live_and_die(stage, sender, random, 4))
            group.create_task(live_and_die(stage, recipient, random, 4))
        with agent(stage, sender), agent(stage, recipient), open_spool(stage, sender) as spool:
            outbox = mailbox(stage, spool, sender)

            async def all_heard() -> bool:
                return all(letter.heard for letter in await outbox.sent(MANY))

            await until(all_heard, "every letter delivered and the receipt back")
            sent = await outbox.sent(MANY)
    assert {letter.state for letter in sent} == {OutgoingState.TAKEN}
    assert Counter(heard.event for letter in sent for heard in letter.heard) == {Event.DELIVERED: len(names)}
    assert await arrived(stage, recipient) == names
    await stage.checker.check(spools(stage, sender, recipient))
    await following.settle()
    said = [seen for seen in stage.checker.decided.values() if seen.head.body == sender]
    assert len(said) == 1 + len(names)


async def test_a_spool_comes_back_from_a_copy(stage: Stage, following: Following) -> None:
    """Letters that the copy has only as drafts, or not at all, are neither lost nor said twice."""
    sender, recipient = stage.fresh(2)
    names = [f"{sender}-{number:04}" for number in range(240)]
    before, drafted, after, later = (names[start : start + 60] for start in range(0, 240, 60))
    copy = stage.folder / f"copy-of-{sender}"
    with stage.running("router"), agent(stage, recipient):
        await leave(stage, sender, before, recipient)
        with agent(stage, sender):
            await all_taken(stage, sender)
        await leave(stage, sender, drafted, recipient)
        shutil.copytree(spool_of(stage, sender), copy)
        with agent(stage, sender):
            await leave(stage, sender, after, recipient)
            await all_taken(stage, sender)
        shutil.rmtree(spool_of(stage, sender))
        shutil.copytree(copy, spool_of(stage, sender))
        await leave(stage, sender, later, recipient)
        with agent(stage, sender) as restored:
            await all_taken(stage, sender)
            assert restored.running

        async def all_there() -> bool:
            return len(await arrived(stage, recipient)) >= len(names)

        await until(all_there, "every letter in the recipient's spool")
        assert await arrived(stage, recipient) == names
    await stage.checker.check(spools(stage, sender, recipient))
    await following.settle()
