"""A circular through the real router: one decision, a copy in each inbox, whatever happens to the directory."""

import asyncio
import dataclasses
from collections.abc import Iterator

import pytest

from exchange.bus.topics import inbox_topic
from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.reason import Reason
from exchange.domain.statement import Group, Signed
from exchange.embedded.installation import SHAPE
from tests.stage import Process, Stage
from tests.world import Speaker

pytestmark = pytest.mark.server

VILLAGES = [
    Body(f"village-{number:02}", Names("", "", ""), "village", BodyStatus.CONNECTED, soate="41708222865010")
    for number in range(60)
]
CODES = tuple(body.code for body in VILLAGES)


@pytest.fixture(scope="module", autouse=True)
def router(stage: Stage) -> Iterator[Process]:
    """One router; the villages have their inboxes."""
    asyncio.run(furnish(stage))
    with stage.running("router") as process:
        yield process
        assert process.stop() == 0


async def furnish(stage: Stage) -> None:
    """Topics first, then the directory."""
    async with stage.administration() as administration:
        assert await administration.ensure_topics([inbox_topic(code, SHAPE) for code in CODES]) == []
    stage.checker.add(CODES)
    stage.register(*VILLAGES)


async def decide(stage: Stage, speaker: Speaker, expression: str, version: int) -> tuple[str, tuple[str, ...]]:
    """What becomes of a letter to a group: reason and recipients."""
    letter: Signed = speaker.letter(group=Group(expression, version), message_id=f"{expression}, {speaker.number}")
    await stage.submit(speaker.body, [letter])
    await stage.checker.until_decided([letter.digest])
    decided = stage.checker.decided[letter.digest]
    return decided.reason, decided.copies


async def test_a_circular_goes_to_each_of_its_group(stage: Stage) -> None:
    """By the version named: what the router stood on before, too, and whoever left since gets none."""
    (sender,) = stage.fresh(1)
    speaker = stage.speaker(sender)
    await stage.submit(sender, [speaker.open()])
    before = stage.directory_version()
    assert await decide(stage, speaker, "kind:village", before) == ("", CODES)
    assert await decide(stage, speaker, f"soate:41708222, -{CODES[0]}", before) == ("", CODES[1:])
    assert await decide(stage, speaker, "kind:vilage", before) == (Reason.RECIPIENT_UNKNOWN, ())
    assert await decide(stage, speaker, "kind:village", before + 99) == (Reason.GROUP_OUTDATED, ())
    stage.register(dataclasses.replace(VILLAGES[0], status=BodyStatus.LEFT))
    while await decide(stage, speaker, f"{CODES[0]}, {CODES[1]}", before) != ("", CODES[1:2]):
        pass  # the router looks every two seconds
    assert await decide(stage, speaker, "kind:village", before) == ("", CODES[1:])
    assert await decide(stage, speaker, "kind:village", before + 1) == ("", CODES[1:])
    await stage.checker.check()
