"""Deadlines, the tracker and the console while trackers die, clocks jump and the database is away."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from exchange.domain.fact import LetterFact
from exchange.domain.own_bodies import TRACKER_BODY
from exchange.domain.statement import Signed
from exchange.embedded.installation import SHAPE
from exchange.store import queries
from exchange.store.database import Store
from tests.chaos.broker_clocks import library
from tests.chaos.clocked import step
from tests.faults.agents import agent, all_taken, arrived, leave, spools
from tests.faults.late import SILENT, SQLITE, TALKING, WITHIN_SECONDS, Late, Running, late_exchange, operator, positions
from tests.faults.waiting import ran, until
from tests.patience import PATIENCE
from tests.requirements import requires_tool
from tests.store.support import frozen

pytestmark = pytest.mark.server

HOUR = 3600.0
PAGE = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Late]:
    """One exchange for all of them, so that each also has what those before it left."""
    with late_exchange(tmp_path_factory.mktemp("late")) as made:
        yield made


async def send(late: Late, sender: str, recipient: str, count: int) -> list[Signed]:
    """Letters that are accepted."""
    author = late.stage.speaker(sender)
    said = [author.open(), *(author.letter(recipient, message_id=f"m-{number}") for number in range(count))]
    await late.stage.submit(sender, said)
    await late.stage.checker.until_decided(signed.digest for signed in said)
    return said[1:]


async def require_once(late: Late, letters: Sequence[Signed], *parties: str) -> None:
    """Each was said to be late once, not before it was, and both bodies were told; all else is as it must be."""
    said = await late.said()
    accepted = {fact.letter: fact.course.journalled for fact in await late.journal() if isinstance(fact, LetterFact)}
    assert set(Counter((fact.letter, fact.stage) for fact in said).values()) == {1}
    assert {one.digest for one in letters} <= {fact.letter for fact in said}
    for fact in said:
        assert fact.due == accepted[fact.letter] + timedelta(seconds=WITHIN_SECONDS)
        assert fact.due < fact.through <= fact.course.journalled
    checker = late.stage.checker
    await checker.check()
    told = {seen.copies for seen in checker.decided.values() if seen.head.body == TRACKER_BODY and seen.copies}
    assert parties in told


@requires_tool("cc", debian="gcc")
async def test_late_once_by_no_clock_of_ours(late: Late) -> None:
    """The trackers' clocks are off, and jump both ways while letters become late: none is early, missing, or twice."""
    clocks = [late.stage.folder / f"clock-{name}" for name in ("one", "two")]
    for clock, seconds in zip(clocks, (HOUR, -HOUR / 2), strict=True):
        step(clock, seconds)
    preloaded = f"LD_PRELOAD={library(late.stage.folder)}"
    trackers = [
        late.process("tracker", name, "env", preloaded, f"STEPPED_CLOCK={clock}")
        for name, clock in zip(("one", "two"), clocks, strict=True)
    ]
    for tracker in trackers:
        await tracker.follows(2)
    letters = await send(late, TALKING[0], SILENT[0], 8)
    for clock, seconds in zip(clocks, (-HOUR / 2, HOUR), strict=True):
        step(clock, seconds)
    await late.until_said(len(letters))
    for clock in clocks:
        step(clock, 0.0)
    await late.until_ticked(3)
    await require_once(late, letters, TALKING[0], SILENT[0])


async def test_late_once_whoever_is_killed(late: Late) -> None:
    """Trackers of the same partitions are killed while they say what is late; then the database is lost, too."""
    one, two = (late.process("tracker", name) for name in ("one", "two"))
    for tracker in (one, two):
        await tracker.follows(2)
    before = len(await late.said())
    first = await send(late, TALKING[1], SILENT[1], 30)
    await late.until_said(before + 1)
    two.process.kill()  # with its spool: nobody starts it again
    three = late.process("tracker", "three")
    second = await send(late, TALKING[2], SILENT[2], 30)
    await three.follows(2)
    await late.until_said(before + len(first) + 1)
    for tracker in (one, three):
        tracker.process.kill()
    with Store(late.server.url) as store:
        store.drop()
    one = late.process("tracker", "one")
    await late.until_said(before + len(first) + len(second))
    await one.follows(SHAPE.journal_partitions)
    await late.until_ticked(3)
    await require_once(late, [*first, *second], TALKING[1], SILENT[1])


async def test_killed_in_the_middle_of_a_batch(late: Late) -> None:
    """What its transaction had written is taken back, and the next one takes the batch again."""
    one = late.process("tracker", "one")
    await one.follows(SHAPE.journal_partitions)
    engine = sa.create_engine(late.server.url)
    with Store(late.server.url) as store, engine.connect() as holding:
        holding.execute(sa.text("LOCK TABLE positions IN EXCLUSIVE MODE"))  # what a batch writes last
        before = positions(store)
        letters = await send(late, TALKING[3], TALKING[4], 20)

        async def is_held_up() -> bool:
            asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'positions'::regclass"
            return bool(holding.execute(sa.text(asked)).scalar_one())

        await until(is_held_up, "a batch in the middle")
        one.process.kill()
        assert positions(store) == before
        holding.rollback()
        one = late.process("tracker", "one")
        await one.follows(SHAPE.journal_partitions)
        with store.reading() as connection:
            assert all(queries.timeline(connection, letter.digest) for letter in letters)
    engine.dispose()


async def test_letters_go_on_while_the_database_is_away(late: Late) -> None:
    """Stopped, then frozen: agents notice nothing, tracker and console say so, and both go on by themselves."""
    sender, recipient = TALKING[5:7]
    tracker, console = late.process("tracker", "one"), late.process("console", "one")
    headers = operator(late)
    await tracker.ready()
    await console.ready()
    names = [f"away-{number}" for number in range(30)]
    with agent(late.stage, sender), agent(late.stage, recipient):
        await carried(late, names[:10], sender, recipient)
        late.server.stop()
        await tracker.waits("store-unavailable")
        await console.waits("store-unavailable")
        unseen = await send(late, TALKING[2], SILENT[0], 2)
        await carried(late, names[10:20], sender, recipient)
        await require_away(console, headers)

        async def is_counted() -> bool:
            return tracker.metric("exchange_tracker_failures_total") > 0

        await until(is_counted, "the failure counted")
        await asyncio.to_thread(late.server.start)
        await tracker.ready()
        await require_there(console, headers)
        with frozen(late.server):
            await asyncio.gather(carried(late, names[20:], sender, recipient), require_away(console, headers))
        await require_there(console, headers)
        await tracker.ready()
        await late.until_ticked(3)
        await require_once(late, unseen, TALKING[2], SILENT[0])
    assert await arrived(late.stage, recipient) == names
    await late.stage.checker.check(spools(late.stage, sender, recipient))


async def carried(late: Late, names: list[str], sender: str, recipient: str) -> None:
    """Letters left in one spool arrive in the other, and the sender hears so."""
    await leave(late.stage, sender, names, recipient)

    async def all_there() -> bool:
        return names[-1] in await arrived(late.stage, recipient)

    await until(all_there, "letters carried")
    await all_taken(late.stage, sender)


async def require_away(console: Running, headers: dict[str, str]) -> None:
    """Pages say that the data cannot be reached, programs are told the code; neither waits for ever."""
    async with httpx.AsyncClient(base_url=console.served, headers=headers, timeout=PATIENCE) as client:
        page, answer = await asyncio.gather(client.get("/letters", headers=PAGE), client.get("/api/v1/letters"))
    assert page.status_code == answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert "The console cannot reach its data" in page.text
    assert answer.json()["code"] == "store-unavailable"
    for text in (page.text, answer.text):
        assert "Traceback" not in text


async def require_there(console: Running, headers: dict[str, str]) -> None:
    """Pages are there again by themselves."""
    await console.ready()
    async with httpx.AsyncClient(base_url=console.served, headers=headers, timeout=PATIENCE) as client:

        async def shown() -> bool:
            return (await client.get("/letters", headers=PAGE)).status_code == httpx.codes.OK

        await until(shown, "its pages")


async def test_the_journal_gives_it_all_back(late: Late) -> None:
    """A database that is filled anew comes to the same, line by line; an auditor finds nothing, and the same states."""
    one = late.process("tracker", "one")
    await one.follows(SHAPE.journal_partitions)
    assert late.router.stop() == 0
    kept = await late.settled()
    one.process.kill()
    with Store(late.server.url) as store:
        store.drop()
    late.process("tracker", "one")
    assert await late.settled() == kept
    auditor = late.stage.installation.config("auditor")
    auditor.write_text(auditor.read_text(encoding="utf-8").replace(SQLITE, late.server.url), encoding="utf-8")
    found = await asyncio.to_thread(ran, "audit", "replay", "--not-journalled", "--config", str(auditor))
    assert found.returncode == 0, found.stdout + found.stderr
