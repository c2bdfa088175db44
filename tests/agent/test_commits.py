"""An agent that is ended behind any of its commits: what stands in one transaction is there whole or not at all."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from exchange.agent.agent import Agent
from exchange.agent.spool import Spool
from exchange.domain.decision import Decided
from exchange.domain.statement import Receipt
from exchange.wire.records import decode, kind_of
from tests.agent.place import Place, until, until_settled

Result = TypeVar("Result")
LETTERS = ["one", "two", "three"]


class Killed(BaseException):
    """The end of the agent, right behind a commit; nothing of the agent catches it."""


class MortalSpool(Spool):
    """Ends whoever writes into it once so many transactions are on disk; nothing is written afterwards."""

    def __init__(self, path: Path, commits: int) -> None:
        """After so many commits the end comes."""
        super().__init__(path)
        self.left = commits

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """As `Spool.run`, as long as it lives."""
        if self.left <= 0:
            raise Killed
        result = await super().run(work)
        self.left -= 1
        if self.left <= 0:
            raise Killed
        return result


def delivered(place: Place) -> list[bytes]:
    """Letters of which the recipient's agent said that it has them, in the order of saying."""
    said = [decode(Decided, entry.entry).statement for entry in place.simulator.entries if entry.kind == "receipt"]
    return [decode(Receipt, statement).letter for statement in said if kind_of(statement) is Receipt]


@pytest.mark.parametrize("commits", range(1, 12))
async def test_ended_behind_any_commit(place: Place, commits: int) -> None:
    """Each letter is in the spool once, in order, and its receipt is said once, wherever the first life ended."""
    sender = place.world.speaker("alpha")
    opened = sender.open()
    letters = [sender.letter("beta", message_id=name) for name in LETTERS]
    for said in (opened, *letters):
        place.simulator.say(said, "alpha")
    with MortalSpool(place.spool("beta"), commits) as mortal:
        agent = Agent(place.office(mortal), place.members("beta"), place.simulator.transport)
        with suppress(Killed, BaseExceptionGroup):
            await agent.run()
    async with place.agent("beta") as agent:
        await until_settled(agent)
        await until(lambda: len(delivered(place)) >= len(LETTERS))
        arrived = await agent.mailbox("beta").arrived()
    assert [one.arrived.letter.message_id for one in reversed(arrived)] == LETTERS
    assert delivered(place) == [letter.digest for letter in letters]
