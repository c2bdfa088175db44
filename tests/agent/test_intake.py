"""What an EDMS wants sent: taken in once, or put aside with a text that says why."""

from collections.abc import Iterator

import pytest

from adapters.connectors.durable import ConnectorError
from exchange.agent.agent import Agent, Member
from exchange.agent.errors import DraftRefused
from exchange.agent.intake import package_digest
from exchange.agent.ports import Package
from exchange.agent.spool import Spool
from exchange.domain.card import Party
from exchange.domain.errors import ConfigurationError
from exchange.domain.statement import Letter
from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter, receipt_package, told
from tests.agent.place import Place, events, until, until_heard, until_settled, until_waiting
from tests.world import NOW, letter_card


async def quarantined(place: Place, *packages: Package) -> dict[str, str]:
    """What alpha's EDMS gets back of these, each with its text."""
    ours = MemoryEdms()
    for package in packages:
        ours.put(package)
    async with place.agent("alpha", edms={"alpha": ours}):
        await until(lambda: not ours.waiting)
    return ours.quarantined


async def test_a_document_that_is_not_understood(place: Place) -> None:
    """The text names the place."""
    texts = await quarantined(place, Package("bad", {"said.json": b"{}"}))
    assert texts == {"bad": "said.json: is no letter and no receipt\n(document-invalid)\n"}


async def test_a_format_s_bug_stops_one_package_only(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises, or lets pass that no statement can hold: put aside, and the log quotes nothing of it."""
    ours = MemoryEdms()
    ours.put(Package("deep", {"said.json": b"[" * 100_000}))
    ours.put(letter_package("surrogate", message_id="m-1", to="beta", title="secret \ud800"))
    ours.put(letter_package("good", message_id="m-2", to="beta"))
    async with place.agent("alpha", edms={"alpha": ours}):
        await until(lambda: place.simulator.message_ids("beta") == ["m-2"])
        await until(lambda: not ours.waiting)
    assert set(ours.quarantined) == {"deep", "surrogate"}
    assert "RecursionError" in ours.quarantined["deep"]
    assert "UnicodeEncodeError in" in caplog.text
    assert "secret" not in caplog.text


class Stuck(MemoryEdms):
    """A document system of which the second package cannot be read."""

    def collect(self, limit: int) -> Iterator[Package]:
        """See `Connector`."""
        for number, package in enumerate(super().collect(limit)):
            if number:
                message = "cannot be read"
                raise ConnectorError(message)
            yield package


async def test_what_cannot_be_read_holds_back_nothing_before_it(place: Place) -> None:
    """What came first leaves; the rest is looked for again."""
    ours = Stuck()
    ours.put(letter_package("one", message_id="m-1", to="beta"))
    ours.put(letter_package("two", message_id="m-2", to="beta"))
    async with place.agent("alpha", edms={"alpha": ours}):
        await until(lambda: place.simulator.message_ids("beta") == ["m-1", "m-2"])
    assert ours.archived == ["one", "two"]


async def test_a_connector_s_bug_is_waited_out(place: Place) -> None:
    """It ends no process, in which other bodies have letters too; when it is mended, they leave."""
    ours = MemoryEdms(failure=TypeError("an odd column"))
    ours.put(letter_package("one", message_id="m-1", to="beta"))
    async with place.agent("alpha", edms={"alpha": ours}) as agent:
        await until_waiting(agent, "connector-failed")
        ours.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"message_id": "m-1", "to": "beta", "data": "x" * 600_000}, "content-too-large"),
        ({"message_id": "", "to": "beta"}, "message-id-missing"),
        ({"message_id": "m-1", "to": ""}, "recipient-missing"),
        ({"message_id": "m-1", "to": "beta beta"}, "recipient-repeated"),
        ({"message_id": "m-1", "to": " ".join(f"b{n}" for n in range(65))}, "recipients-too-many"),
        ({"message_id": "m-1", "to": " ".join(f"b{n}" for n in range(64)), "data": "x" * 500_000}, None),
        ({"message_id": "m" * 50_000, "to": "beta"}, "oversized"),
    ],
)
async def test_what_could_never_be_taken_costs_no_number(place: Place, said: dict[str, str], code: str | None) -> None:
    """Sizes and recipients are checked before signing; 64 copies of half a megabyte just fit."""
    texts = await quarantined(place, letter_package("one", **said))
    assert [text.rpartition("\n(")[2] for text in texts.values()] == ([] if code is None else [f"{code})\n"])


async def test_a_receipt_for_no_letter(place: Place) -> None:
    """It is put aside with the ids that were looked for."""
    texts = await quarantined(place, receipt_package("r", event="registered", at=NOW.isoformat(), message_id="m-9"))
    assert "'m-9'" in texts["r"]
    assert "receipt-letter-unknown" in texts["r"]
    texts = await quarantined(place, receipt_package("r", event="registered", at=NOW.isoformat()))
    assert "neither message id nor document id" in texts["r"]


async def test_a_stranger_s_letter_with_the_same_ids(place: Place) -> None:
    """Gamma repeats both ids of alpha's letter: beta's receipt still finds the one whose sender it names."""
    theirs = MemoryEdms()
    gamma = place.world.speaker("gamma")
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: given(theirs) == ["m-1"])
        place.simulator.say(gamma.open(), "gamma")
        card = letter_card(document_id="doc-m-1")
        place.simulator.say(gamma.letter("beta", message_id="m-1", card=card, files=()), "gamma")
        await until(lambda: given(theirs) == ["m-1", "m-1"])
        said = {"event": "registered", "at": NOW.isoformat(), "message_id": "m-1", "document_id": "doc-m-1"}
        theirs.put(receipt_package("nobody's", **said))
        await until(lambda: "nobody's" in theirs.quarantined)
        theirs.put(receipt_package("alpha's", **said, addressee="alpha"))
        await until_heard(alpha, "m-1", 3)
        assert [event for _, event, _ in await events(alpha, "m-1")] == ["delivered", "handed-over", "registered"]
    assert "receipt-letter-ambiguous" in theirs.quarantined["nobody's"]


async def test_an_event_that_is_the_exchange_s_to_state(place: Place) -> None:
    """An EDMS cannot say that a letter was accepted or has expired."""
    theirs = MemoryEdms()
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: given(theirs) == ["m-1"])
        theirs.put(receipt_package("r", event="expired", at=NOW.isoformat(), message_id="m-1"))
        await until(lambda: "r" in theirs.quarantined)
    assert "event-unknown" in theirs.quarantined["r"]


async def test_the_same_package_again_is_taken_in_once(place: Place) -> None:
    """Found again after it was taken in, whatever its name, it is only put aside."""
    ours = MemoryEdms()
    package = letter_package("one", message_id="m-1", to="beta")
    async with place.agent("alpha", edms={"alpha": ours}) as agent:
        ours.put(package)
        await until(lambda: ours.archived == ["one"])
        ours.put(package)
        ours.put(Package("copy", package.files))
        await until(lambda: sorted(ours.archived) == ["copy", "one", "one"])
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == ["m-1"]
    assert ours.quarantined == {}


async def test_a_message_id_names_one_message(place: Place) -> None:
    """Another text under a used id is put aside: the first one holds."""
    first = letter_package("one", message_id="m-1", to="beta")
    second = letter_package("two", message_id="m-1", to="beta", title="Другое")
    texts = await quarantined(place, first, second)
    assert list(texts) == ["two"]
    assert "message-id-repeated" in texts["two"]


async def test_a_letter_in_another_s_name(place: Place) -> None:
    """A document whose sender is another body does not leave here."""
    async with place.agent("alpha") as agent:
        with pytest.raises(DraftRefused) as raised:
            await agent.mailbox("alpha").submit(plain_letter("m-1", "beta", sender=Party(body="gamma")))
    assert raised.value.code == "sender-differs"


async def test_an_edms_that_is_away_is_waited_for(place: Place) -> None:
    """Nothing can be collected for a while; the status says so."""
    ours = MemoryEdms(failure=OSError("the share is not mounted"))
    ours.put(letter_package("one", message_id="m-1", to="beta"))
    async with place.agent("alpha", edms={"alpha": ours}) as agent:
        await until_waiting(agent, "edms-unavailable")
        ours.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        await until_settled(agent)


async def answered(place: Place, **reply: str) -> tuple[Letter, Letter, list[tuple[str, str]]]:
    """Alpha's letter m-1, beta's reply to it, and what alpha's EDMS was told."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    async with (
        place.agent("alpha", edms={"alpha": ours}) as alpha,
        place.agent("beta", edms={"beta": theirs}) as beta,
    ):
        ours.put(letter_package("one", message_id="m-1", to="beta", document_id="doc-1", reg_number="А-7"))
        await until(lambda: given(theirs) == ["m-1"])
        theirs.put(receipt_package("r", event="registered", at=NOW.isoformat(), document_id="doc-1", reg_number="Б-9"))
        await until(lambda: theirs.archived == ["r"])
        theirs.put(letter_package("reply", message_id="m-2", to="alpha", document_id="doc-2", **reply))
        await until(lambda: given(ours) == ["m-2"])
        await until_settled(beta)
        await until_settled(alpha)
        await until(lambda: len(told(ours)) >= 2)
    (letter,), (answer,) = place.simulator.letters("beta"), place.simulator.letters("alpha")
    return letter, answer, told(ours)


@pytest.mark.parametrize(
    "reply",
    [
        {"in_reply_to": "doc-1"},
        {"in_reply_to_number": "А-7"},
        {"in_reply_to_number": "Б-9"},
        {"in_reply_to": "unknown", "in_reply_to_number": "А-7"},
    ],
)
async def test_a_reply_finds_its_letter(place: Place, reply: dict[str, str]) -> None:
    """By document id or by number, the sender's or our own; the conversation goes on and the sender is told."""
    letter, answer, heard = await answered(place, **reply)
    (entry,) = [entry for entry in place.simulator.entries if entry.kind == "letter" and entry.body == "alpha"]
    assert answer.in_reply_to == entry.digest
    assert answer.conversation == letter.conversation
    assert ("m-1", "reply-sent") in heard


async def test_a_reply_to_something_else(place: Place) -> None:
    """A number that nobody knows makes it a letter of its own."""
    _, answer, heard = await answered(place, in_reply_to_number="Ю-1")
    assert answer.in_reply_to is None
    assert answer.conversation == "m-2"
    assert ("m-1", "reply-sent") not in heard


def test_the_digest_is_of_the_files() -> None:
    """Names and bytes of files count, in any order; the package's own name does not."""
    first = Package("a", {"x": b"1", "y": b"2"})
    assert package_digest(first) == package_digest(Package("b", {"y": b"2", "x": b"1"}))
    others = [{"x": b"1"}, {"x": b"2", "y": b"1"}, {"xy": b"12"}, {"x": b"1y", "": b"2"}]
    assert package_digest(first) not in {package_digest(Package("a", files)) for files in others}


def test_bodies_are_named_once(place: Place) -> None:
    """An agent with a body twice is refused before it starts."""
    office = place.office(Spool(place.spool("alpha")))
    twice = [Member("alpha", lambda: place.world.signers["alpha"])] * 2
    with pytest.raises(ConfigurationError) as raised:
        Agent(office, twice, place.simulator.transport)
    assert raised.value.code == "body-repeated"
