"""Clocks that are set while an agent runs, an hour ahead or back."""

import asyncio
from datetime import timedelta

import pytest

from exchange.agent.agent import Agent
from exchange.domain.errors import BusError
from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter, told
from tests.agent.place import Place, until, until_settled
from tests.patience import PATIENCE

HOUR = timedelta(hours=1)


async def waits(agent: Agent) -> set[str]:
    """What the bodies of an agent wait for."""
    return {code for status in await agent.status() for code in status.waits_for}


async def test_a_clock_an_hour_ahead_costs_no_letter(place: Place) -> None:
    """What is refused for it is said again with the exchange's time, letters and receipts, each once."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    async with place.agent("alpha", "beta", edms={"alpha": ours, "beta": theirs}) as agent:
        await until_settled(agent)
        place.ahead = HOUR
        for number in range(3):
            ours.put(letter_package(f"m-{number}", message_id=f"m-{number}", to="beta"))
        await until(lambda: len(told(ours)) == 3)
        assert "clock-ahead" in await waits(agent)
        place.ahead = timedelta()
        ours.put(letter_package("after", message_id="after", to="beta"))
        await until(lambda: len(told(ours)) == 4)
        await until_settled(agent)
    assert sorted(place.simulator.message_ids("beta")) == ["after", "m-0", "m-1", "m-2"]
    assert sorted(given(theirs)) == ["after", "m-0", "m-1", "m-2"]
    assert {event for _, event in told(ours)} == {"delivered"}


async def test_what_was_refused_for_the_clock_is_told_as_it_ended(place: Place) -> None:
    """The letter's digest is that of the statement that was taken; hearing of the refused one again changes nothing."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        place.ahead = HOUR
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-0"])
        place.ahead = timedelta()
        await until_settled_but_for_clock(agent)
        for record in place.simulator.inboxes["exchange.inbox.alpha"][:]:
            place.simulator.deliver("alpha", record.value or b"")
        await asyncio.sleep(0.1)
        await until_settled(agent)
        sent = await agent.mailbox("alpha").sent_letter("m-0")
    assert sent is not None
    assert (sent.state.value, sent.reason) == ("taken", "")
    assert place.simulator.message_ids("beta") == ["m-0"]


async def until_settled_but_for_clock(agent: Agent) -> None:
    """Wait until nothing is unproven; the clock's error is over with the next record that is read."""
    async with asyncio.timeout(PATIENCE):
        while any(status.drafts or status.unproven for status in await agent.status()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["ahead", "back"])
async def test_pauses_do_not_follow_the_clock(place: Place, step: timedelta) -> None:
    """A clock that is set during a pause makes it neither an hour long nor endless."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        place.simulator.drop = True
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await asyncio.sleep(0.1)
        place.ahead = step
        place.simulator.drop = False
        await until(lambda: place.simulator.message_ids("beta") == ["m-0"])
        place.simulator.failure = BusError("away")
        await asyncio.sleep(0.05)
        place.ahead = timedelta()
        place.simulator.failure = None
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-0", "m-1"])


async def test_a_hand_over_put_off_by_a_clock_that_was_ahead_is_tried_again_soon(place: Place) -> None:
    """The spool remembers when to try again; a clock that was ahead then must not put it off for an hour."""
    ours, theirs = MemoryEdms(), MemoryEdms(failure=OSError("the folder is away"))
    ours.put(letter_package("one", message_id="one", to="beta"))
    place.ahead = HOUR
    async with place.agent("alpha", "beta", edms={"alpha": ours, "beta": theirs}) as agent:
        async with asyncio.timeout(PATIENCE):
            while "edms-unavailable" not in await waits(agent):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        place.ahead = timedelta()
        theirs.failure = None
        await until(lambda: given(theirs) == ["one"])
