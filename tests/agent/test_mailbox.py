"""What a program may do in a body's mailbox, with no agent running."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from exchange.agent.errors import DraftRefused
from exchange.agent.mailbox import Mailbox
from exchange.agent.ports import DraftLetter
from exchange.agent.spool import Spool
from exchange.agent.spool.incoming import ArrivalState
from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.card import Extra
from exchange.domain.statement import Group
from tests.agent.edms import MemoryEdms, given, plain_letter, plain_receipt
from tests.agent.place import Place, until, until_heard, until_settled
from tests.world import NOW


@pytest.fixture
def box(place: Place) -> Iterator[Mailbox]:
    """Alpha's mailbox on a spool of its own."""
    with Spool(place.spool("alpha")) as spool:
        yield Mailbox(spool, "alpha", place.office(spool).drafting)


async def test_letters_wait_for_the_agent(place: Place, box: Mailbox) -> None:
    """Left beside a running agent, in another process as well, they are found and sent."""
    await box.submit(plain_letter("m-1", "beta"), plain_letter("m-2", "beta", "gamma"))
    second, first = await box.sent()
    assert (first.message_id, first.state, first.digest) == ("m-1", OutgoingState.DRAFT, None)
    assert second.recipients == ("beta", "gamma")
    async with place.agent("alpha") as agent:
        await until(lambda: place.simulator.message_ids("beta") == ["m-1", "m-2"])
        await box.submit(plain_letter("m-3", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1", "m-2", "m-3"])
        await until_settled(agent)
    sent = await box.sent_letter("m-3")
    assert sent is not None
    assert sent.state is OutgoingState.TAKEN
    assert sent.digest in {entry.digest for entry in place.simulator.entries}


async def test_all_or_none(box: Mailbox) -> None:
    """One letter that cannot be said keeps the others back."""
    with pytest.raises(DraftRefused) as raised:
        await box.submit(plain_letter("m-1", "beta"), plain_letter("m-1", "beta"))
    assert raised.value.code == "message-id-repeated"
    assert await box.sent() == []
    assert await box.sent_letter("m-1") is None


async def test_a_card_that_would_hold_up_its_recipient(box: Mailbox) -> None:
    """What the router would refuse is refused before it costs a number: 4,000 parts, not one more."""
    with pytest.raises(DraftRefused) as raised:
        await box.submit(plain_letter("m-1", "beta", extras=(Extra("a/b", "c"),) * 4_000))
    assert raised.value.code == "content-too-large"
    await box.submit(plain_letter("m-2", "beta", extras=(Extra("a/b", "c"),) * 3_999))


async def test_letters_that_never_arrived(box: Mailbox) -> None:
    """Nothing can be said about them."""
    assert await box.arrived() == []
    assert await box.letter(bytes(32)) is None
    receipt = plain_receipt("registered", NOW.isoformat())
    for said in (box.take(bytes(32)), box.say(bytes(32), receipt), box.hand_over_again(bytes(32))):
        with pytest.raises(DraftRefused) as raised:
            await said
        assert raised.value.code == "receipt-letter-unknown"


async def test_a_letter_to_a_group(place: Place, box: Mailbox) -> None:
    """It names no recipients; what they say about it is heard, and can be followed from any receipt on."""
    circular = replace(plain_letter("m-1"), group=Group("all", 1))
    async with place.agent("alpha") as alpha, place.agent("beta"), place.agent("gamma"):
        await box.submit(circular)
        await until_heard(alpha, "m-1", 2)
    sent = await box.sent_letter("m-1")
    assert sent is not None
    assert (sent.recipients, sent.group, sent.state) == ((), "all", OutgoingState.TAKEN)
    heard = await box.heard("m-1")
    assert [said for _, said in heard] == list(sent.heard)
    assert {said.actor for _, said in heard} == {"beta", "gamma"}
    assert await box.heard("m-1", heard[0][0]) == heard[1:]
    assert await box.heard("m-2") == []


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (replace(plain_letter("m-1", "beta"), group=Group("all", 1)), "recipients-and-group"),
        (replace(plain_letter("m-1"), group=Group("a b", 1)), "group-invalid"),
        (replace(plain_letter("m-1"), group=Group("all, -kind:cuort", 1)), "group-invalid"),
        (plain_letter("m-1"), "recipient-missing"),
    ],
)
async def test_a_group_that_is_none(box: Mailbox, draft: DraftLetter, code: str) -> None:
    """Refused before it costs a number."""
    with pytest.raises(DraftRefused) as raised:
        await box.submit(draft)
    assert raised.value.code == code


async def test_a_group_that_cannot_be_read_is_told_once(box: Mailbox) -> None:
    """Where it is wrong and what could stand there, and nothing twice."""
    with pytest.raises(DraftRefused) as raised:
        await box.submit(replace(plain_letter("m-1"), group=Group("all, Mfa", 1)))
    known = "a body's code, 'all', 'kind:…', 'parent:code' or 'soate:digits'"
    assert str(raised.value) == f"group, character 6: 'Mfa' is none of {known}"


async def test_a_failed_hand_over_is_tried_again_on_a_person_s_word(place: Place) -> None:
    """Once the EDMS is mended the letter is shown, and the sender hears that as well."""

    def broken(step: str) -> None:
        if step == "stage":
            raise ZeroDivisionError

    theirs = MemoryEdms(step=broken)
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}) as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 2)
        theirs.step = lambda _: None
        box = beta.mailbox("beta")
        (letter,) = await box.arrived()
        assert letter.state is ArrivalState.FAILED
        for _ in range(2):
            await box.hand_over_again(letter.arrived.digest)
        await until(lambda: given(theirs) == ["m-1"])
        await until_heard(alpha, "m-1", 3)
        sent = await alpha.mailbox("alpha").sent_letter("m-1")
        assert sent is not None
        assert [heard.event.value for heard in sent.heard] == ["delivered", "hand-over-failed", "handed-over"]


async def test_one_agent_carries_many_bodies(place: Place) -> None:
    """A gateway: each body has its own origin and inbox in one spool."""
    async with place.agent("alpha", "beta", "gamma") as agent:
        for body in place.world.bodies:
            others = [other for other in place.world.bodies if other != body]
            await agent.mailbox(body).submit(*(plain_letter(f"{body}-{n}", *others) for n in range(10)))
        await until_settled(agent)
        for body in place.world.bodies:
            arrived = await agent.mailbox(body).arrived()
            wanted = {f"{other}-{n}" for other in place.world.bodies if other != body for n in range(10)}
            assert {letter.arrived.letter.message_id for letter in arrived} == wanted
    assert len({notice.origin for notice in place.simulator.notices}) == 3
