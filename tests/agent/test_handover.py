"""How letters and receipts reach the EDMS, and what happens when it does not take them."""

import asyncio

import pytest

from exchange.agent.agent import Agent
from exchange.agent.keeping import FLAGGED_BYTES
from exchange.agent.mailbox import RECEIPTS, Received
from exchange.agent.spool.incoming import ArrivalState
from exchange.domain.event import Event
from tests.agent.edms import (
    MemoryEdms,
    given,
    letter_package,
    plain_letter,
    plain_receipt,
    receipt_package,
    told,
)
from tests.agent.place import Place, events, until, until_heard, until_settled, until_waiting
from tests.agent.simulator import carry_on
from tests.patience import PATIENCE
from tests.world import NOW, letter_card


async def until_so(agent: Agent, message_id: str, state: ArrivalState, reason: str = "") -> Received:
    """Wait until a letter to beta has come to a state."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for letter in await agent.mailbox("beta").arrived():
                if (letter.arrived.letter.message_id, letter.state, letter.reason) == (message_id, state, reason):
                    return letter
            await asyncio.sleep(0.01)


async def test_an_edms_that_is_away_is_waited_for(place: Place) -> None:
    """Retriable: the status says so, and the letter is shown once when it is back."""
    theirs = MemoryEdms(failure=OSError("the share is not mounted"))
    async with (
        place.agent("alpha") as alpha,
        place.agent("beta", edms={"beta": theirs}) as beta,
    ):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_waiting(beta, "edms-unavailable")
        await until_so(beta, "m-1", ArrivalState.RECEIVED, "edms-unavailable")
        (status,) = await beta.status()
        assert status.to_hand_over == 1
        assert status.oldest_arrival is not None
        theirs.failure = None
        await until(lambda: given(theirs) == ["m-1"])
        await until_so(beta, "m-1", ArrivalState.HANDED)
        (status,) = await beta.status()
        assert status.to_hand_over == 0
        await until_heard(alpha, "m-1", 2)
        assert await events(alpha, "m-1") == [("beta", "delivered", ""), ("beta", "handed-over", "")]


async def test_a_letter_that_the_edms_cannot_take(place: Place) -> None:
    """Not retriable: the sender is told why; a person may try again, and then it is handed over."""
    theirs = MemoryEdms()
    async with (
        place.agent("alpha") as alpha,
        place.agent("beta", edms={"beta": theirs}) as beta,
    ):
        letters = plain_letter("m-1", "beta", title="unreadable"), plain_letter("m-2", "beta")
        await alpha.mailbox("alpha").submit(*letters)
        await until(lambda: given(theirs) == ["m-2"])
        await until_heard(alpha, "m-1", 2)
        assert await events(alpha, "m-1") == [
            ("beta", "delivered", ""),
            ("beta", "hand-over-failed", "hand-over-failed"),
        ]
        await until_so(beta, "m-2", ArrivalState.HANDED)
        first = await until_so(beta, "m-1", ArrivalState.FAILED, "document-invalid")
        await beta.mailbox("beta").hand_over_again(first.arrived.digest)
        await until_so(beta, "m-1", ArrivalState.FAILED, "document-invalid")
        letter = await alpha.mailbox("alpha").sent_letter("m-1")
        assert letter is not None
        assert "no room" in letter.heard[1].text


async def test_ids_too_long_for_a_receipt(place: Place) -> None:
    """A hostile letter's ids fill more than a statement's contents: the agent says less of them, and goes on."""
    alpha, theirs = place.world.speaker("alpha"), MemoryEdms()
    card = letter_card(title="unreadable", document_id="d" * 512_000)
    place.simulator.say(alpha.open(), "alpha")
    place.simulator.say(alpha.letter("beta", message_id="m" * 15_000, card=card, files=()), "alpha")
    place.simulator.say(alpha.letter("beta", message_id="m-2", files=()), "alpha")
    async with place.agent("beta", edms={"beta": theirs}) as beta:
        await until(lambda: [entry.kind for entry in place.simulator.entries].count("receipt") == 4)
        _, hostile = await beta.mailbox("beta").arrived()
        assert (hostile.state, hostile.reason) == (ArrivalState.FAILED, "document-invalid")
    assert given(theirs) == ["m-2"]


async def test_a_connector_s_bug_stops_one_letter_only(place: Place) -> None:
    """Foreign code that raises anything fails that letter; the agent goes on."""

    def buggy(step: str) -> None:
        if step == "stage":
            raise ZeroDivisionError

    theirs = MemoryEdms(step=buggy)
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 2)
        assert (await events(alpha, "m-1"))[1] == ("beta", "hand-over-failed", "hand-over-failed")
        theirs.step = carry_on
        await alpha.mailbox("alpha").submit(plain_letter("m-2", "beta"))
        await until(lambda: given(theirs) == ["m-2"])


@pytest.mark.parametrize(
    ("ack", "shown"),
    [
        ("NONE", []),
        ("ERRORS", [("m-1", "refused")]),
        ("ALWAYS", [("m-1", "delivered"), ("m-1", "refused")]),
    ],
)
async def test_the_sender_s_edms_sees_what_it_asked_for(place: Place, ack: str, shown: list[tuple[str, str]]) -> None:
    """Receipts are shown by the letter's own policy; the spool knows them all."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    async with (
        place.agent("alpha", edms={"alpha": ours}) as alpha,
        place.agent("beta", edms={"beta": theirs}),
    ):
        ours.put(letter_package("one", message_id="m-1", to="beta", ack=ack))
        await until(lambda: given(theirs) == ["m-1"])
        theirs.put(
            receipt_package("no", event="refused", at=NOW.isoformat(), message_id="m-1", reason="refused-by-recipient")
        )
        await until_heard(alpha, "m-1", 3)
        await until_settled(alpha)
        async with asyncio.timeout(PATIENCE):
            while (await alpha.status())[0].to_hand_over:  # noqa: ASYNC110 - its own tasks hand it over
                await asyncio.sleep(0.01)
        assert [event for _, event, _ in await events(alpha, "m-1")] == ["delivered", "handed-over", "refused"]
    assert told(ours) == shown


async def test_a_refused_letter_is_told_to_the_edms(place: Place) -> None:
    """The exchange's refusal comes back as a rejection with its code, once."""
    ours = MemoryEdms()
    ours.put(letter_package("one", message_id="m-1", to="nobody-here", ack="ERRORS"))
    async with place.agent("alpha", edms={"alpha": ours}) as alpha:
        await until(lambda: told(ours) == [("m-1", "rejected")])
        letter = await alpha.mailbox("alpha").sent_letter("m-1")
        assert letter is not None
        assert (letter.state, letter.reason) == ("refused", "recipient-unknown")
        assert b"recipient-unknown" in ours.packages[0].files["receipt.json"]


async def test_a_receipt_for_a_letter_not_sent_there(place: Place) -> None:
    """A body that was not addressed cannot say anything about a letter: flagged, and nothing changes."""
    world = place.world
    ours = MemoryEdms()
    async with place.agent("alpha", edms={"alpha": ours}) as alpha:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        gamma = world.speaker("gamma")
        (entry,) = [entry for entry in place.simulator.entries if entry.kind == "letter"]
        letter = await alpha.mailbox("alpha").sent_letter("m-1")
        assert letter is not None
        assert letter.digest == entry.digest
        place.simulator.say(gamma.open(), "gamma")
        place.simulator.say(gamma.receipt(place.simulator.signed(entry), "alpha"), "gamma")
        await until(lambda: flagged(alpha) == {"receipt-not-addressed"})
        assert await events(alpha, "m-1") == []
    assert told(ours) == []


def flagged(agent: Agent) -> set[str]:
    """Codes of what was flagged."""
    counts = agent._office.counters.read()
    return {dict(labels)["reason"] for (name, labels) in counts if name == "agent_flagged_total"}


async def test_500_bad_records_cost_a_line_each(place: Place) -> None:
    """Garbage in an inbox is kept, counted, and delays nothing."""
    for number in range(500):
        place.simulator.deliver("beta", b"\x00garbage %d" % number + bytes(10_000))
    theirs = MemoryEdms()
    async with (
        place.agent("alpha") as alpha,
        place.agent("beta", edms={"beta": theirs}) as beta,
    ):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: given(theirs) == ["m-1"])
        counts = beta._office.counters.read()
        heads = await beta._office.spool.run(
            lambda connection: connection.execute("SELECT record FROM flagged ORDER BY id").fetchall()
        )
    assert sum(count for (name, _), count in counts.items() if name == "agent_flagged_total") == 500
    assert heads[499] == ((b"\x00garbage 499" + bytes(10_000))[:FLAGGED_BYTES],)


async def test_a_body_without_an_edms(place: Place) -> None:
    """The client reads the letter, takes it, registers it; each is said once."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta", data=b"hello"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        box = beta.mailbox("beta")
        async with asyncio.timeout(PATIENCE):
            while not (arrived := await box.arrived()):  # noqa: ASYNC110 - other tasks make it so
                await asyncio.sleep(0.01)
        (letter,) = arrived
        assert letter.arrived.files == (b"hello",)
        assert letter.state is ArrivalState.RECEIVED
        for _ in range(2):
            await box.take(letter.arrived.digest)
            await box.say(letter.arrived.digest, plain_receipt("registered", NOW.isoformat(), reg_number="17"))
        await until_heard(alpha, "m-1", 3)
        await until_settled(beta)
        await until_settled(alpha)
        sent = await alpha.mailbox("alpha").sent_letter("m-1")
        assert sent is not None
        assert [heard.event for heard in sent.heard] == [Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED]
        assert sent.heard[-1].reg_number == "17"


async def test_a_recipient_that_says_very_much(place: Place) -> None:
    """The last receipts are shown, in order; the spool has all."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        box = beta.mailbox("beta")
        async with asyncio.timeout(PATIENCE):
            while not (arrived := await box.arrived()):  # noqa: ASYNC110 - other tasks make it so
                await asyncio.sleep(0.01)
        for number in range(RECEIPTS + 1):
            receipt = plain_receipt("registered", NOW.isoformat(), reg_number=f"{number}")
            await box.say(arrived[0].arrived.digest, receipt)
        await until_heard(alpha, "m-1", RECEIPTS)
        await until_settled(beta)
        async with asyncio.timeout(PATIENCE):
            while not (sent := await alpha.mailbox("alpha").sent_letter("m-1")) or not any(  # noqa: ASYNC110
                heard.reg_number == f"{RECEIPTS}" for heard in sent.heard
            ):
                await asyncio.sleep(0.01)
        assert [heard.reg_number for heard in sent.heard] == [f"{number}" for number in range(1, RECEIPTS + 1)]
