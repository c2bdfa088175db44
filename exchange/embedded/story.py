"""Plays the story on an installation that is up: letters go out, document systems answer, bad ones are refused.

What it returns was read from the tracker's database, from the dead letters and from the folders of
the document systems; it remembers only which letters it dropped.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.formats import format_named
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import DEAD_LETTERS
from exchange.domain.decision import DeadLetter
from exchange.domain.delivery import TABLE, State
from exchange.domain.directory import Directory
from exchange.domain.event import Event
from exchange.embedded.edms import Sample, StandInEdms, compose_letter, drop
from exchange.embedded.edms_story import STORY
from exchange.embedded.forgery import forge, submit
from exchange.embedded.installed import Installation, role_of
from exchange.embedded.story_script import (
    BROKEN_SAMPLE,
    FORGED_AS,
    FORGED_BY,
    UNKNOWN_SAMPLE,
    broken,
    script_of,
    sender_format,
)
from exchange.security.cades import Signer
from exchange.security.keys import load_key_pair
from exchange.settings import operator_settings
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.settings.bodies import BodySettings
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.lists import DeliveryFilter
from exchange.store.views import Timeline
from exchange.wire.records import decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STORY_SECONDS = 300.0
"""It takes some seconds; this is for what hangs."""
STEP_SECONDS = 0.15
REPLIES = 1
"""Letters that the document systems send of their own accord, in answer."""

_BEYOND = Counter({State.IN_WORK: 2, State.ANSWERED: 1})
"""To which states beyond registration the story brings how many deliveries."""
_SETTLED = TABLE[Event.REGISTERED].rank
_FINAL = frozenset(rule.state for rule in TABLE.values() if rule.rank >= _SETTLED)
_ENDS = frozenset({Event.REGISTERED, Event.REFUSED, Event.HAND_OVER_FAILED, Event.NOT_DELIVERED})
"""What a document system hears of a letter's end; a refusal by the exchange has no word of its own there."""
_IDS = uuid.UUID("0b8f3f0e-35a2-5bb7-8d6c-3a8a8b1c0d52")

Tell = Callable[[str], None]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Refused:
    """A bad letter: who tried what, the code and text of the refusal, and where that can be seen."""

    what: str
    sender: str
    code: str
    detail: str
    where: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the story.

    Attributes:
        letters: the timelines of all letters in the journal, in its order.
        refused: the bad letters that never became a letter in the journal.
        receipts: receipts that document systems found in their folders, by body.
        complete: whether every delivery came to an end and every bad letter was refused in time.
    """

    letters: tuple[Timeline, ...]
    refused: tuple[Refused, ...]
    receipts: Mapping[str, int]
    complete: bool


@dataclass(slots=True)
class Story:
    """The document systems and what they send."""

    installation: Installation
    environ: Mapping[str, str]
    directory: Directory
    clock: Clock
    tell: Tell
    _systems: dict[str, StandInEdms] = field(default_factory=dict)
    _bodies: dict[str, BodySettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set the document systems up on their folders."""
        for agent in self.installation.agents:
            carried = self._agent(agent).carried(self.directory)
            self._bodies |= {body.code: body for body in carried}
        for code in self._bodies:
            root, script = self.installation.edms(code), script_of(code, lambda: self.clock().date())
            fmt = format_named(self._format(code))
            self._systems[code] = StandInEdms(root, code, fmt, self.directory, script, self.clock)

    @property
    def systems(self) -> Mapping[str, StandInEdms]:
        """The document systems by body."""
        return self._systems

    @asynccontextmanager
    async def answering(self) -> "AsyncIterator[None]":
        """The document systems read and answer while the context lasts."""
        task = asyncio.create_task(self._answer())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def play(self) -> Outcome:
        """Send every letter and wait until each has come to its end; at most `STORY_SECONDS`."""
        self.tell("dropping letters into the senders' folders")
        samples = [*STORY.values(), UNKNOWN_SAMPLE]
        for sample in samples:
            await asyncio.to_thread(self.drop, sample)
        await asyncio.to_thread(self.drop, BROKEN_SAMPLE)
        await self._send_forged()
        expected = sum(len(sample.recipients) for sample in samples) + REPLIES
        deadline = asyncio.get_running_loop().time() + STORY_SECONDS
        while True:
            outcome = await self._look(expected)
            if outcome.complete or asyncio.get_running_loop().time() > deadline:
                return outcome
            await asyncio.sleep(STEP_SECONDS)

    def _agent(self, code: str) -> AgentSettings:
        return agent_settings(self.installation.config(role_of(code)), self.environ)

    def _format(self, code: str) -> str:
        profile = self._bodies[code].edms
        return "" if profile is None else profile.format.name

    def drop(self, sample: Sample) -> None:
        """Put a letter into its sender's folder."""
        fmt = sender_format(sample, self._format(sample.sender))
        message_id = str(uuid.uuid5(_IDS, f"{sample.sender} {sample.number}"))
        name = f"{sample.sender}-{sample.number.replace('/', '-')}"
        package = compose_letter(fmt, sample, self.directory, message_id, self.clock(), name)
        drop(self.installation.edms(sample.sender), broken(package) if sample is BROKEN_SAMPLE else package)

    async def _send_forged(self) -> None:
        pair = load_key_pair(self._bodies[FORGED_BY].statement)
        signer = Signer(pair.certificate, pair.key)
        signed = forge(self.directory, FORGED_AS, "minjust", signer, self.clock())
        await submit(signed, self._agent(FORGED_BY).kafka, FORGED_AS, self.directory.lanes)

    async def _answer(self) -> None:
        while True:
            for system in self._systems.values():
                await asyncio.to_thread(system.step)
            await asyncio.sleep(STEP_SECONDS)

    async def _look(self, expected: int) -> Outcome:
        """What tracker, dead letters and folders say now."""
        operator = operator_settings(self.installation.config("operator"), self.environ)
        letters = await asyncio.to_thread(_timelines, operator.store)
        deliveries = [part.delivery for story in letters for part in story.deliveries]
        settled = sum(delivery.state in _FINAL for delivery in deliveries)
        self.tell(f"{settled} of {expected} deliveries have come to their end")
        quarantined = self._quarantined()
        receipts = {code: len(system.receipts) for code, system in self._systems.items()}
        beyond = Counter(delivery.state for delivery in deliveries) >= _BEYOND
        done = settled >= expected and beyond and bool(quarantined) and all(map(self._told, letters))
        dead: list[Refused] = []
        if done:
            async with PositionedReader(operator.kafka, {(DEAD_LETTERS, 0): None}, fetch_wait_seconds=0.5) as reader:
                dead = [_forged(record) for record in await reader.read(2.0) if isinstance(record, Record)]
        return Outcome(letters, (*dead, *quarantined), receipts, complete=done and bool(dead))

    def _told(self, story: Timeline) -> bool:
        """Whether the sender's document system has heard of the end of each delivery."""
        system = self._systems[story.letter.sender]
        message_id = story.letter.message_id
        ends = [
            receipt for receipt in system.receipts if receipt.event in _ENDS and receipt.card.message_id == message_id
        ]
        return len(ends) >= len(story.deliveries)

    def _quarantined(self) -> list[Refused]:
        found = []
        for code in self._bodies:
            for problem in sorted(self.installation.edms(code).glob("quarantine/*/problem.txt")):
                words, _, code_line = problem.read_text(encoding="utf-8").strip().rpartition("\n")
                reason = code_line.strip("()")
                found.append(Refused("breaks its schema", code, reason, words, _short(problem, self.installation)))
        return found


def _timelines(url: str) -> tuple[Timeline, ...]:
    with Store(url) as store, store.reading() as connection:
        lines = queries.deliveries(connection, DeliveryFilter(), None, 1000).items
        digests = dict.fromkeys(line.letter.digest for line in lines)
        stories = (queries.timeline(connection, digest) for digest in digests)
        found = [story for story in stories if story is not None]
    return tuple(sorted(found, key=lambda story: (story.letter.journalled, story.letter.arrived)))


def _forged(record: Record) -> Refused:
    dead = decode(DeadLetter, record.value or b"")
    where = f"{DEAD_LETTERS}, submission {dead.partition}/{dead.offset}"
    return Refused(f"signed with the key of {FORGED_BY}", FORGED_AS, dead.reason, dead.detail, where)


def _short(path: Path, installation: Installation) -> str:
    return str(path.relative_to(installation.folder))
