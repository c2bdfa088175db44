"""A tracker that is killed while it folds, one that begins anew, and an auditor who reads it all again."""

import asyncio
from random import Random

import pytest

from exchange.domain.event import Event
from exchange.domain.statement import Signed
from tests.faults.conftest import Following
from tests.faults.traffic import Traffic, hand_in, letters
from tests.faults.waiting import ran
from tests.stage import Stage
from tests.world import Speaker, receipt_card

pytestmark = pytest.mark.server

LETTERS = 2_000


def answers(stage: Stage, traffic: Traffic, random: Random) -> Traffic:
    """What the recipients say of each letter, in any order, some of it twice; a few strays."""
    speakers: dict[str, Speaker] = {body: stage.speaker(body) for body in traffic.said}
    said: dict[str, list[Signed]] = {body: [speaker.open()] for body, speaker in speakers.items()}
    for sender, letters_said in traffic.said.items():
        for letter in letters_said[1:]:
            for recipient in stage.checker.decided[letter.digest].copies:
                card = receipt_card(reg_number=f"01-{random.randint(1, 999)}")
                words = random.choices([Event.DELIVERED, Event.HANDED_OVER, Event.REGISTERED], k=3)
                said[recipient] += [speakers[recipient].receipt(letter, sender, word, card) for word in words[:2]]
            if random.random() < 0.02:
                said[sender].append(speakers[sender].receipt(letter, sender, Event.REGISTERED))
    return Traffic(said)


async def test_tracker_killed_and_rebuilt(stage: Stage, following: Following) -> None:
    """Killed -9 again and again it ends with the state that one from scratch has, line by line."""
    random = Random(41)
    bodies = stage.fresh(4)
    traffic = letters(stage, bodies, LETTERS, random, size=100)
    with stage.running("router"):
        await hand_in(stage, traffic)
        await stage.checker.until_decided(traffic.digests)
        receipts = answers(stage, traffic, random)
        async with asyncio.TaskGroup() as group:
            group.create_task(hand_in(stage, receipts))
            group.create_task(stage.checker.until_decided(receipts.digests))
            for _ in range(3):
                await asyncio.sleep(random.uniform(1.0, 2.5))
                following.kill()
                following.start()
        await stage.checker.check()
    await following.settle()
    kept = following.dump()
    following.kill()
    for file in following.database.parent.glob(f"{following.database.name}*"):
        file.unlink()
    following.start()
    await following.settle()
    assert following.dump() == kept


async def test_the_auditor_finds_nothing(stage: Stage, following: Following) -> None:
    """Whatever broke before: every signature and decision holds, and the tracker has the same states."""
    await stage.checker.check()
    await following.settle()
    config = stage.installation.config("auditor")
    found = await asyncio.to_thread(ran, "audit", "replay", "--not-journalled", "--config", str(config))
    assert found.returncode == 0, found.stdout + found.stderr
