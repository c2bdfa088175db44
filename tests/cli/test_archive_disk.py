"""`exchange archive delete`, and what it refuses."""

import json
from pathlib import Path

import pytest

from exchange.agent.spool import Spool, outgoing
from exchange.archive.writer import ArchiveWriter
from exchange.cli.exits import Exit
from exchange.cli.machine_acts import at_the_machine
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.domain.statement import Command, Signed
from exchange.wire.records import decode
from tests.archive.support import PARTITIONS, POLICY, publish, records
from tests.cli.archive_command import SETTINGS, run
from tests.cli.test_console_accounts import CONSOLE
from tests.world import World


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of an archive with some entries."""
    with ArchiveWriter(tmp_path / "archive", PARTITIONS) as writer:
        writer.take(records(600))
        publish(writer, 1)
    (tmp_path / "log.policy").write_text(f"log {POLICY.log}\nquorum none\n")
    file = tmp_path / "archive.toml"
    file.write_text(SETTINGS)
    return file


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--letter", "00" * 32, "--month", "2026-11"),
        ("--letter", "0123"),
        ("--letter", "x" * 64),
        ("--month", "2026-11"),
        ("--month", "2026-11", "--order", "1:-2"),
    ],
)
def test_what_is_to_be_deleted_must_be_named(config: Path, words: tuple[str, ...]) -> None:
    """One letter by its whole id, or a month with its order."""
    assert run("delete", *words, "--config", config)[0] == Exit.CONFIGURATION


def test_nothing_without_an_order(config: Path) -> None:
    """Whatever is asked for."""
    code, said = run("delete", "--month", "2026-11", "--order", "0:1", "--config", config, "--json")
    assert (code, json.loads(said)["error"]["code"]) == (Exit.FOUND, "deletion-not-ordered")


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A console's folder with the key of its own body, and a directory that lists it."""
    folder = tmp_path_factory.mktemp("speaking")
    world = World(folder / "authority", ("alpha", CONSOLE_BODY))
    world.publish(folder / "directory")
    (folder / "root.json").write_bytes(world.root)
    files = world.authority.body(CONSOLE_BODY).statement
    speaking = f'[speaking]\nkey = "{files.key}"\ncertificate = "{files.certificate}"\nspool = "spool"\n'
    (folder / "console.toml").write_text(f"{CONSOLE}\n{speaking}")
    return folder


def test_an_order_is_said_by_the_console(speaking: Path) -> None:
    """In the name of the machine's account, with letter or month, and why."""
    console = ("--console", speaking / "console.toml", "--reason", "court decision 14")
    assert run("order-deletion", "--letter", "ab" * 32, *console)[0] == Exit.DONE
    assert run("order-deletion", "--month", "2026-11", *console)[0] == Exit.DONE
    assert run("order-deletion", *console)[0] == Exit.CONFIGURATION
    with Spool(speaking / "spool" / "spool.sqlite") as spool:
        drafts = spool.call(lambda connection: outgoing.next_drafts(connection, CONSOLE_BODY, 100, 1 << 20))
    said = [decode(Command, decode(Signed, record).statement) for _, record in drafts]
    assert [(each.action, each.letter, each.detail, each.reason) for each in said] == [
        ("delete-contents", bytes.fromhex("ab" * 32), "", "court decision 14"),
        ("delete-contents", None, "2026-11", "court decision 14"),
    ]
    assert {each.person for each in said} == {at_the_machine()}
