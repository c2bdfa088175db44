"""The exchange's own word at an agent: a deadline that passed, and a letter to be handed over again."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.agent.agent import Agent
from exchange.agent.spool.incoming import ArrivalState
from exchange.domain.decision import Decided, Journalled
from exchange.domain.own_bodies import CONSOLE_BODY, TRACKER_BODY
from exchange.domain.statement import Signed
from exchange.journal.ledger import Entry
from exchange.wire.records import decode, encode
from tests.agent.edms import MemoryEdms, given, plain_letter, told
from tests.agent.place import Place, TickingClock, events, until, until_heard, until_settled
from tests.agent.simulator import Simulator
from tests.patience import PATIENCE
from tests.world import BODIES, NOW, Speaker, World


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Place:
    """A world with services."""
    world = World(tmp_path_factory.mktemp("authority"), (*BODIES, TRACKER_BODY, CONSOLE_BODY))
    directory = world.publish(tmp_path / "directory")
    clock = TickingClock(NOW)
    return Place(world, Simulator(world, clock), tmp_path, directory, clock)


def service(place: Place, body: str) -> Speaker:
    """A service with an open origin."""
    speaker = place.world.speaker(body)
    place.simulator.say(speaker.open(), body)
    return speaker


def letter_entry(place: Place) -> Entry:
    """The journal's entry of the letter."""
    (entry,) = [entry for entry in place.simulator.entries if entry.kind == "letter"]
    return entry


def redrive(place: Place, console: Speaker, recipient: str = "beta") -> Signed:
    """Have the letter handed over again."""
    entry = letter_entry(place)
    record = encode(Journalled(entry.entry, entry.contents))
    said = console.redrive(place.simulator.signed(entry), recipient, record)
    place.simulator.say(said, CONSOLE_BODY)
    return said


def accept(place: Place, said: Signed, recipient: str) -> None:
    """Write to an inbox what no router would: that this was accepted."""
    decided = decode(Decided, letter_entry(place).entry)
    decision = replace(decided.decision, statement=said.digest, recipients=(recipient,))
    entry = encode(Decided(decision, said.statement, said.signature))
    place.simulator.deliver(recipient, encode(Journalled(entry, said.contents)))


def counted(agent: Agent, name: str, label: str) -> dict[str, int]:
    """A count by one of its labels."""
    return {dict(labels)[label]: count for (key, labels), count in agent._office.counters.read().items() if key == name}


async def test_a_letter_that_was_lost_is_handed_over_again(place: Place) -> None:
    """By its own key, once per command; the receipts say so, and no new letter is made."""
    theirs = MemoryEdms()
    console = service(place, CONSOLE_BODY)
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}) as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 2)
        redrive(place, console)
        await until(lambda: given(theirs) == ["m-1", "m-1"])
        await until_heard(alpha, "m-1", 3)
        (key, count), *others = theirs.shown.items()
        assert (key, count, others) == (f"{letter_entry(place).digest.hex()}-beta", 2, [])
        assert [event for _, event, _ in await events(alpha, "m-1")] == ["delivered", "handed-over", "handed-over"]
        await until_settled(beta)
        (letter,) = await beta.mailbox("beta").arrived()
        assert letter.state is ArrivalState.HANDED


async def test_a_repeated_command_or_letter_changes_nothing(place: Place) -> None:
    """Only a new command has a letter handed over again."""
    theirs = MemoryEdms()
    console = service(place, CONSOLE_BODY)
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}) as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 2)
        redrive(place, console)
        await until(lambda: given(theirs) == ["m-1", "m-1"])
        values = [record.value or b"" for record in place.simulator.inboxes["exchange.inbox.beta"]]
        for value in values:
            place.simulator.deliver("beta", value)
        await until(lambda: counted(beta, "duplicates_total", "kind") == {"letter": 1, "command": 1})
        await until_settled(beta)
        assert given(theirs) == ["m-1", "m-1"]
        redrive(place, console)
        await until(lambda: given(theirs) == ["m-1"] * 3)


async def test_a_letter_that_never_came_is_taken(place: Place) -> None:
    """The spool is a new one: the letter is verified, receipted and handed over as on the first day."""
    theirs = MemoryEdms()
    console = service(place, CONSOLE_BODY)
    async with place.agent("alpha") as alpha:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        place.simulator.inboxes["exchange.inbox.beta"].clear()
        redrive(place, console)
        async with place.agent("beta", edms={"beta": theirs}):
            await until_heard(alpha, "m-1", 2)
        assert given(theirs) == ["m-1"]
        assert [event for _, event, _ in await events(alpha, "m-1")] == ["delivered", "handed-over"]


async def test_programs_see_it_once_more(place: Place) -> None:
    """Whoever reads from a cursor on finds it again behind all that came meanwhile."""
    console = service(place, CONSOLE_BODY)
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 1)
        mailbox, feed = beta.mailbox("beta"), beta.feed("beta")
        ((row, letter),) = (await feed.letters(0, 10)).items
        await mailbox.take(letter.arrived.digest)
        assert (await feed.letters(row, 10)).items == ()
        redrive(place, console)
        async with asyncio.timeout(PATIENCE):
            while not (again := (await feed.letters(row, 10)).items):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [each.arrived.digest for _, each in again] == [letter.arrived.digest]
        assert [each.arrived.digest for each in await mailbox.untaken()] == [letter.arrived.digest]


async def test_a_deadline_is_told_to_the_sender_s_document_system(place: Place) -> None:
    """Once; the recipient's people find it in log and metrics, for no format has a word for that."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    tracker = service(place, TRACKER_BODY)
    async with place.agent("alpha", edms={"alpha": ours}) as alpha, place.agent("beta", edms={"beta": theirs}) as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 2)
        place.simulator.say(
            tracker.deadline(place.simulator.signed(letter_entry(place)), "alpha", "beta"), TRACKER_BODY
        )
        await until_heard(alpha, "m-1", 3)
        assert (await events(alpha, "m-1"))[-1] == ("svc-exchange", "expired", "")
        letter = await alpha.mailbox("alpha").sent_letter("m-1")
        assert letter is not None
        assert "beta: 'register' was due" in letter.heard[-1].text
        await until(lambda: ("m-1", "expired") in told(ours))
        heard = (await alpha.feed("alpha").receipts(0, 10)).items
        assert [receipt.event.value for _, receipt in heard] == ["delivered", "handed-over", "expired"]
        for agent in (alpha, beta):
            await until(lambda agent=agent: counted(agent, "agent_deadlines_total", "stage") == {"register": 1})  # type: ignore[misc]
        assert (given(theirs), (await beta.feed("beta").receipts(0, 10)).items) == (["m-1"], ())


@pytest.mark.parametrize(
    ("forged", "code"),
    [("speaker", "kind-forbidden"), ("letter", "redrive-mismatch")],
)
async def test_what_the_router_would_never_let_through(place: Place, forged: str, code: str) -> None:
    """A command of somebody else, or with another letter in it, is flagged whoever wrote it to the inbox."""
    console = service(place, CONSOLE_BODY)
    gamma = place.world.speaker("gamma")
    place.simulator.say(gamma.open(), "gamma")
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_heard(alpha, "m-1", 1)
        entry = letter_entry(place)
        other = gamma.letter("beta", message_id="other")
        record = encode(Journalled(entry.entry, entry.contents))
        about = other if forged == "letter" else place.simulator.signed(entry)
        said = (gamma if forged == "speaker" else console).redrive(about, "beta", record)
        accept(place, said, "beta")
        async with asyncio.timeout(PATIENCE):
            while not (flags := counted(beta, "agent_flagged_total", "reason")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert flags == {code: 1}
