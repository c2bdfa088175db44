"""What a service says: kept before it returns, said once, and settled by the exchange's own word."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.agent.drafts import DraftCommand, DraftDeadline
from exchange.agent.errors import DraftRefused
from exchange.agent.spool import Spool
from exchange.domain.deadline import Stage
from exchange.domain.decision import Decided, Journalled
from exchange.domain.ids import digest
from exchange.domain.own_bodies import CONSOLE_BODY, TRACKER_BODY
from exchange.domain.statement import Deadline, Statement
from exchange.services.speaking import Speaker, command_key, deadline_key
from exchange.wire.records import decode, decode_statement, encode
from tests.agent.place import Place, TickingClock
from tests.agent.simulator import Simulator
from tests.patience import PATIENCE
from tests.world import BODIES, NOW, World

LETTER = digest(b"a letter")
LATE = DraftDeadline(
    LETTER, "alpha", "beta", Stage.REGISTER, NOW, NOW + timedelta(seconds=1), digest(b"policy"), ("alpha",)
)

KEY = deadline_key(LETTER, "beta", Stage.REGISTER)
SIGNED_IN = DraftCommand("sign-in", "s-1", "asanova")


def made(folder: Path) -> Place:
    """A world with services in a folder; made again it is the same."""
    world = World(folder / "authority", (*BODIES, TRACKER_BODY, CONSOLE_BODY))
    directory = world.publish(folder / "directory")
    clock = TickingClock(NOW)
    return Place(world, Simulator(world, clock), folder, directory, clock)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and directory, made once."""
    return tmp_path_factory.mktemp("world")


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> Place:
    """A world of this test's own spools."""
    return replace(made(folder), folder=tmp_path)


def speaker_in(place: Place, spool: Spool, body: str = TRACKER_BODY) -> Speaker:
    """A service's speaker that does not run yet."""
    (member,) = place.members(body)
    return Speaker(place.office(spool), member, place.simulator.transport)


@asynccontextmanager
async def speaking(place: Place, body: str = TRACKER_BODY, spool: str = "service") -> AsyncIterator[Speaker]:
    """A service that speaks."""
    with Spool(place.spool(spool)) as opened:
        speaker = speaker_in(place, opened, body)
        task = asyncio.create_task(speaker.run())
        try:
            yield speaker
        finally:
            task.cancel()
            await asyncio.wait([task])


def said(place: Place, *kinds: type) -> list[Statement]:
    """Accepted statements of some kinds, in their order."""
    entries = [decode(Decided, entry.entry) for entry in place.simulator.entries if not entry.reason]
    statements = [decode_statement(entry.statement) for entry in entries]
    return [statement for statement in statements if isinstance(statement, kinds)]


async def test_it_is_said_once(place: Place) -> None:
    """Under one key the first words stay; whoever waits hears what became of them."""
    async with speaking(place) as speaker:
        assert await speaker.said(KEY) is None
        assert await speaker.say(KEY, LATE) is True
        assert await speaker.say(KEY, replace(LATE, notify=())) is False
        first, second = await asyncio.gather(speaker.settled(KEY), speaker.settled(KEY))
        assert first == second == await speaker.settled(KEY) == await speaker.said(KEY)
        assert (first.accepted, first.reason) == (True, "")
        assert await speaker.waiting_for() == ""
        (deadline,) = said(place, Deadline)
        assert isinstance(deadline, Deadline)
        assert (deadline.letter, deadline.stage, deadline.notify) == (LETTER, "register", ("alpha",))
        assert first.statement == digest(encode(deadline))


async def test_what_the_exchange_would_refuse_is_refused_at_once(place: Place) -> None:
    """It costs no number, and nothing is kept."""
    async with speaking(place) as speaker:
        with pytest.raises(DraftRefused, match="through") as refused:
            await speaker.say(KEY, replace(LATE, through=NOW))
        assert refused.value.code == "command-invalid"
        with pytest.raises(DraftRefused) as mismatch:
            await speaker.say(
                "k", DraftCommand("redrive", "t", "asanova", letter=LETTER, recipient="beta", carried=b"x")
            )
        assert mismatch.value.code == "redrive-mismatch"
        assert await speaker.said(KEY) is None
        with pytest.raises(KeyError):
            await speaker.settled(KEY)


async def test_what_the_exchange_refuses_is_told(place: Place) -> None:
    """A command is not the tracker's to say: settled, with the code, and never said again."""
    async with speaking(place) as speaker:
        key = command_key(SIGNED_IN.action, SIGNED_IN.task)
        await speaker.say(key, SIGNED_IN)
        settled = await speaker.settled(key)
        assert (settled.settled, settled.accepted, settled.reason) == (True, False, "kind-forbidden")
        await speaker.say(KEY, LATE)
        assert (await speaker.settled(KEY)).accepted


async def test_a_redrive_is_not_kept_twice(place: Place) -> None:
    """Once the exchange has it, the spool forgets the letter in it: a task has a hundred thousand."""
    alpha = place.world.speaker("alpha")
    opened = alpha.open()
    letter = alpha.letter("beta", files=(bytes(100_000),))
    for each in (opened, letter):
        place.simulator.say(each, "alpha")
    entry = place.simulator.entries[-1]
    record = encode(Journalled(entry.entry, entry.contents))
    key = command_key("redrive", "t-1", letter.digest, "beta")
    async with speaking(place, CONSOLE_BODY) as speaker:
        draft = DraftCommand("redrive", "t-1", "asanova", letter=letter.digest, recipient="beta", carried=record)
        await speaker.say(key, draft)
        assert (await speaker.settled(key)).accepted
        sizes = await speaker._office.spool.run(
            lambda connection: connection.execute("SELECT length(record) FROM outgoing").fetchall()
        )
    assert [size < 1000 for (size,) in sizes] == [True]
    assert (
        decode(Journalled, place.simulator.inboxes["exchange.inbox.beta"][-1].value or b"").contents[0].data == record
    )


async def test_a_bus_that_is_away_is_waited_for(place: Place) -> None:
    """What is said meanwhile is kept; why it waits can be asked."""
    place.simulator.away = True
    async with speaking(place, CONSOLE_BODY) as speaker:
        key = command_key(SIGNED_IN.action, SIGNED_IN.task)
        await speaker.say(key, SIGNED_IN)
        async with asyncio.timeout(PATIENCE):
            while "bus-unavailable" not in await speaker.waiting_for():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (found := await speaker.said(key)) is not None
        assert not found.settled
        place.simulator.away = False
        assert (await speaker.settled(key)).accepted


async def test_whoever_waits_is_let_go_when_it_ends(place: Place) -> None:
    """Waiting for ever would keep a process from ending."""
    place.simulator.paused = True
    async with speaking(place) as speaker:
        await speaker.say(KEY, LATE)
        waiting = asyncio.create_task(speaker.settled(KEY))
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_processes_of_one_service_do_not_disturb_each_other(place: Place) -> None:
    """Each has a spool and an origin; one that is given another's spool says so."""
    async with speaking(place, spool="one") as one, speaking(place, spool="two") as two:
        await asyncio.gather(one.say("a", LATE), two.say("b", replace(LATE, stage=Stage.DELIVER)))
        await asyncio.gather(one.settled("a"), two.settled("b"))
        with Spool(place.spool("one")) as opened:
            third = speaker_in(place, opened)
            with pytest.raises(ExceptionGroup) as refused:
                await third.run()
    assert refused.value.subgroup(lambda error: getattr(error, "code", "") == "spool-in-use")
    assert {getattr(each, "stage", "") for each in said(place, Deadline)} == {"register", "deliver"}


async def test_a_spool_that_is_lost_is_begun_anew(place: Place) -> None:
    """With another origin. What was said stands in the journal, which says all that its key is made of."""
    async with speaking(place, spool="lost") as speaker:
        await speaker.say(KEY, LATE)
        await speaker.settled(KEY)
    (deadline,) = said(place, Deadline)
    assert isinstance(deadline, Deadline)
    assert deadline_key(deadline.letter, deadline.recipient, Stage(deadline.stage)) == KEY
    async with speaking(place, spool="new") as speaker:
        assert await speaker.said(KEY) is None
        other = deadline_key(LETTER, "beta", Stage.DELIVER)
        await speaker.say(other, replace(LATE, stage=Stage.DELIVER))
        assert (await speaker.settled(other)).accepted
    assert len({statement.head.origin for statement in said(place, Deadline)}) == 2


def say_and_die(folder: str, spool: str) -> None:
    """Say something and be killed right behind it, before anything is sent."""
    place = replace(made(Path(folder)), folder=Path(spool))

    async def say() -> None:
        with Spool(place.spool("service")) as opened:
            speaker = speaker_in(place, opened)
            await speaker.say(KEY, LATE)
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(say())


async def test_killed_behind_the_word_it_is_said(place: Place, folder: Path, tmp_path: Path) -> None:
    """What `say` returned from is said by whoever starts next, once."""
    process = multiprocessing.get_context("spawn").Process(target=say_and_die, args=(str(folder), str(tmp_path)))
    process.start()
    await asyncio.to_thread(process.join, PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    async with speaking(place) as speaker:
        assert await speaker.say(KEY, LATE) is False
        assert (await speaker.settled(KEY)).accepted
    assert len(said(place, Deadline)) == 1


@pytest.mark.parametrize("step", ["send", "sent"])
async def test_ended_around_sending(place: Place, step: str) -> None:
    """Before it is sent or right behind: said once in any case."""

    class Ended(Exception):
        """The process ends here."""

    def end(name: str) -> None:
        if name == step:
            raise Ended

    place.simulator.step = end
    with Spool(place.spool("service")) as opened:
        speaker = speaker_in(place, opened)
        await speaker.say(KEY, LATE)
        with pytest.raises(ExceptionGroup) as ended:
            await speaker.run()
        assert ended.value.subgroup(Ended)
    place.simulator.step = lambda _step: None
    async with speaking(place) as speaker:
        assert (await speaker.settled(KEY)).accepted
    assert len(said(place, Deadline)) == 1
