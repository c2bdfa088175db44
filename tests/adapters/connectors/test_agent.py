"""A letter from an EDMS with a database to one that is spoken to over HTTP, by real agents."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from exchange.agent.ports import Connector
from tests.adapters.connectors.contract.sql import database_of
from tests.adapters.connectors.contract.web import WebSystem
from tests.agent.edms import PlainFormat, letter_package, receipt_package
from tests.agent.place import DocumentSystem, Place, TickingClock, until
from tests.agent.simulator import Simulator
from tests.world import NOW, World


def speaking(connector: Connector) -> DocumentSystem:
    """A connector with the format of the agent's tests."""
    vars(connector)["format"] = PlainFormat()
    return cast("DocumentSystem", connector)


async def passing(edms: WebSystem, condition: Callable[[], bool]) -> None:
    """Wait until something is so; the waits between requests pass quickly."""

    def look() -> bool:
        edms.clock.seconds += 0.1
        return condition()

    await until(look)


async def test_a_letter_and_its_registration(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The answer to the first push is lost: the letter is there once, and the sender's rows tell of each event."""
    world = World(tmp_path / "authority")
    directory, clock = world.publish(tmp_path / "directory"), TickingClock(NOW)
    place = Place(world, Simulator(world, clock), tmp_path, directory, clock)
    with database_of("sqlite", request, tmp_path) as theirs, WebSystem(tmp_path / "staging").running() as ours:
        theirs.put("1", letter_package("1", message_id="m-1", to="beta").files, 1)
        ours.faults = [b"cut"]
        alpha, beta = speaking(theirs.connector()), speaking(ours.connector())
        async with place.agent("alpha", edms={"alpha": alpha}), place.agent("beta", edms={"beta": beta}):
            await until(lambda: theirs.taken() == {"1"})
            await passing(ours, lambda: ours.requests.count("POST /in") == 2)
            said = {"event": "registered", "at": NOW.isoformat(), "message_id": "m-1", "reg_number": "кир-7"}
            ours.put("2", receipt_package("2", **said).files, 2)
            await passing(ours, lambda: len(theirs.shown()) == 2)
        told = [json.loads(files["receipt.json"]) for files in theirs.shown()]
    assert sorted((each["event"], each["reg_number"]) for each in told) == [("delivered", ""), ("registered", "кир-7")]
    assert len(ours.shown()) == 1
    assert ours.taken() == {"2"}
