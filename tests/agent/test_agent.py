"""Letters cross between agents, and what the exchange and the recipients say comes back."""

from tests.agent.edms import MemoryEdms, given, letter_package, receipt_package, told
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
    assert ours.archived == ["one"]
    assert theirs.archived == ["r"]
    assert told(ours) == [("m-1", "delivered"), ("m-1", "registered")]
