"""What tests of whole installations share: the program as a user starts it, with a state folder of its own."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Program:
    """The command `exchange` on a machine where only `state` is this test's own.

    Attributes:
        state: its folder.
        more: of the environment.
        site: folder of an installed wheel whose files it runs; None: those of the checkout.
    """

    state: Path
    more: dict[str, str] = field(default_factory=dict)
    site: Path | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The user's environment with another state folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_KAFKA")}
        installed = {"PYTHONPATH": str(self.site)} if self.site else {}
        return kept | {"EXCHANGE_STATE": str(self.state)} | installed | self.more

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start it and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "exchange.cli", *arguments],
            env=self.environ,
            # Python looks into its working directory first.
            cwd=self.site,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """What it prints; it must end with `code`. A story waits for many things, one after the other."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=4 * PATIENCE)
        assert process.returncode == code, f"{arguments} ended with {process.returncode}:\n{out}\n{err}"
        return out

    def ask(self, *arguments: str, code: int = 0) -> Any:
        """The result in what it prints for programs; `ok` goes with the exit code."""
        answer = json.loads(self.run(*arguments, "--json", code=code))
        assert answer["ok"] is (code == 0)
        return answer["result"] if "result" in answer else answer["error"]

    def ask_until_well(self, *arguments: str) -> Any:
        """The result of a command that looks, once it finds nothing wrong: what stood still when it looked goes on."""
        deadline = time.monotonic() + PATIENCE
        while True:
            process = self.start(*arguments, "--json")
            out, err = process.communicate(timeout=4 * PATIENCE)
            if process.returncode == 0:
                return json.loads(out)["result"]
            assert time.monotonic() < deadline, f"{arguments} ended with {process.returncode}:\n{out}\n{err}"

    @property
    def servers(self) -> list[str]:
        """Those of them that stay: the authority of time-stamps starts openssl for a moment."""
        return [line for line in self.left_behind() if "exchange.cli" in line or "kafka.Kafka" in line]

    def leaves_nothing(self) -> bool:
        """Whether none is left; what a server had started for a moment may outlive it for that."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.left_behind()) and not self.servers and time.monotonic() < deadline:
            time.sleep(0.1)
        return not left

    def left_behind(self) -> list[str]:
        """Processes whose command line names our state folder."""
        lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
        return [line for line in lines if str(self.state) in line]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel's files."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    # As an installer does; a dozen processes that start at once would each do it.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder / "site")], check=True)
    return folder / "site"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program with an empty state folder."""
    return Program(tmp_path / "state")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a dev installation that is up; its folder is `state/dev`."""
    program = Program(tmp_path_factory.mktemp("installation") / "state")
    program.run("dev", "up")
    yield program
    program.run("dev", "down")
    assert program.leaves_nothing()
