"""`exchange log`: keys for a log and its witnesses, and a policy in words."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.tlog.note import Kind, Verifier


def run(*arguments: str | Path) -> Result:
    """`exchange log …`."""
    return CliRunner().invoke(app, ["log", *map(str, arguments)])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Keys made by the command, and a policy with them."""
    assert run("key", tmp_path / "log.pem", "--name", "exchange/5f").exit_code == 0
    for name in ("one", "two", "three"):
        assert run("key", tmp_path / f"{name}.pem", "--name", f"{name}.example", "--witness").exit_code == 0
    log, *keys = ((tmp_path / f"{name}.pem.pub").read_text().strip() for name in ("log", "one", "two", "three"))
    path = tmp_path / "log.policy"
    path.write_text(
        f"log {log}\nwitness one {keys[0]} https://one.example\nwitness two {keys[1]}\nwitness three {keys[2]}\n"
        "group abroad any two three\ngroup enough 2 one abroad\nquorum enough\n"
    )
    return path


def test_keys_say_what_they_are_for(tmp_path: Path, policy: Path) -> None:
    """A log's signs notes, a witness's cosigns; neither is overwritten."""
    assert policy.exists()
    kinds = {name: Verifier.parse((tmp_path / f"{name}.pem.pub").read_text().strip()).kind for name in ("log", "one")}
    assert kinds == {"log": Kind.NOTE, "one": Kind.COSIGNATURE}
    again = run("key", tmp_path / "log.pem", "--name", "exchange/5f")
    assert (again.exit_code, "key-file-exists" in again.stderr) == (3, True)


def test_a_policy_in_words(policy: Path) -> None:
    """Groups are spelt out; a witness that nobody here asks is marked."""
    shown = run("policy", policy)
    assert "2 of (one, 1 of (two, three))" in shown.stdout
    assert "https://one.example" in shown.stdout
    assert "not asked from here" in shown.stdout
    told = json.loads(run("policy", policy, "--json").stdout)["result"]
    assert [each["url"] for each in told["witnesses"]] == ["https://one.example", "", ""]


def test_a_policy_without_witnesses_is_warned_about(policy: Path) -> None:
    """Nobody else has a word then."""
    policy.write_text(policy.read_text().split("\n", 1)[0] + "\nquorum none\n")
    assert "nobody but the archive" in run("policy", policy).stdout


def test_a_wrong_policy_is_refused(policy: Path) -> None:
    """With the file, the line and what is wrong."""
    policy.write_text(policy.read_text() + "quorum none\n")
    refused = run("policy", policy)
    assert refused.exit_code == 3
    assert "line 8" in refused.stderr
