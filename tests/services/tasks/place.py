"""A desk, a tracker and a journal for tasks: real tables, real records, a speaker in memory."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from exchange.agent.drafts import DraftCommand
from exchange.bus.picking import Offset
from exchange.bus.records import Record
from exchange.domain.errors import BusError
from exchange.domain.event import Event
from exchange.domain.statement import Signed
from exchange.domain.task import ItemState, Plan, TaskState
from exchange.domain.user import Role, User
from exchange.services.speaking import Said
from exchange.services.tasks.letters import Letters
from exchange.services.tasks.metrics import TaskMetrics
from exchange.services.tasks.office import Asked, TaskOffice
from exchange.services.tasks.runner import TaskRunner
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.store.lists import DeliveryFilter
from tests.journal.synthetic import STEP, SyntheticJournal
from tests.services.journal_fake import as_taken
from tests.store.support import take
from tests.world import World

ASEL = User("asel", "Asel", frozenset({Role.OPERATOR}))
BAKYT = User("bakyt", "Bakyt", frozenset({Role.OPERATOR}))
AUDITOR = User("gulnara", "Gulnara", frozenset({Role.AUDITOR}))
CLERK = User("clerk", "Clerk", frozenset({Role.BODY_ADMINISTRATOR}), "beta")
PLAN = Plan(rate=1000, sample=2, share=50)
REASON = "the archive lost its disk"


@dataclass
class FakeSpeaker:
    """Says each key once and decides at once; `failures` are raised by the next calls, one each."""

    said: dict[str, DraftCommand] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    unsayable: Exception | None = None

    async def say(self, key: str, draft: DraftCommand) -> bool:
        if self.unsayable is not None and draft.carried is not None:
            raise self.unsayable
        if self.failures:
            raise self.failures.pop(0)
        new = key not in self.said
        self.said.setdefault(key, draft)
        return new

    async def all_said(self, keys: Sequence[str]) -> Mapping[str, Said]:
        return {key: self._decided(key) for key in keys if key in self.said}

    def _decided(self, key: str) -> Said:
        return Said(settled=True, reason=self.refused.get(key, ""), detail="", statement=None)

    def redriven(self) -> list[tuple[bytes | None, str]]:
        """Letters and recipients, in the order in which they were said."""
        return [(draft.letter, draft.recipient) for draft in self.said.values() if draft.action == "redrive"]

    def acts(self) -> list[tuple[str, str]]:
        """Acts on tasks and their persons."""
        return [(draft.action, draft.person) for draft in self.said.values() if draft.action != "redrive"]


@dataclass
class JournalRecords:
    """Single records of a journal in memory."""

    journal: SyntheticJournal
    failures: list[Exception] = field(default_factory=list)
    opened: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["JournalRecords"]:
        """What `OpenRecords` promises."""
        self.opened += 1
        yield self

    async def pick(self, places: Collection[Offset]) -> dict[Offset, Record]:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        held = {(each.position.partition, each.position.offset): as_taken(each) for each in self.journal.records}
        return {place: held[place] for place in places if place in held}


@dataclass
class Place:
    """Everything around a runner; `again` makes a new one, as a process that starts anew does."""

    world: World
    url: str

    def __post_init__(self) -> None:
        """Empty tables, an empty journal."""
        self.journal = SyntheticJournal(self.world)
        self.tracker, self.desk = Store(self.url), DeskStore(self.url)
        self.taken = 0
        self.ahead = timedelta()
        self.speaker = FakeSpeaker()
        self.records = JournalRecords(self.journal)
        self.office = TaskOffice(self.desk, self.tracker, self.now)
        self.again()

    def now(self) -> datetime:
        """Behind everything that the journal has, and some more."""
        return self.journal.now + STEP * 1.5 + self.ahead

    def again(self) -> None:
        """A runner that knows nothing."""
        self.runner = TaskRunner(
            self.desk,
            self.tracker,
            self.speaker,
            Letters(self.records.open),
            TaskMetrics(CollectorRegistry()),
            self.now,
        )
        self.runner._turns.throttle.pace = 1000.0

    def catch_up(self) -> None:
        """The tracker takes what is new in the journal."""
        new = self.journal.records[self.taken :]
        self.taken = len(self.journal.records)
        if new:
            take(self.tracker, new)

    def letters(self, number: int, event: Event | None = Event.HAND_OVER_FAILED) -> list[Signed]:
        """Letters from alpha to beta that came so far."""
        found = [self.journal.letter("alpha", "beta", message_id=f"m-{index}") for index in range(number)]
        for letter in found:
            self.journal.receipt("beta", letter, "alpha", Event.DELIVERED)
            if event is not None:
                self.journal.receipt("beta", letter, "alpha", event)
        self.catch_up()
        return found

    def answer(self, *events: Event, only: Collection[bytes] | None = None) -> None:
        """Beta's agent answers every letter that was redriven and not answered yet."""
        for letter, _ in self.speaker.redriven():
            if letter is None or letter in self.answered or (only is not None and letter not in only):
                continue
            self.answered.add(letter)
            for event in events:
                self.journal.receipt("beta", self.known(letter), "alpha", event)
        self.catch_up()

    answered: set[bytes] = field(default_factory=set)

    def known(self, letter: bytes) -> Signed:
        """The statement with this digest."""
        return Stub(letter)  # type: ignore[return-value]

    async def begun(self, wanted: DeliveryFilter | None = None, plan: Plan = PLAN, key: str = "key-00001") -> str:
        """A task that one person let run."""
        asked = Asked(wanted or DeliveryFilter(recipient="beta"), "to:beta", plan, key)
        task = (await self.office.preview(ASEL, asked)).task
        await self.office.begin(ASEL, task.id, REASON)
        return task.id

    async def rounds(self, number: int = 1) -> str:
        """So many rounds, each when results may be asked for again; what the last waited for."""
        waiting_for = ""
        for _ in range(number):
            for course in self.runner._courses.values():
                course.hear_at = 0.0
            for share in self.runner._turns._shares.values():
                share.bucket._filled = 1000.0
            waiting_for = await self.runner.round()
        return waiting_for

    async def state(self, task: str) -> TaskState:
        """Where a task is."""
        return (await self.office.story(ASEL, task)).told.task.state

    async def codes(self, task: str) -> list[tuple[ItemState, str]]:
        """States and codes of its items, by number."""
        items = await self.office.items(ASEL, task, [*ItemState], 0, 1000)
        return [(ItemState(item.state), item.code) for item in items]


@dataclass(frozen=True)
class Stub:
    """A statement of which only the digest matters."""

    digest: bytes


@contextmanager
def opened(world: World, url: str) -> Iterator[Place]:
    """A place whose databases are closed in the end."""
    place = Place(world, url)
    try:
        yield place
    finally:
        place.desk.__exit__()
        place.tracker.__exit__()


def bus_away() -> BusError:
    """Kafka does not answer."""
    return BusError("no broker answers: wait", code="bus-unavailable")
