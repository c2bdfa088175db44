"""An archive's configuration, and its command as a person calls it."""

from pathlib import Path

from typer.testing import CliRunner

from exchange.cli.commands import app

SETTINGS = """[kafka]
bootstrap = "127.0.0.1:1"
ca = "ca.pem"
certificate = "crt.pem"
key = "key.pem"
[directory]
folder = "directory"
root = "root.json"
[archive]
folder = "archive"
[log]
key = "log.key.pem"
policy = "log.policy"
"""


def run(*words: str | Path) -> tuple[int, str]:
    """Exit code and what was printed."""
    done = CliRunner().invoke(app, ["archive", *map(str, words)])
    return done.exit_code, done.output
