"""No memory, no disk, no file handles: named, waited out, and nothing is lost or done twice."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.agent.agent import Agent
from exchange.agent.ports import DraftLetter, DraftReceipt, Package
from exchange.agent.spool import Spool
from exchange.agent.status import BodyStatus
from exchange.domain.directory import Directory
from exchange.domain.errors import SpoolError
from exchange.services.agent import AgentService
from tests.agent.edms import MemoryEdms, PlainFormat, given, letter_package, plain_letter
from tests.agent.place import Place, until, until_settled
from tests.patience import PATIENCE


class HungryFormat(PlainFormat):
    """Needs more memory than there is, for a while."""

    fed = False

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `Format`."""
        if not self.fed:
            raise MemoryError
        return super().parse(package, directory)


async def waits_for(agent: Agent, body: str, code: str) -> None:
    """Wait until a body of the agent waits for something."""
    async with asyncio.timeout(PATIENCE):
        while code not in {wait for status in await agent.status() if status.body == body for wait in status.waits_for}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_want_of_memory_quarantines_no_letter(place: Place) -> None:
    """A package that could not be read for want of memory is no bad package: it is read again."""
    hungry = HungryFormat()
    ours = MemoryEdms(format=hungry)
    ours.put(letter_package("one", message_id="one", to="beta"))
    async with place.agent("alpha", edms={"alpha": ours}) as agent:
        await waits_for(agent, "alpha", "out-of-memory")
        assert not ours.quarantined
        hungry.fed = True
        await until(lambda: place.simulator.message_ids("beta") == ["one"])
        await until_settled(agent)


async def test_want_of_memory_fails_no_hand_over(place: Place) -> None:
    """A letter that could not be written for want of memory is handed over later, once."""
    ours, theirs = MemoryEdms(), MemoryEdms(failure=MemoryError())
    ours.put(letter_package("one", message_id="one", to="beta"))
    async with place.agent("alpha", "beta", edms={"alpha": ours, "beta": theirs}) as agent:
        await waits_for(agent, "beta", "out-of-memory")
        theirs.failure = None
        await until(lambda: given(theirs) == ["one"])
        await until_settled(agent)
    assert set(theirs.shown.values()) == {1}


async def test_want_of_memory_in_the_bus_is_waited_out(place: Place) -> None:
    """Sending and reading go on once there is memory again."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        place.simulator.failure = MemoryError()
        await agent.mailbox("alpha").submit(plain_letter("m-0", "beta"))
        await waits_for(agent, "alpha", "out-of-memory")
        place.simulator.failure = None
        await until(lambda: place.simulator.message_ids("beta") == ["m-0"])
        await until_settled(agent)


class BlindAgent(Agent):
    """An agent whose spool cannot be looked at, as while another process writes into it."""

    blind = True

    async def status(self) -> list[BodyStatus]:
        """See `Agent`."""
        if self.blind:
            message = "another process holds it"
            raise SpoolError(message, code="spool-in-use", retriable=True)
        return await super().status()


async def test_a_spool_that_cannot_be_looked_at_ends_no_process(place: Place) -> None:
    """Health says what for; the next look finds all well."""
    with Spool(place.spool("alpha")) as spool:
        office = place.office(spool)
        agent = BlindAgent(office, place.members("alpha"), place.simulator.transport)
        service = AgentService(agent, office.counters, CollectorRegistry())
        running = asyncio.create_task(service.run())
        await until(lambda: service.waiting_for.startswith("spool-in-use"))
        agent.blind = False
        await until(lambda: not service.waiting_for)
        running.cancel()
        await asyncio.wait([running])


LIMITED = """
import resource, signal, sys
from pathlib import Path
from exchange.agent.spool import Spool
from exchange.domain.errors import SpoolError

def write(spool, name, size):
    try:
        spool.call(lambda c: c.execute("INSERT INTO inputs VALUES (?, zeroblob(?))", (name, size)))
        return "done"
    except SpoolError as error:
        return f"{error.code} {error.retriable}"

def sort(spool):
    try:
        return spool.call(lambda c: len(c.execute("SELECT * FROM inputs ORDER BY length(body), digest").fetchall()))
    except SpoolError as error:
        return f"{error.code} {error.retriable}"

def limit(kind, soft):
    resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
"""

NO_DISK = """
with Spool(Path(sys.argv[1])) as spool:
    print(write(spool, "before", 100))
    limit(resource.RLIMIT_FSIZE, 200_000)
    print(write(spool, "large", 400_000), write(spool, "small", 100))
    limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
    print(write(spool, "large", 400_000), write(spool, "after", 100))
    print(spool.call(lambda c: " ".join(body for body, in c.execute("SELECT body FROM inputs ORDER BY body"))))
"""

NO_HANDLES = """
with Spool(Path(sys.argv[1])) as spool:
    for number in range(40):
        write(spool, str(number), 200_000)
    limit(resource.RLIMIT_NOFILE, 3)
    print(write(spool, "during", 400_000), sort(spool))
    try:
        Spool(Path(sys.argv[1] + "-other")).__enter__()
    except SpoolError as error:
        print(error.code, error.retriable)
    limit(resource.RLIMIT_NOFILE, 100)
    print(write(spool, "after", 100), sort(spool))
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (NO_DISK, ["done", "spool-io True done", "done done", "after before large small"]),
        (NO_HANDLES, ["done spool-unwritable True", "spool-unwritable False", "done 42"]),
    ],
    ids=["disk", "handles"],
)
def test_a_spool_outlives_what_its_process_is_refused(script: str, said: list[str], tmp_path: Path) -> None:
    """A file that may grow no more, no handle for a file more: named, and over with the cause."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED + script, str(tmp_path / "spool")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == said
