"""How much is in memory at once, however large letters are and however many bodies an agent carries."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchange.agent.bounds import BYTES_AT_ONCE, up_to
from exchange.agent.spool import Spool, outgoing
from exchange.domain.errors import SpoolError
from tests.agent.edms import MemoryEdms, letter_package, plain_letter
from tests.agent.place import QUICK, Place, until, until_settled
from tests.patience import PATIENCE

LARGE = bytes(400_000)


def test_one_item_and_then_more_up_to_the_limit() -> None:
    """What does not fit any more is not even asked for."""
    asked = []

    def items() -> Iterator[int]:
        for size in (7, 1, 2, 3):
            asked.append(size)
            yield size

    assert list(up_to(3, iter([7]), int)) == [7]
    assert list(up_to(10, items(), int)) == [7, 1, 2]
    assert asked == [7, 1, 2]


async def test_large_letters_are_taken_out_of_the_spool_some_at_a_time(place: Place) -> None:
    """However many wait: the first ones, together a little more than two megabytes."""
    place.simulator.away = True
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta", data=LARGE) for number in range(12)))
    with Spool(place.spool("alpha")) as spool:
        drafts = spool.call(lambda connection: outgoing.next_drafts(connection, "alpha", 500, BYTES_AT_ONCE))
    assert len(drafts) == 6


async def test_a_body_with_much_to_say_lets_the_others_speak(place: Place) -> None:
    """Bodies of one agent take turns: a small letter does not wait for another body's many large ones."""
    place.simulator.away = True
    async with place.agent("alpha", "gamma") as agent:
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta", data=LARGE) for number in range(18)))
        await agent.mailbox("gamma").submit(plain_letter("small", "beta"))
        place.simulator.away = False
        await until_settled(agent)
    order = place.simulator.message_ids("beta")
    assert [name for name in order if name != "small"] == [f"m-{number}" for number in range(18)]
    assert order.index("small") <= 6


async def test_large_packages_arrive_whole(place: Place) -> None:
    """More than one round takes in, and more than one hands over: all come through, in their order."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    names = [f"m-{number}" for number in range(12)]
    for name in names:
        ours.put(letter_package(name, message_id=name, to="beta", data="x" * 400_000))
    async with place.agent("alpha", "beta", edms={"alpha": ours, "beta": theirs}) as agent:
        await until(lambda: len(theirs.packages) == len(names))
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == names
    assert set(theirs.shown.values()) == {1}


async def test_who_hands_in_too_much_is_slowed_and_told_so(place: Place) -> None:
    """While the exchange takes nothing a bounded number waits; then all go out, once and in order."""
    place.backlog = 20
    ours = MemoryEdms()
    async with place.agent("alpha", edms={"alpha": ours}, timing=replace(QUICK, window=5)) as agent:
        await until_settled(agent)
        place.simulator.paused = True
        names = [f"m-{number:03}" for number in range(120)]
        for name in names:
            ours.put(letter_package(name, message_id=name, to="beta"))
        async with asyncio.timeout(PATIENCE):
            while "slowed-by-exchange" not in (await agent.status())[0].waits_for:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE):
            while [(status.unproven, status.drafts) for status in await agent.status()] != [(5, 20)]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await until(lambda: len(ours.waiting) == 120 - 20 - 5)
        with pytest.raises(SpoolError) as raised:
            await agent.mailbox("alpha").submit(plain_letter("own", "beta"))
        assert (raised.value.code, raised.value.retriable) == ("slowed-by-exchange", True)
        place.simulator.paused = False
        place.simulator.route()
        await until(lambda: len(place.simulator.message_ids("beta")) == len(names))
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == names
    assert not ours.quarantined
