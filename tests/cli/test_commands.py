"""The root command: lists without importing, and tells errors in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.cli import app
from exchange.cli.commands import COMMANDS

ALONE = "import sys, exchange.cli; print([name for name in ('aiokafka', 'sqlalchemy', 'lxml') if name in sys.modules])"


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Runs commands on a machine without any installation."""
    monkeypatch.setenv("EXCHANGE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("EXCHANGE_INSTALLATION", raising=False)
    return CliRunner()


def test_every_command_is_listed_and_has_help(runner: CliRunner) -> None:
    """`--help` of the root names each, and each has its own."""
    listed = runner.invoke(app, ["--help"])
    assert listed.exit_code == 0
    for name in COMMANDS:
        assert name in listed.stdout
        assert runner.invoke(app, [name, "--help"]).exit_code == 0


def test_completion_is_the_root_s_alone(runner: CliRunner) -> None:
    """One installs it once, for all commands."""
    assert "--install-completion" in runner.invoke(app, ["--help"]).stdout
    assert [name for name in COMMANDS if "completion" in runner.invoke(app, [name, "--help"]).stdout] == []


def test_listing_imports_no_command() -> None:
    """So `exchange --help` and shell completion are quick."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(runner: CliRunner) -> None:
    """`--version` names the product and its version."""
    assert runner.invoke(app, ["--version"]).stdout.startswith("exchange ")


def test_wrong_use_ends_with_2(runner: CliRunner) -> None:
    """An unknown command, a missing option, a missing argument."""
    for arguments in (["nonsense"], ["router"], ["track"], ["send", "--as", "mfa"]):
        assert runner.invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize("command", [["letters"], ["track", "abcd"], ["doctor"], ["inbox", "--as", "mfa"]])
def test_without_an_installation_commands_say_how_to_start_one(command: list[str], runner: CliRunner) -> None:
    """One line with a stable code and the next step, and the exit code of a configuration."""
    told = runner.invoke(app, command)
    assert told.exit_code == 3
    assert told.stdout == ""
    assert told.stderr.startswith("error[installation-missing]: ")
    assert "exchange dev up" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_package_says_itself_to_whom_it_goes(runner: CliRunner, tmp_path: Path) -> None:
    """A group needs a title: without one the file is what a document system wrote."""
    (tmp_path / "letter.xml").touch()
    told = runner.invoke(app, ["send", "--as", "mfa", "--group", "all", str(tmp_path / "letter.xml")])
    assert told.exit_code == 3
    assert told.stderr.startswith("error[recipients-differ]: --group needs a --title")


def test_errors_for_programs_are_one_object(runner: CliRunner, tmp_path: Path) -> None:
    """`--json` holds for errors too, also for those at the start of a service."""
    for command in (["letters", "--json"], ["router", "--config", str(tmp_path / "none.toml"), "--json"]):
        told = runner.invoke(app, command)
        answer = json.loads(told.stdout)
        assert told.exit_code == 3
        assert answer["ok"] is False
        assert set(answer["error"]) == {"code", "message", "retriable"}


def test_completion_offers_commands() -> None:
    """Shell completion knows the commands."""
    asked = os.environ | {"_EXCHANGE_COMPLETE": "complete_bash", "COMP_WORDS": "exchange l", "COMP_CWORD": "1"}
    program = "import sys; sys.argv = ['exchange']; from exchange.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env=asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["letters", "log"]
