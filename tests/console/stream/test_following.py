"""Streams of changes: without gap or repetition, whoever is cut, slow, or away."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.console.stream import following as following_module
from exchange.console.stream import hub as hub_module
from exchange.console.stream.following import MOST_MISSED, Following
from exchange.console.stream.wanted import Wanted
from exchange.store.lists import DeliveryFilter, Vector
from tests.console.stream.clients import ALL, listening, opened, running, until
from tests.console.stream.stories import GrowingJournal, Heard, everything
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for whole seconds."""
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.002)
    monkeypatch.setattr(hub_module, "AGAIN_SECONDS", 0.005)
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 2 * PATIENCE)  # none, even if all this stands still for a while
    monkeypatch.setattr(following_module, "AGAIN_SECONDS", 0.005)


async def test_from_now_on() -> None:
    """What happened before is the list's business."""
    journal, heard = GrowingJournal(), Heard()
    journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard):
        await opened(heard)
        assert heard.last_id == "0:0"
        journal.happen(0, "beta", "gamma")
        journal.happen(1, "gamma")
        await until(lambda: len(heard.positions) == 3)
    assert heard.positions == [("0:2", "beta"), ("0:2", "gamma"), ("1:0", "gamma")]
    assert heard.last_id == "0:2,1:0"


async def test_cut_and_resumed() -> None:
    """What happened meanwhile is told first; at another process just as well."""
    journal, heard = GrowingJournal(), Heard()
    journal.happen(0, "beta")
    async with running(journal) as hub:
        async with listening(hub, heard):
            await opened(heard)
        journal.happen(0, "beta")
        journal.happen(1, "beta")
    async with running(journal) as other, listening(other, heard):
        await until(lambda: len(heard.positions) == 2)
        journal.happen(1, "beta")
        await until(lambda: len(heard.positions) == 3)
    assert heard.positions == [("0:2", "beta"), ("1:0", "beta"), ("1:2", "beta")]


STEPS = st.one_of(
    st.tuples(st.just("happen"), st.integers(0, 2), st.integers(1, 3)),
    st.tuples(st.just("cut"), st.just(0), st.just(0)),
    st.tuples(st.just("away"), st.just(0), st.just(0)),
    st.tuples(st.just("back"), st.just(0), st.just(0)),
    st.tuples(st.just("pause"), st.just(0), st.just(0)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_no_gap_and_no_repetition(steps: list[tuple[str, int, int]]) -> None:
    """Whenever the stream is cut, and whenever the database is away."""

    async def story() -> None:
        journal, heard = GrowingJournal(), Heard()
        for partition in range(3):
            journal.happen(partition, "first")
        async with running(journal) as hub:
            await until(lambda: hub.place is not None)
            left = list(steps)
            while left:
                heard.last_id = heard.last_id or "0:0,1:0,2:0"
                async with listening(hub, heard):
                    await through(left, journal)
            journal.is_away = False
            async with listening(hub, heard):
                expected = [each for each in everything(journal) if each[1] != "first"]
                await until(lambda: len(heard.positions) >= len(expected))
        assert sorted(heard.positions) == sorted(expected)

    asyncio.run(story())


async def through(left: list[tuple[str, int, int]], journal: GrowingJournal) -> None:
    """Steps up to the next cut."""
    while left:
        step, partition, recipients = left.pop(0)
        match step:
            case "happen":
                journal.happen(partition, *(f"body-{number}" for number in range(recipients)))
            case "away" | "back":
                journal.is_away = step == "away"
            case "pause":
                await asyncio.sleep(0.004)
            case _:
                return


async def test_a_slow_client_is_cut_and_told_so() -> None:
    """It leaves no more waiting than allowed, and goes on by its id."""
    journal, heard = GrowingJournal(), Heard()
    journal.happen(0, "beta")
    async with running(journal, most_waiting=3) as hub:
        messages = Following(hub).stream(ALL, None)
        while "open" not in heard.events:
            heard.feed(await anext(messages))
        for number in range(6):
            journal.happen(0, "beta")
            reached = Vector({0: 2 * number + 2})
            await until(lambda reached=reached: hub.place == reached)  # type: ignore[misc]
        async for message in messages:
            heard.feed(message)
        assert heard.events[-1] == "lagging"
        assert len(heard.positions) < 6
        async with listening(hub, heard):
            await until(lambda: len(heard.positions) == 6)
    assert heard.positions == list(everything(journal))[1:]


async def test_the_database_is_away_for_a_while() -> None:
    """Who listens hears it, once; who comes meanwhile too; then everything goes on by itself."""
    journal, heard, late = GrowingJournal(), Heard(), Heard(last_id="0:0")
    journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard):
        await opened(heard)
        assert hub.waiting_for == ""
        journal.is_away = True
        await until(lambda: "stale" in heard.events)
        assert hub.waiting_for == "the tracker's database: store-unavailable"
        journal.happen(0, "beta")
        async with listening(hub, late):
            await until(lambda: "stale" in late.events)
            journal.is_away = False
            await until(lambda: len(heard.positions) == len(late.positions) == 1)
    assert [event for event in heard.events if event != "open"] == ["stale", "live", "changes"]
    assert late.positions == heard.positions


async def test_a_database_that_is_away_from_the_beginning() -> None:
    """Streams open all the same, and begin where the journal then is."""
    journal, heard = GrowingJournal(is_away=True), Heard()
    journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard):
        await until(lambda: "stale" in heard.events)
        journal.is_away = False
        await opened(heard)
        journal.happen(0, "beta")
        await until(lambda: bool(heard.positions))
    assert heard.positions == [("0:2", "beta")]


async def test_tables_that_are_filled_again_tell_nothing_twice() -> None:
    """They were dropped; until they are as far as before, nobody hears anything."""
    journal, heard, late = GrowingJournal(), Heard(), Heard(last_id="0:2,1:0")
    for partition in (0, 0, 0, 1):
        journal.happen(partition, "beta")
    async with running(journal) as hub, listening(hub, heard):
        await opened(heard)
        journal.filled = {0: 0, 1: 0}
        await asyncio.sleep(0.02)
        async with listening(hub, late):
            await opened(late)
            journal.filled = {0: 1, 1: 1}
            await asyncio.sleep(0.02)
            journal.happen(1, "gamma")
            journal.filled = {}
            await until(lambda: len(heard.positions) == 1 and len(late.positions) == 2)
    assert heard.positions == [("1:2", "gamma")]
    assert late.positions == [("0:4", "beta"), ("1:2", "gamma")]


@pytest.mark.parametrize("last_id", ["7:1", f"0:{2 * MOST_MISSED}", "0:1"])
async def test_who_missed_too_much_loads_the_list_again(last_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or who brings a place of another journal; who is ahead of this process is not."""
    monkeypatch.setattr(following_module, "MOST_MISSED", 5)
    journal, heard = GrowingJournal(), Heard(last_id=last_id)
    for _ in range(10):
        journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard):
        expected = "open" if last_id.startswith("0:4") else "reset"
        await until(lambda: expected in heard.events)
        if expected == "reset":
            assert heard.last_id == "0:18"
            journal.happen(0, "gamma")
            await until(lambda: len(heard.positions) == 1)
    assert set(heard.positions) <= {("0:20", "gamma")}


async def test_one_reader_for_all() -> None:
    """However many listen, and nothing but the place is asked for while nobody does."""
    journal = GrowingJournal()
    journal.happen(0, "beta")
    heard = [Heard() for _ in range(20)]
    async with running(journal) as hub:
        listeners = [listening(hub, each) for each in heard]
        for each in listeners:
            await each.__aenter__()
        await until(lambda: all("open" in each.events for each in heard))
        before = journal.questions
        await asyncio.sleep(0.05)
        assert journal.questions - before < 60
        for each in listeners:
            await each.__aexit__(None, None, None)


async def test_a_sign_of_life_keeps_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when all that happens is filtered away, so that coming back is cheap."""
    monkeypatch.setattr(hub_module, "BEAT_SECONDS", 0.01)
    journal, heard = GrowingJournal(), Heard()
    journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard, Wanted(DeliveryFilter(recipient="nobody"))):
        await opened(heard)
        journal.happen(0, "beta")
        await until(lambda: heard.last_id == "0:2")
    assert heard.positions == []


async def test_the_end_of_the_process_ends_streams() -> None:
    """At once, those that come then too."""
    journal, heard, late = GrowingJournal(), Heard(), Heard()
    journal.happen(0, "beta")
    async with running(journal) as hub, listening(hub, heard) as task:
        await opened(heard)
        hub.end()
        await asyncio.wait_for(task, PATIENCE)
        async with listening(hub, late) as other:
            await asyncio.wait_for(other, PATIENCE)
    assert heard.events == ["open"]
