"""The clerk's desk, and the whole way of a letter over the bridge."""

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.connectors.folder import FolderConnector
from adapters.paper.desk import Delivery, Desk, Said
from adapters.paper.format import PaperFormat
from exchange.agent.ports import Format
from exchange.domain.directory import BodyStatus, Paper
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from tests.adapters.support import DIRECTORY, DRAFT, arrived
from tests.agent.edms import plain_letter
from tests.agent.place import Place, TickingClock, events, until, until_heard
from tests.agent.simulator import Simulator
from tests.world import NOW, World

REGISTERED = Said(Event.REGISTERED, datetime(2022, 3, 2, 4, tzinfo=UTC), "А. Осмонова", "кир-7", date(2022, 3, 2))


class PaperSystem(FolderConnector):
    """What the bridge's agent has for a carried body."""

    format: Format = PaperFormat()


def printed(root: Path) -> Delivery:
    """A letter that the bridge printed for ak-bulun."""
    connector = FolderConnector(root)
    connector.stage("k", PaperFormat().render_letter(arrived(DRAFT), "ak-bulun", DIRECTORY))
    connector.publish("k")
    (delivery,) = Desk({"ak-bulun": root}).deliveries()
    return delivery


def test_a_printed_letter_is_found_by_its_code(tmp_path: Path) -> None:
    """And closed once."""
    delivery, desk = printed(tmp_path), Desk({"ak-bulun": tmp_path, "empty": tmp_path / "none"})
    assert desk.find(delivery.slip.code) == delivery
    assert not delivery.closed
    assert (delivery.folder / "letter.pdf").exists()
    desk.close(delivery, REGISTERED)
    closed = desk.find(delivery.slip.code)
    assert closed.closed
    with pytest.raises(DocumentError) as caught:
        desk.close(closed, REGISTERED)
    assert caught.value.code == "paper-closed-before"


def test_what_the_desk_writes_the_agent_reads(tmp_path: Path) -> None:
    """The package is whole when it is seen, and stays closed when the agent has taken it."""
    delivery, desk = printed(tmp_path), Desk({"ak-bulun": tmp_path})
    desk.close(delivery, REGISTERED)
    connector = FolderConnector(tmp_path)
    assert list(connector.collect(5)) == []
    (package,) = connector.collect(5)
    draft = PaperFormat().parse(package, DIRECTORY)
    assert (draft.card.reg_number, draft.card.message_id) == ("кир-7", DRAFT.message_id)
    connector.archive(package.name)
    assert desk.find(delivery.slip.code).closed


def test_letters_that_are_not_here(tmp_path: Path) -> None:
    """Another bridge's body, and a letter that nobody printed."""
    delivery = printed(tmp_path)
    other = dataclasses.replace(delivery.slip, letter="00" * 32)
    for desk, code in ((Desk({}), delivery.slip.code), (Desk({"ak-bulun": tmp_path}), other.code)):
        with pytest.raises(DocumentError) as caught:
            desk.find(code)
        assert caught.value.code == "paper-letter-unknown"


async def test_a_letter_crosses_the_bridge(tmp_path: Path) -> None:
    """Delivered and handed over when it is printed, registered by the clerk: the sender hears all three."""
    world = World(tmp_path / "authority")
    directory = world.publish(tmp_path / "directory")
    ends = NOW.date().replace(year=NOW.year + 1)
    carried = dataclasses.replace(
        world.directory.bodies["beta"], status=BodyStatus.PLANNED, gateway="gamma", paper=Paper(ends, ends)
    )
    world.change(carried)
    clock = TickingClock(NOW)
    place = Place(world, Simulator(world, clock), tmp_path, directory, clock)
    folder = tmp_path / "edms"
    desk = Desk({"beta": folder})
    async with place.agent("alpha") as alpha, place.agent("gamma", "beta", edms={"beta": PaperSystem(folder)}):
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: any(folder.glob("in/*/delivery.json")))
        (delivery,) = desk.deliveries()
        desk.close(desk.find(delivery.slip.code), dataclasses.replace(REGISTERED, at=NOW))
        await until_heard(alpha, "m-1", 3)
        assert await events(alpha, "m-1") == [
            ("beta", "delivered", ""),
            ("beta", "handed-over", ""),
            ("beta", "registered", ""),
        ]
        letter = await alpha.mailbox("alpha").sent_letter("m-1")
    assert letter is not None
    assert list(folder.glob("sent/*/received-*"))
