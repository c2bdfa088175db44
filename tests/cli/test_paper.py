"""`exchange paper`: the clerk lists what was printed, and closes deliveries."""

import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.connectors.folder import FolderConnector
from adapters.paper.format import RECEIPT, PaperFormat
from adapters.paper.slip import Slip
from exchange.cli import app
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.system import now
from tests.adapters.support import DRAFT, arrived, draft_of

HANDED = datetime(2022, 3, 1, 18, 30, tzinfo=UTC)
"""When the letter was printed: the next day in Bishkek."""


@dataclass(frozen=True)
class Bridge:
    """The configuration of a bridge that carries ak-bulun on paper."""

    config: Path
    edms: Path
    code: str

    def run(self, *arguments: str) -> Result:
        """`exchange paper …`."""
        return CliRunner().invoke(app, ["paper", *arguments, "--config", str(self.config)])


@pytest.fixture
def bridge(tmp_path: Path) -> Bridge:
    """With one letter printed, whose number begins like a formula."""
    installer = Installer(tmp_path, [replace(body, gateway="") for body in demo_bodies()], now())
    installer.write_settings("127.0.0.1:1")
    place = installer.installation
    config = place.config("agent-ak-bulun")
    profile = tmp_path / "sanarip-aimak.toml"
    profile.write_text(profile.read_text().replace("gost53898", "paper"))
    root = Authority(tmp_path / "authority", now=now()).directory.root
    directory = DirectoryFolder.at(tmp_path / "directory", root).latest()
    letter = arrived(draft_of("medo-2.6", reg_number="=11-10/77"))
    connector = FolderConnector(place.edms("ak-bulun"))
    connector.stage("k", PaperFormat().render_letter(letter, "ak-bulun", directory))
    connector.publish("k")
    (record,) = place.edms("ak-bulun").glob("in/*/delivery.json")
    os.utime(record, (HANDED.timestamp(), HANDED.timestamp()))
    return Bridge(config, place.edms("ak-bulun"), Slip.decode(record.read_bytes(), "").code)


def test_lists_by_raion(bridge: Bridge, tmp_path: Path) -> None:
    """For people, for programs, and as CSV to be signed; a stranger's number is no formula there."""
    shown = bridge.run("list").stdout
    assert "Ак-Суйский район" in shown
    assert "1 printed, 0 with a receipt" in shown
    (listed,) = json.loads(bridge.run("list", "--json").stdout)["result"]
    assert (listed["recipient"], listed["sender"], listed["closed"]) == ("ak-bulun", "mfa", False)
    assert bridge.run("list", "--csv", str(tmp_path / "lists")).exit_code == 0
    (file,) = (tmp_path / "lists").iterdir()
    assert file.name == "2022-03-02-41702205.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["number"] == "'=11-10/77"
    assert row["recipient_name"] == "Ак-Булунский айыл окмоту"
    assert row["signature"] == ""


def test_lists_of_a_day(bridge: Bridge) -> None:
    """Days are Bishkek's."""
    assert "1 printed" in bridge.run("list", "--day", "2022-03-02").stdout
    assert "0 printed" in bridge.run("list", "--day", "2022-03-01").stdout


def test_the_clerk_s_receipt(bridge: Bridge) -> None:
    """Written for the agent; then nothing waits, and a second one is refused."""
    done = bridge.run("received", bridge.code, "--number", "кир-7", "--date", "2022-03-02", "--clerk", "А. Осмонова")
    assert done.exit_code == 0, done.stderr
    assert "registered: letter" in done.stdout
    (package,) = bridge.edms.glob("out/received-*")
    said = json.loads((package / RECEIPT).read_bytes())
    assert (said["reg_number"], said["reg_date"], said["message_id"]) == ("кир-7", "2022-03-02", DRAFT.message_id)
    assert "0 printed" in bridge.run("list", "--waiting").stdout
    assert "error[paper-closed-before]" in bridge.run("received", bridge.code, "--number", "8").stderr


def test_refused_by_the_recipient(bridge: Bridge) -> None:
    """With the reason, and without a number."""
    result = json.loads(bridge.run("received", bridge.code, "--refused", "нет листа", "--json").stdout)["result"]
    assert (result["event"], result["reason"], result["number"]) == ("refused", "нет листа", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (lambda code: [code], "paper-word-missing"),
        (lambda code: [code, "--number", "7", "--refused", "x"], "paper-word-missing"),
        (lambda _: ["hello", "--number", "7"], "paper-code-unreadable"),
        (lambda code: [code.replace("ak-bulun", "mfa"), "--number", "7"], "paper-letter-unknown"),
    ],
)
def test_mistakes(bridge: Bridge, arguments: Callable[[str], list[str]], code: str) -> None:
    """Each says what to do."""
    done = bridge.run("received", *arguments(bridge.code))
    assert done.exit_code != 0
    assert f"error[{code}]" in done.stderr


def test_an_agent_without_paper(bridge: Bridge) -> None:
    """The configuration of another agent is no bridge's."""
    bridge.config.write_text(bridge.config.read_text().replace("sanarip-aimak", "infodocs"))
    assert "error[paper-bridge-missing]" in bridge.run("list").stderr
