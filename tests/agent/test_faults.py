"""Ended anywhere, cut off, out of disk: nothing is lost and nothing is shown twice."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.agent.agent import Agent
from exchange.agent.spool import Spool
from exchange.bus.errors import PositionLost
from exchange.domain.errors import BusError, SpoolError
from exchange.security.errors import KeyRefused
from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter, receipt_package, told
from tests.agent.place import QUICK, Place, until, until_settled, until_waiting
from tests.patience import PATIENCE
from tests.world import NOW

STEPS = ("send", "sent", "stage", "staged", "publish", "published", "archive", "archived")


class Killed(BaseException):
    """The end of the agent, in the middle of something; nothing of the agent catches it."""


class Killer:
    """Ends the agent at the n-th time of a step, once."""

    def __init__(self, step: str, time: int) -> None:
        """Wait for it."""
        self._step = step
        self._times = time
        self.strikes = False

    def __call__(self, step: str) -> None:
        """A step is about to be done."""
        self._times -= step == self._step
        self.strikes = self.strikes or (step == self._step and self._times == 0)
        if self.strikes:
            raise Killed


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_between_any_two_steps(place: Place, step: str, time: int) -> None:
    """Wherever the agent ends, after the next start each letter and receipt was shown once."""
    killer = Killer(step, time)
    place.simulator.step = killer
    ours, theirs = MemoryEdms(killer), MemoryEdms(killer)
    for name in ("one", "two"):
        ours.put(letter_package(name, message_id=name, to="beta"))

    async def story() -> None:
        async with place.agent("alpha", "beta", edms={"alpha": ours, "beta": theirs}):
            await until(lambda: killer.strikes or len(given(theirs)) >= 2)
            if not theirs.archived and not killer.strikes:
                theirs.put(receipt_package("r", event="registered", at=NOW.isoformat(), message_id="one"))
            await until(lambda: killer.strikes or len(told(ours)) >= 3)
            await until(lambda: killer.strikes or (len(ours.archived) >= 2 and "r" in theirs.archived))

    with suppress(Killed, BaseExceptionGroup):
        await story()
    assert killer.strikes
    killer.strikes = False
    await story()
    assert given(theirs) == ["one", "two"]
    assert sorted(told(ours)) == [("one", "delivered"), ("one", "registered"), ("two", "delivered")]
    assert set((ours.shown + theirs.shown).values()) == {1}
    assert place.simulator.message_ids("beta") == ["one", "two"]


async def test_a_restored_spool_finds_out_by_itself(place: Place) -> None:
    """Yesterday's copy of the spool hears where the exchange stands before it says anything."""
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-0"])
    backup = place.folder / "backup"
    shutil.copy(place.spool("alpha"), backup)
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: place.simulator.message_ids("beta") == ["m-0", "m-1"])
    shutil.copy(backup, place.spool("alpha"))
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-2", "beta"))
        await until(lambda: len(place.simulator.message_ids("beta")) == 3)
        await asyncio.sleep(0.1)
    assert place.simulator.message_ids("beta") == ["m-0", "m-1", "m-2"]
    assert len({notice.origin for notice in place.simulator.notices}) == 2


async def test_the_exchange_away_for_long(place: Place) -> None:
    """Letters wait, the status says what for, and all arrive once it is back."""
    place.simulator.away = True
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta") for number in range(120)))
        await until_waiting(agent, "bus-unavailable")
        await until_waiting(agent, "inbox")
        (status,) = await agent.status()
        assert (status.ready, status.drafts, status.unproven) == (False, 120, 0)
        assert set(status.waits_for) == {"bus-unavailable", "inbox"}
        assert status.failure is not None
        assert status.oldest is not None
        place.simulator.away = False
        await until(lambda: len(place.simulator.message_ids("beta")) == 120)
        place.simulator.away = True
        await agent.mailbox("alpha").submit(plain_letter("last", "beta"))
        await until_waiting(agent, "bus-unavailable")
        place.simulator.away = False
        await until(lambda: place.simulator.message_ids("beta")[-1] == "last")
        await until_settled(agent)
        (status,) = await agent.status()
    assert (status.drafts, status.unproven, status.waits_for, status.failure) == (0, 0, (), None)
    assert place.simulator.message_ids("beta") == [*(f"m-{number}" for number in range(120)), "last"]


async def test_acknowledged_records_that_vanish_are_sent_again(place: Place) -> None:
    """Silence is answered by a probe, and the probe by what is missing."""
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await until_settled(agent)
        place.simulator.drop = True
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta") for number in range(1, 5)))
        await asyncio.sleep(0.2)
        place.simulator.drop = False
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == [f"m-{number}" for number in range(5)]


async def test_a_new_body_is_heard_as_soon_as_routers_know_it(place: Place) -> None:
    """What it said before they did was dropped in silence: it asks soon, not after the silence of a body long known."""
    place.simulator.drop = True
    patient = replace(QUICK, resend_after=60.0, resend_at_most=900.0)
    async with place.agent("alpha", timing=patient) as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await asyncio.sleep(0.1)
        place.simulator.drop = False
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == ["m-0"]


async def test_a_certificate_is_replaced_file_by_file(place: Place) -> None:
    """Between its two files a pair is none: that is waited out, not ended by."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        place.simulator.failure = KeyRefused("not a pair", code="key-certificate-mismatch")
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_waiting(agent, "key-certificate-mismatch")
        place.simulator.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        await until_settled(agent)


async def test_a_router_that_is_away_gets_each_statement_about_once(place: Place) -> None:
    """While nothing is heard only probes are sent, however long it takes."""
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await until_settled(agent)
        place.simulator.paused = True
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta") for number in range(1, 400)))
        await until(lambda: len(set(place.simulator.waiting)) == QUICK.window)
        await until_waiting(agent, "notice")
        await until(lambda: len(place.simulator.waiting) >= QUICK.window + 3)
        (status,) = await agent.status()
        assert (status.unproven, status.waits_for) == (QUICK.window, ("notice",))
        repeated = [count for count in Counter(place.simulator.waiting).values() if count > 1]
        assert len(repeated) == 1, "one statement asks, again and again"
        place.simulator.paused = False
        place.simulator.route()
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == [f"m-{number}" for number in range(400)]


async def test_over_budget_is_waited_out(place: Place) -> None:
    """A body that says more than its share is slowed, and loses nothing."""
    world = place.world
    tight = replace(world.policy, statements_per_second=10, burst_seconds=1)
    world.ground = replace(world.ground, policy=tight)
    place.simulator.__post_init__()
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(*(plain_letter(f"m-{number}", "beta") for number in range(40)))
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == [f"m-{number}" for number in range(40)]
    assert "over-budget" in {notice.trouble.reason for notice in place.simulator.notices if notice.trouble}


async def test_a_full_disk_loses_nothing(place: Place) -> None:
    """What cannot be kept is refused to the sender and left in the inbox; then all goes on."""

    def room(pages: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            (now,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {now + pages}")

        spool.call(work)

    with Spool(place.spool("beta")) as spool:
        async with place.agent("alpha") as alpha:
            await until_settled(alpha)
            beta = Agent(place.office(spool), place.members("beta"), place.simulator.transport)
            running = asyncio.create_task(beta.run())
            await until_settled(beta)
            room(0)
            with pytest.raises(SpoolError) as raised:
                await beta.mailbox("beta").submit(plain_letter("own", "alpha", data=bytes(100_000)))
            assert (raised.value.code, raised.value.retriable) == ("spool-full", True)
            await alpha.mailbox("alpha").submit(plain_letter("m-0", "beta", data=bytes(100_000)))
            await until(lambda: place.simulator.message_ids("beta") == ["m-0"])
            await until_waiting(beta, "spool-full")
            room(1000)
            await until_settled(beta)
            assert len(await beta.mailbox("beta").arrived()) == 1
            running.cancel()
            await asyncio.wait([running])


async def test_an_inbox_made_anew_stops_the_agent(place: Place) -> None:
    """An inbox that is not the one that was read is never read on from the middle."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await until_settled(agent)
    place.simulator.inboxes["exchange.inbox.alpha"].clear()
    with Spool(place.spool("alpha")) as spool, pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(PATIENCE):
            await Agent(place.office(spool), place.members("alpha"), place.simulator.transport).run()
    assert raised.group_contains(PositionLost)


async def test_one_agent_per_spool(place: Place) -> None:
    """A second agent on the same spool is told so."""
    async with place.agent("alpha") as first:
        await until_settled(first)
        with Spool(place.spool("alpha")) as spool, pytest.raises(SpoolError) as raised:
            await Agent(place.office(spool), place.members("beta"), place.simulator.transport).run()
    assert raised.value.code == "spool-in-use"


async def test_a_lock_that_cannot_be_written_is_named(place: Place) -> None:
    """A disk that came back read-only is an error with its way out, before anything is read or sent."""
    place.spool("alpha").with_name("alpha.spool.lock").mkdir()
    with Spool(place.spool("alpha")) as spool, pytest.raises(SpoolError) as raised:
        await Agent(place.office(spool), place.members("alpha"), place.simulator.transport).run()
    assert raised.value.code == "spool-unwritable"


WRITER = """
import itertools, sys
from pathlib import Path
from exchange.agent.spool import Spool

with Spool(Path(sys.argv[1])) as spool:
    for number in itertools.count():
        spool.call(lambda c: c.execute("INSERT INTO inboxes (body) VALUES (?)", (str(number),)))
        print(number, flush=True)
"""


def test_kill_9_keeps_what_was_promised(tmp_path: Path) -> None:
    """Whatever the spool has confirmed is there after SIGKILL, and the file is whole."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "spool"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    promised = [int(process.stdout.readline()) for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    promised += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    with Spool(tmp_path / "spool") as spool:
        kept = spool.call(lambda connection: connection.execute("SELECT body FROM inboxes").fetchall())
    assert Counter(promised) <= Counter(int(body) for (body,) in kept)


async def test_rights_that_come_later_are_waited_for(place: Place) -> None:
    """The directory lets a body in, its rights follow; they go while it is suspended. The agent does not end."""
    denied = BusError("no right to do that", code="access-denied", retriable=False)
    place.simulator.failure = denied
    async with place.agent("alpha", timing=replace(QUICK, retry_at_most=0.02)) as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        async with asyncio.timeout(PATIENCE):
            while "access-denied" not in (await agent.status())[0].waits_for:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        place.simulator.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        await until_settled(agent)
        place.simulator.failure = denied
        await agent.mailbox("alpha").submit(plain_letter("m-2", "beta"))
        async with asyncio.timeout(PATIENCE):
            while "access-denied" not in (await agent.status())[0].waits_for:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        place.simulator.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-1", "m-2"])
