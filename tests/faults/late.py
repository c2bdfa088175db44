"""An exchange with short deadlines, trackers on a PostgreSQL that is broken, and a console; one for all tests of it."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from exchange import system
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Position, Record, Taken
from exchange.bus.topics import JOURNAL
from exchange.console.auth.tokens import ConsoleTokens, make_console_token, user_of
from exchange.domain import delivery
from exchange.domain.fact import DeadlineFact, JournalFact, TickFact
from exchange.domain.user import Role
from exchange.embedded import EmbeddedPostgres
from exchange.embedded.installation import ADMIN, SHAPE
from exchange.journal.facts import JournalRecord, read_fact
from exchange.store.database import Store
from exchange.store.errors import StoreError
from tests.faults.waiting import until
from tests.patience import PATIENCE
from tests.stage import BODIES, Process, Stage, open_stage

WITHIN_SECONDS = 2
TICK_SECONDS = 1
SILENT = BODIES[:3]
"""Whoever writes to these waits no longer than `WITHIN_SECONDS` for their agents."""
TALKING = BODIES[3:10]
_RULE = f"""[[deadline]]
stage = "deliver"
within = "{WITHIN_SECONDS} seconds"
notify = ["sender", "recipient"]
to = "{", ".join(SILENT)}"

"""
_SERVED = re.compile(r"\[console\] is at (\S+:\d+)")
_OBSERVED = re.compile(r"health and metrics at (\S+:\d+)")
_READ_RECORDS = 2_000
SQLITE = "sqlite:///tracker.sqlite"


@dataclass
class Running:
    """A process of this exchange, and how it says that it is."""

    process: Process
    client: httpx.Client
    _address: str = field(default="", init=False)

    @property
    def address(self) -> str:
        """Where its health and metrics are; empty before it serves them."""
        found = [] if self._address else _OBSERVED.findall("".join(self.process.said))
        self._address = self._address or (f"http://{found[-1]}" if found else "")
        return self._address

    @property
    def served(self) -> str:
        """Where a console's pages are."""
        return f"http://{_SERVED.findall(''.join(self.process.said))[-1]}"

    def health(self) -> tuple[int, str]:
        """Status and text; 0 while nobody answers."""
        return self._ask("/health")

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 while nobody answers."""
        _, text = self._ask("/metrics")
        return sum(float(value) for value in re.findall(rf"(?m)^{name}(?:{{.*}})? (\S+)$", text))

    async def ready(self) -> None:
        """Wait until it does its work."""

        async def is_ready() -> bool:
            assert self.process.running, self.process.said[-3:]
            return self.health()[0] == httpx.codes.OK

        await until(is_ready, "a process ready")

    async def waits(self, words: str) -> None:
        """Wait until it says that it waits for something."""

        async def says() -> bool:
            status, text = self.health()
            return status == httpx.codes.SERVICE_UNAVAILABLE and words in text

        await until(says, words)

    async def follows(self, partitions: int) -> None:
        """Wait until a tracker folds so many of the journal's partitions, and has caught up."""

        async def does() -> bool:
            assert self.process.running, self.process.said[-3:]
            return self.metric("exchange_tracker_partitions") == partitions and self.health()[0] == httpx.codes.OK

        await until(does, f"a tracker of {partitions} partitions")

    def _ask(self, path: str) -> tuple[int, str]:
        if not self.address:
            return 0, ""
        try:
            answer = self.client.get(f"{self.address}{path}")
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, answer.text


class Late:
    """The exchange; the router runs as long as it."""

    def __init__(self, stage: Stage, server: EmbeddedPostgres, processes: ExitStack) -> None:
        """Start the router by the policy with short deadlines."""
        self.stage = stage
        self.server = server
        self._client = processes.enter_context(httpx.Client(timeout=PATIENCE))
        self._processes = processes
        self._running: dict[tuple[str, str], Running] = {}
        self._read: dict[tuple[str, int], Position | None] = {
            (JOURNAL, partition): None for partition in range(SHAPE.journal_partitions)
        }
        self._facts: list[JournalFact] = []
        self._said: list[DeadlineFact] = []
        self._ticks = Counter(dict.fromkeys(product(range(SHAPE.lanes + 1), range(SHAPE.journal_partitions)), 0))
        policy = stage.folder / "policy.toml"
        text = policy.read_text(encoding="utf-8")
        policy.write_text(text.replace("[[deadline]]", f"{_RULE}[[deadline]]", 1), encoding="utf-8")
        self.router = processes.enter_context(stage.running("router"))

    def process(self, role: str, name: str, *before: str) -> Running:
        """A tracker or console on the PostgreSQL, the one that runs under that name or a new one.

        Args:
            role: `tracker` or `console`.
            name: of this one; others have other spools.
            before: words before its command.
        """
        found = self._running.get((role, name))
        if found is None or not found.process.running:
            found = self._running[role, name] = self._started(role, name, before)
        return found

    def _started(self, role: str, name: str, before: Sequence[str]) -> Running:
        installation = self.stage.installation
        text = installation.config(role).read_text(encoding="utf-8").replace(SQLITE, self.server.url)
        text = re.sub(r'(?m)^spool = ".*"', f'spool = "spool/{role}-{name}"', text)
        text = re.sub(r"(?m)^(\[observe\]\n(?:.+\n)*?port = )\d+", r"\g<1>0", text)
        config = installation.config(f"{role}-{name}")
        config.write_text(text, encoding="utf-8")
        command = [*before, sys.executable, "-m", "exchange.cli", role, "--config", str(config)]
        process = Process(command, installation.log(config.stem))
        self._processes.callback(process.close)
        return Running(process, self._client)

    async def journal(self) -> list[JournalFact]:
        """What the journal says now, to its end."""
        async with self._reader() as reader:
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                self._take(await reader.read(0.5, _READ_RECORDS))
        return self._facts

    async def said(self) -> list[DeadlineFact]:
        """Deadlines that the journal says have passed."""
        await self.journal()
        return self._said

    async def until_said(self, count: int) -> None:
        """Wait until so many have passed."""
        await self._until(lambda: len(self._said) >= count, f"{count} deadlines passed")

    async def until_ticked(self, times: int) -> None:
        """Wait until every lane has ticked so many times more, in every partition.

        Whatever was late, or said, before the second one would be said, or journalled, by the last.
        """
        await self.journal()
        wanted = {place: count + times for place, count in self._ticks.items()}
        await self._until(
            lambda: all(self._ticks[place] >= count for place, count in wanted.items()), f"{times} ticks of each lane"
        )

    async def _until(self, done: Callable[[], bool], what: str) -> None:
        """Read on until the journal is as it must become."""
        async with self._reader() as reader:

            async def is_done() -> bool:
                self._take(await reader.read(0.2, _READ_RECORDS))
                return done()

            await until(is_done, what)

    def _reader(self) -> PositionedReader:
        return PositionedReader(self.stage.settings(ADMIN), self._read, fetch_wait_seconds=0.2)

    def _take(self, records: Iterable[Taken]) -> None:
        for record in records:
            assert isinstance(record, Record)
            self._read[record.topic, record.partition] = record.position
            place = delivery.Position(record.partition, record.offset)
            fact = read_fact(JournalRecord(place, record.timestamp, record.value or b""))
            self._facts.append(fact)
            if isinstance(fact, DeadlineFact):
                self._said.append(fact)
            elif isinstance(fact, TickFact):
                self._ticks[fact.lane, record.partition] += 1

    async def settled(self) -> str:
        """Once the router has ended: the digest of all that the database holds when everything is folded."""
        with Store(self.server.url) as store:

            async def reached() -> bool:
                last = {fact.position.partition: fact.position.offset for fact in await self.journal()}
                return positions(store) == last

            await until(reached, "the journal folded to its end")
            return store.digest()


def positions(store: Store) -> dict[int, int]:
    """How far each partition was folded."""
    try:
        return {number: row.position for number, row in store.positions(JOURNAL).items()}
    except StoreError:  # a tracker has only begun
        return {}


@contextmanager
def late_exchange(folder: Path) -> Iterator[Late]:
    """The exchange, in a folder; its database elsewhere, see `tests.plugin_postgres`."""
    with (
        TemporaryDirectory(prefix="exchange-late-") as data,
        EmbeddedPostgres(Path(data)) as server,
        open_stage(folder, (*SILENT, *TALKING), console=True, tick_seconds=TICK_SECONDS) as stage,
        ExitStack() as processes,
    ):
        yield Late(stage, server, processes)


def operator(late: Late) -> dict[str, str]:
    """Headers by which the console knows one."""
    user = user_of("olga", frozenset({Role.OPERATOR}), "")
    token, grant = make_console_token(user, system.now().date(), "", system.random_bytes)
    ConsoleTokens(late.stage.folder / "console-tokens").add(grant)
    return {"Authorization": f"Bearer {token}"}
