"""Letters that a document system lost are redelivered from end to end, over a router that is killed in the middle."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.bus.topics import inbox as inbox_of
from exchange.cli.commands import app
from exchange.domain.decision import Decided, Journalled
from exchange.domain.delivery import State
from exchange.domain.event import Event
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.domain.statement import Command, Receipt, Signed, Statement
from exchange.embedded.installation import ADMIN, SHAPE
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.lists import DeliveryFilter
from exchange.wire.records import decode, decode_statement, kind_of
from tests.faults.conftest import Following
from tests.faults.waiting import until
from tests.stage import Stage

pytestmark = pytest.mark.server

LETTERS = 6
REASON = "the document system's disk was lost"


class Operator:
    """Somebody at the operators' command line."""

    def __init__(self, stage: Stage) -> None:
        """By the installation's own file."""
        self._config = str(stage.installation.config("operator"))

    async def call(self, *words: str) -> Any:
        """The answer of a command, for programs; of one that was refused the error."""
        run = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json", "--config", self._config])
        told = json.loads(run.output)
        return told["result"] if told["ok"] else told["error"]

    async def has_console(self) -> bool:
        """Whether the console has made its tables."""
        return isinstance(await self.call("tasks", "list"), list)


@dataclass(frozen=True, slots=True)
class Entry:
    """A decided statement where it stands: the bytes of its record, and what is carried in it."""

    record: bytes
    carried: tuple[bytes, ...]
    digest: bytes
    statement: Statement


async def entries(stage: Stage, topic: str, partitions: int) -> list[Entry]:
    """All decided statements of a topic."""
    positions = {(topic, partition): None for partition in range(partitions)}
    found = []
    async with PositionedReader(stage.settings(ADMIN), positions, fetch_wait_seconds=0.2) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends):
            for record in await reader.read(0.5, 2000):
                if isinstance(record, Record) and record.value and kind_of(record.value) is Journalled:
                    journalled = decode(Journalled, record.value)
                    if kind_of(journalled.entry) is not Decided:
                        continue
                    decided = decode(Decided, journalled.entry)
                    carried = tuple(content.data for content in journalled.contents)
                    statement = decode_statement(decided.statement)
                    found.append(Entry(record.value, carried, decided.decision.statement, statement))
    return found


async def handed_over(stage: Stage, recipient: str, number: int) -> None:
    """Wait until the tracker knows that so many letters were handed over to a body."""
    wanted = DeliveryFilter(recipient=recipient, states=(State.HANDED_OVER,))
    with Store(f"sqlite:///{stage.folder}/tracker.sqlite") as store:

        async def known() -> bool:
            try:
                with store.reading() as connection:
                    return queries.count(connection, wanted).number == number
            except StoreError:  # the tracker has only begun
                return False

        await until(known, f"{number} letters handed over to {recipient}")


def taken(folder: Path) -> list[str]:
    """What lies before a document system, which then takes it; names of the packages."""
    found = sorted(folder.iterdir())
    for package in found:
        for file in sorted(package.rglob("*")) if package.is_dir() else [package]:
            file.unlink()
        if package.is_dir():
            package.rmdir()
    return [package.name for package in found]


async def test_what_a_document_system_lost_comes_once_more(stage: Stage, following: Following) -> None:
    """The same signed bytes, once more each, recognised as repeats; all acts stand in the journal."""
    sender, recipient = stage.fresh(2)
    author, operator = stage.speaker(sender), Operator(stage)
    said = [author.open(), *(author.letter(recipient, message_id=f"m-{number}") for number in range(LETTERS))]
    inbox = stage.folder / "edms" / recipient / "in"
    filters = ["--from", sender, "--to", recipient, "--state", "handed-over", "--reason", REASON]
    with stage.running(f"agent-{recipient}") as agent, stage.running("console"):
        with stage.running("router") as router:
            await until(operator.has_console, "the console has begun")
            await stage.submit(sender, said)
            await handed_over(stage, recipient, LETTERS)
            before = taken(inbox)
            shown = await operator.call("redrive", *filters, "--sample", "2", "--rate", "4")
            assert (shown["task"]["count"], shown["task"]["repeats"], shown["left_out"]) == (LETTERS, LETTERS, 0)
            agent.freeze()  # no result comes, so the task stays in the middle, with its sample said
            begun = await operator.call("redrive", *filters, "--sample", "2", "--rate", "4", "--yes")
            task = begun["id"]
            second = await operator.call("redrive", *filters, "--yes")
            assert second["code"] == "task-overlaps"

            async def is_under_way() -> bool:
                return any(isinstance(each.statement, Command) for each in await entries(stage, inbox_of(recipient), 1))

            await until(is_under_way, "some were redelivered")
            router.kill()
            agent.thaw()
        with stage.running("router", name="after"):

            async def is_done() -> bool:
                return bool((await operator.call("tasks", "show", task))["task"]["state"] == "done")

            await until(is_done, "the task is done")
            story = await operator.call("tasks", "show", task)
            await stage.checker.check()
            await following.settle()
    assert {(each["state"], each["code"]) for each in story["letters"]} == {("handed-over", "repeat-recognised")}
    assert sorted(each["letter"] for each in story["letters"]) == sorted(letter.digest.hex() for letter in said[1:])
    assert taken(inbox) == before
    journal = await entries(stage, JOURNAL, SHAPE.journal_partitions)
    arrived = await entries(stage, inbox_of(recipient), 1)
    require_acts(journal, arrived, task, said[1:])


def require_acts(journal: Sequence[Entry], arrived: Sequence[Entry], task: str, letters: Sequence[Signed]) -> None:
    """Each letter came once more as the journal holds it, and was answered once more; so stand the task's acts."""
    commands = [each.statement for each in journal if isinstance(each.statement, Command)]
    acts = [each for each in commands if each.task == task]
    assert Counter(each.action for each in acts) == {"task-start": 1, "redrive": len(letters), "task-finish": 1}
    assert {(each.person, each.reason) for each in acts} == {("this machine", REASON), (CONSOLE_BODY, REASON)}
    records = {each.digest: each.record for each in journal}
    came = [(each.statement.letter, each.carried) for each in arrived if isinstance(each.statement, Command)]
    assert sorted(came) == sorted((letter.digest, (records[letter.digest],)) for letter in letters)
    receipts = (each.statement for each in journal)
    heard = Counter((each.letter, each.event) for each in receipts if isinstance(each, Receipt))
    assert {heard[letter.digest, Event.HANDED_OVER] for letter in letters} == {2}
    assert {heard[letter.digest, Event.DELIVERED] for letter in letters} == {1}
