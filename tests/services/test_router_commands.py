"""The lane of commands on real Kafka: what services say, with their own keys and rights, and every lane's ticks."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange import system
from exchange.agent.drafts import DraftCommand, DraftDeadline
from exchange.bus.access import CONSOLE, ROUTER, TRACKER
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.domain import delivery
from exchange.domain.deadline import Stage as Awaited
from exchange.domain.fact import CommandFact, DeadlineFact, TickFact
from exchange.domain.ids import digest, journal_partition
from exchange.domain.own_bodies import CONSOLE_BODY, TRACKER_BODY
from exchange.domain.statement import Signed
from exchange.domain.through import LaneReach, complete, ticked
from exchange.embedded.installation import ADMIN, SHAPE
from exchange.journal.facts import JournalRecord, read_fact
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.keys import KeyFiles
from exchange.services.router.ground import FootingFiles
from exchange.services.router.metrics import RouterMetrics
from exchange.services.router.service import Router
from exchange.services.speaking import Speaker, command_key, deadline_key
from exchange.settings import router_settings, tracker_settings
from exchange.settings.speaking import SpeakingSettings
from exchange.wiring.speaking import open_speaker
from tests.patience import PATIENCE
from tests.stage import Stage

pytestmark = pytest.mark.server

TICK_SECONDS = 0.5


@contextlib.asynccontextmanager
async def routing(stage: Stage) -> AsyncIterator[Router]:
    """A router of all lanes, by the installation's own files."""
    settings = router_settings(stage.installation.config("router"), {})
    folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    footings = FootingFiles(folder, settings.policy, system.now, system.monotonic, None)
    router = Router(stage.settings(ROUTER), footings, system.now, RouterMetrics(CollectorRegistry()), TICK_SECONDS)
    task = asyncio.create_task(router.run())
    try:
        yield router
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def speaking(stage: Stage, body: str, principal: str) -> AsyncIterator[Speaker]:
    """A service that speaks, as its process does."""
    tracker = tracker_settings(stage.installation.config("tracker"), {})
    assert tracker.speaking is not None
    key, certificate = (
        Path(str(file).replace(TRACKER_BODY, body))
        for file in (tracker.speaking.statement.key, tracker.speaking.statement.certificate)
    )
    own = SpeakingSettings(KeyFiles(key, certificate), stage.folder / "spool" / f"test-{body}")
    with open_speaker(body, own, stage.settings(principal), tracker.directory) as speaker:
        task = asyncio.create_task(speaker.run())
        try:
            yield speaker
        finally:
            task.cancel()
            await asyncio.wait([task])


async def journal(stage: Stage) -> list[JournalRecord]:
    """All of it."""
    positions = {(JOURNAL, partition): None for partition in range(SHAPE.journal_partitions)}
    found = []
    async with PositionedReader(stage.settings(ADMIN), positions, fetch_wait_seconds=0.2) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            for record in await reader.read(0.5, 2000):
                if isinstance(record, Record):
                    place = delivery.Position(record.partition, record.offset)
                    found.append(JournalRecord(place, record.timestamp, record.value or b""))
    return found


async def record_of(stage: Stage, letter: Signed) -> bytes:
    """What the journal has of a letter."""
    (found,) = [
        each.value for each in await journal(stage) if getattr(read_fact(each), "letter", None) == letter.digest
    ]
    return found


async def test_services_speak_and_lanes_tick(stage: Stage) -> None:
    """A letter is late and is redriven: said once, in its partition, with copies; every lane says how far it came."""
    sender, recipient = stage.fresh(2)
    author = stage.speaker(sender)
    said = [author.open(), author.letter(recipient)]
    letter = said[-1]
    async with (
        routing(stage),
        speaking(stage, TRACKER_BODY, TRACKER) as tracker,
        speaking(stage, CONSOLE_BODY, CONSOLE) as console,
    ):
        await stage.submit(sender, said)
        await stage.checker.until_decided(signed.digest for signed in said)
        now = datetime.now(UTC)
        late = DraftDeadline(
            letter.digest, sender, recipient, Awaited.DELIVER, now - timedelta(1), now, digest(b""), (sender, recipient)
        )
        key = deadline_key(letter.digest, recipient, Awaited.DELIVER)
        act = DraftCommand("redrive", "t-1", "asanova", letter=letter.digest, recipient=recipient)
        act = replace(act, carried=await record_of(stage, letter))
        redrive = command_key("redrive", "t-1", letter.digest, recipient)
        await tracker.say(key, late)
        await console.say(redrive, act)
        await console.say("sign-in", DraftCommand("sign-in", "t-2", "asanova"))
        settled = [await tracker.settled(key), await console.settled(redrive), await console.settled("sign-in")]
        assert [each.accepted for each in settled] == [True] * 3
        complete_at = time.monotonic() + PATIENCE
        while (until := _complete(await journal(stage), letter)) is None or until <= now:
            assert time.monotonic() < complete_at, until
            await asyncio.sleep(0.3)
    facts = [read_fact(record) for record in await journal(stage)]
    place = journal_partition(letter.digest, SHAPE.journal_partitions)
    told = [fact for fact in facts if isinstance(fact, DeadlineFact | CommandFact) and fact.letter == letter.digest]
    assert {type(fact) for fact in told} == {DeadlineFact, CommandFact}
    assert {fact.position.partition for fact in told} == {place}
    ticks = {(fact.lane, fact.position.partition) for fact in facts if isinstance(fact, TickFact)}
    assert ticks == {(lane, where) for lane in range(SHAPE.lanes + 1) for where in range(SHAPE.journal_partitions)}
    await stage.checker.check()


def _complete(records: list[JournalRecord], letter: Signed) -> datetime | None:
    """Up to when the letter's partition is complete."""
    reached: dict[int, LaneReach] = {}
    for fact in map(read_fact, records):
        if isinstance(fact, TickFact) and fact.position.partition == journal_partition(
            letter.digest, SHAPE.journal_partitions
        ):
            reached[fact.lane] = ticked(reached.get(fact.lane), fact)
    return complete(reached, SHAPE.lanes)
