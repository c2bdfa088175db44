"""Arrivals as programs read them: in order, from a cursor, a page at a time."""

import asyncio

from exchange.agent.feed import Doorbell
from exchange.agent.ports import ArrivedReceipt
from exchange.domain.event import Event
from tests.agent.edms import plain_letter
from tests.agent.place import Place, until_heard
from tests.patience import PATIENCE


async def test_pages_follow_each_other(place: Place) -> None:
    """Each letter once, in the order of arrival; the last cursor finds nothing and stays."""
    async with place.agent("alpha", "beta") as agent:
        feed = agent.feed("beta")
        for number in range(3):
            await agent.mailbox("alpha").submit(plain_letter(f"m-{number}", "beta"))
        await until_heard(agent, "m-2", 1)
        first = await feed.letters(0, 2)
        rest = await feed.letters(first.cursor, 2)
        assert [each.arrived.letter.message_id for _, each in (*first.items, *rest.items)] == ["m-0", "m-1", "m-2"]
        assert (await feed.letters(rest.cursor, 2)).items == ()
        assert (await feed.letters(rest.cursor, 2)).cursor == rest.cursor


async def test_what_is_heard_of_letters(place: Place) -> None:
    """Receipts of recipients and the exchange's own refusals in one row; nothing of other bodies."""
    async with place.agent("alpha", "beta") as agent:
        mailbox = agent.mailbox("alpha")
        await mailbox.submit(plain_letter("m-1", "beta"))
        await until_heard(agent, "m-1", 1)
        await mailbox.submit(plain_letter("m-2", "nobody"))
        feed, cursor = agent.feed("alpha"), 0
        heard: list[ArrivedReceipt] = []
        async with asyncio.timeout(PATIENCE):
            while len(heard) < 2:
                rung = feed.next_ring
                page = await feed.receipts(cursor, 1)
                cursor = page.cursor
                heard += [receipt for _, receipt in page.items]
                if not page.items:
                    await rung.wait()
        assert [(each.message_id, each.event) for each in heard] == [("m-1", Event.DELIVERED), ("m-2", Event.REJECTED)]
        assert (await agent.feed("beta").receipts(0, 10)).items == ()


def test_a_bell_rings_for_those_who_came_before() -> None:
    """Who takes the event after a ring waits for the next one."""
    bell = Doorbell()
    before = bell.next
    bell.ring()
    assert before.is_set()
    assert not bell.next.is_set()
