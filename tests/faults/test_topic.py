"""A topic that is deleted and created again under a reader that keeps its own position."""

import asyncio

import pytest
from confluent_kafka.admin import AdminClient

from exchange.bus.connection import confluent_options
from exchange.bus.topics import inbox, inbox_topic
from exchange.embedded.installation import ADMIN, SHAPE
from tests.faults.agents import agent, all_taken, arrived, leave
from tests.faults.conftest import Following
from tests.faults.waiting import until
from tests.stage import Process, Stage

pytestmark = pytest.mark.server


async def made_anew(stage: Stage, body: str) -> None:
    """Delete a body's inbox and create it again, as somebody might who wants to tidy up."""
    client = AdminClient(confluent_options(stage.settings(ADMIN)))
    (future,) = client.delete_topics([inbox(body)], operation_timeout=30.0).values()
    await asyncio.wrap_future(future)
    async with stage.administration() as administration:

        async def deleted() -> bool:
            return inbox(body) not in await administration.partition_counts()

        await until(deleted, "the topic deleted")
        assert await administration.ensure_topics([inbox_topic(body, SHAPE)]) == []


async def ends_with_a_name(process: Process) -> None:
    """Wait until the process ends by itself; it has said that a person must look."""

    async def gone() -> bool:
        return not process.running

    await until(gone, "the agent ends")
    assert any("topic-recreated" in line or "position-" in line for line in process.said), process.said[-5:]


async def test_an_inbox_made_anew_is_not_read_on(stage: Stage, following: Following) -> None:
    """The agent ends with a name for it, takes nothing more, and says so at each start; others go on."""
    sender, recipient, other = stage.fresh(3)
    first, second, third = ([f"{sender}-{part}{number}" for number in range(20)] for part in "abc")

    async def has(body: str, names: list[str]) -> None:
        async def there() -> bool:
            return await arrived(stage, body) == names

        await until(there, f"{len(names)} letters in the spool of {body}")

    with stage.running("router"), agent(stage, sender):
        with agent(stage, recipient) as reader:
            await leave(stage, sender, first, recipient)
            await has(recipient, first)
            await all_taken(stage, sender)
            await stage.checker.check()
            stage.checker.forget(recipient)
            await made_anew(stage, recipient)
            await leave(stage, sender, second, recipient)
            await ends_with_a_name(reader)
        with agent(stage, recipient) as again, agent(stage, other):
            await leave(stage, sender, third, recipient, other)
            await has(other, third)
            await ends_with_a_name(again)
        await all_taken(stage, sender)
        assert await arrived(stage, recipient) == first
    await stage.checker.check()
    await following.settle()
