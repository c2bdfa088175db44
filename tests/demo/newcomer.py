"""A body that connects itself as docs/connect-a-body.md says, and the operators who let it in."""

import hashlib
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exchange.settings import operator_settings
from tests.demo.conftest import Program
from tests.patience import PATIENCE

CODE, SOATE = "chon-bulun", "41702205807000"


class Newcomer:
    """A body's administrator with the program, a fresh folder, and what the operators gave by hand."""

    def __init__(self, program: Program, folder: Path, installation: Path) -> None:
        """Fill in the form."""
        self._program = program
        self.folder = folder
        self.form = folder / "body.toml"
        bootstrap = operator_settings(installation / "operator.toml", {}).kafka.bootstrap
        given = {
            "1.root.json": str(installation / "authority" / "directory" / "1.root.json"),
            "transport-root.crt.pem": str(installation / "authority" / "ca" / "transport.crt.pem"),
            "kafka1.example:9093,kafka2.example:9093": bootstrap,
            "ak-bulun": CODE,
            "417022058050": SOATE[:12],
        }
        text = program.run("body", "form")
        for placeholder, value in given.items():
            assert placeholder in text
            text = text.replace(placeholder, value)
        self.form.write_text(text, encoding="utf-8")

    def ask(self, *arguments: str, code: int = 0) -> Any:
        """The result of `exchange body …`."""
        return self._program.ask("body", *arguments, code=code)

    def request(self) -> Path:
        """Ask to be let in; the agent will serve its health at any free port."""
        told = self.ask("request", "--from", str(self.form))
        config = self.folder / "agent.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("9104", "0"), encoding="utf-8")
        return Path(told["file"])

    def selftest(self, *, well: bool) -> dict[str, list[str]]:
        """Codes of the findings of each look; None of one that was not taken."""
        config, wait = str(self.folder / "agent.toml"), str(PATIENCE)
        words = ("selftest", "--config", config, "--wait", wait)
        checks = self._program.ask_until_well("body", *words) if well else self.ask(*words, code=1)
        return {
            check["name"]: ["skipped"] if check["skipped"] else [finding["code"] for finding in check["findings"]]
            for check in checks
        }

    @contextmanager
    def agent(self) -> Iterator["subprocess.Popen[str]"]:
        """The agent runs; in the end it is told to end, and does."""
        process = self._program.start("agent", "--config", str(self.folder / "agent.toml"))
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.communicate()


def grant(program: Program, request: Path, installation: Path) -> Path:
    """What two keepers do; topic and rights are the directory's service's business. The answer's file."""
    keys, draft = installation / "authority" / "directory", str(request.with_name("draft.json"))
    config = ("--config", str(installation / "operator.toml"), "--key")
    entering = ("--reason", "they wrote", "--authority", str(installation / "authority"), "--draft", draft, *config)
    entered = program.ask("directory", "grant", str(request), *entering, str(keys / "keeper-1.key.pem"))
    assert hashlib.sha256(request.read_bytes()).hexdigest() in entered["changes"][0]["reason"]
    approved = program.ask("directory", "approve", draft, *config, str(keys / "keeper-2.key.pem"))
    return Path(approved["answers"][0])


def line_of(process: "subprocess.Popen[str]", word: str) -> str:
    """The next message of a process's log that has `word`."""
    assert process.stderr is not None
    for line in process.stderr:
        message: str = json.loads(line)["message"]
        if word in message:
            return message
    raise AssertionError(f"it ended without a word of {word}")
