"""Every process of an exchange under fire, each started, ended and looked at in the same way."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from exchange.embedded import Broker, EmbeddedPostgres
from tests.stage import Process

_SEEN_BYTES = 16 * 1024
_SHOWN = 160
_TROUBLE = re.compile("ERROR|FATAL|PANIC|Exception|Error")


class Role(StrEnum):
    """What a process is."""

    BROKER = "broker"
    ROUTER = "router"
    AGENT = "agent"
    TRACKER = "tracker"
    POSTGRESQL = "postgresql"


class Server(Protocol):
    """A process that ought to run. Its methods block; `name` is one of its own, as `broker-2`."""

    name: str
    role: Role

    @property
    def pid(self) -> int | None:
        """Its number, None while it does not run."""

    def start(self) -> None:
        """Start it; raises where that fails at once."""

    def stop(self) -> None:
        """End it in order, by force when that takes too long."""

    def kill(self) -> None:
        """End it as a power cut would; it is gone when this returns."""

    def last_words(self) -> str:
        """What its log ends with, as far as it tells why it ended."""


class ProgramServer:
    """A process of the exchange itself."""

    def __init__(self, name: str, role: Role, command: Sequence[str], log: Path) -> None:
        """Nothing is started."""
        self.name = name
        self.role = role
        self._command = command
        self._log = log
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """See `Server`."""
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> None:
        """See `Server`."""
        self.kill()  # gives back what watched over one that ended by itself
        self._process = Process(self._command, self._log)

    def stop(self) -> None:
        """See `Server`."""
        if self._process is not None and self._process.running:
            with suppress(subprocess.TimeoutExpired):
                self._process.stop()
            self._process.close()

    def kill(self) -> None:
        """See `Server`."""
        if self._process is not None:
            self._process.close()

    def last_words(self) -> str:
        """See `Server`."""
        return last_trouble(self._log)


class _Found:
    """A process's number, kept: to find it by its command line is to look at every process of the machine."""

    def __init__(self, find: Callable[[], int | None]) -> None:
        self._find = find
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        if self._pid is None or not _is_alive(self._pid):
            self._pid = self._find()
        return self._pid


class BrokerServer:
    """A node of the cluster: broker and controller."""

    role = Role.BROKER

    def __init__(self, broker: Callable[[], Broker], number: int) -> None:
        """Nothing is started; `broker` gives the node once the cluster has it."""
        self.name = f"broker-{number}"
        self.number = number
        self._broker = broker
        self._found = _Found(lambda: self.broker.pid if self.broker.ours else None)

    @property
    def broker(self) -> Broker:
        """The node."""
        return self._broker()

    @property
    def pid(self) -> int | None:
        """See `Server`."""
        return self._found.pid

    def start(self) -> None:
        """See `Server`."""
        self.broker.start()

    def stop(self) -> None:
        """See `Server`."""
        self.broker.stop()

    def kill(self) -> None:
        """See `Server`."""
        self.broker.kill()

    def last_words(self) -> str:
        """See `Server`."""
        return last_trouble(self.broker.node.console) or last_trouble(self.broker.node.log)


class PostgresServer:
    """The tracker's database."""

    name = "postgresql"
    role = Role.POSTGRESQL

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        """Nothing is started."""
        self._postgres = postgres
        self._found = _Found(lambda: postgres.pid)

    @property
    def pid(self) -> int | None:
        """See `Server`."""
        return self._found.pid

    def start(self) -> None:
        """See `Server`."""
        self._postgres.start()

    def stop(self) -> None:
        """See `Server`."""
        self._postgres.stop()

    def kill(self) -> None:
        """See `Server`."""
        self._postgres.kill()

    def last_words(self) -> str:
        """See `Server`."""
        return last_trouble(self._postgres.folder / "data" / "log")


def send(server: Server, number: signal.Signals) -> None:
    """Send a signal, if it runs."""
    pid = server.pid
    if pid is not None:
        os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended counts no more, although its parent has yet to look at it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def last_trouble(log: Path) -> str:
    """The last line that tells of trouble near the end of a log; JSON lines by their message."""
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - _SEEN_BYTES))
            lines = opened.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    found = [_message(line) for line in lines if _TROUBLE.search(line) or '"level": "error"' in line]
    return found[-1][:_SHOWN] if found else ""


def _message(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        return line.strip()
    return str(said.get("message", line)) if isinstance(said, dict) else line
