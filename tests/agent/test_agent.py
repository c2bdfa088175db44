"""Letters cross between agents, and what the exchange and the recipients say comes back."""

from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter, receipt_package, told
from tests.agent.place import Place, until
from tests.world import NOW


async def test_a_letter_crosses_and_its_registration_comes_back(place: Place) -> None:
    """EDMS to EDMS: the letter is shown once, the registration returns to the sender's EDMS."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    ours.put(letter_package("one", message_id="m-1", to="beta"))
    async with (
        place.agent("alpha", edms={"alpha": ours}),
        place.agent("beta", edms={"beta": theirs}),
    ):
        await until(lambda: given(theirs) == ["m-1"])
        theirs.put(
            receipt_package(
                "r", event="registered", at=NOW.isoformat(), message_id="m-1", reg_number="17", reg_date=None
            )
        )
        await until(lambda: ("m-1", "registered") in told(ours))
        await until(lambda: (ours.archived, theirs.archived) == (["one"], ["r"]))
    assert told(ours) == [("m-1", "delivered"), ("m-1", "registered")]


async def test_a_letter_to_two_bodies_of_one_document_system_is_handed_over_twice(place: Place) -> None:
    """Each hand-over has a key of its own, by which a document system knows repeats."""
    shared = MemoryEdms()
    async with (
        place.agent("alpha") as sender,
        place.agent("beta", "gamma", edms={"beta": shared, "gamma": shared}, spool="both"),
    ):
        await sender.mailbox("alpha").submit(plain_letter("m-1", "beta", "gamma"))
        await until(lambda: given(shared) == ["m-1", "m-1"])
    assert len(shared.shown) == 2


async def test_a_body_that_was_let_go_says_nothing_more(place: Place) -> None:
    """Its inbox may be read to the end a moment later: that ends nobody else."""
    async with place.agent("alpha") as agent:
        agent._outbound.ready("beta")
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
