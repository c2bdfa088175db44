"""`exchange body token`: a token for one body, shown once."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.tokens import Tokens


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An agent's configuration, without an API yet."""
    installer = Installer(tmp_path, demo_bodies(), datetime.now(UTC))
    installer.write_settings("127.0.0.1:1")
    return installer.installation.config("agent-mfa")


def run(config: Path, *arguments: str) -> Result:
    """`exchange body token` with this configuration."""
    return CliRunner().invoke(app, ["body", "token", "--config", str(config), *arguments])


def test_a_token_opens_the_body(config: Path) -> None:
    """Its digest is in the file that [api] names; people and programs are told the token."""
    refused = run(config)
    assert (refused.exit_code, "error[api-not-configured]" in refused.stderr) == (3, True)
    with config.open("a", encoding="utf-8") as file:
        file.write('\n[api]\nport = 9105\ntokens = "tokens"\n')
    shown = run(config, "--for", "Infodocs, test").stdout.splitlines()[-1]
    made = json.loads(run(config, "--body", "mfa", "--json").stdout)["result"]
    tokens = Tokens(config.with_name("tokens"))
    assert [tokens.body_of(token) for token in (shown, made["token"])] == ["mfa", "mfa"]
    assert config.with_name("tokens").read_text(encoding="utf-8").splitlines()[0].endswith(" Infodocs, test")
    refused = run(config, "--body", "minjust")
    assert (refused.exit_code, "error[body-not-here]" in refused.stderr) == (3, True)
