"""The exchange's own processes of an installation: the same programs that an operator starts.

Each is `exchange <role> --config FILE`, found again by that command line, told to end by SIGTERM.
"""

import http.client
import json
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from exchange.domain.errors import EmbeddedError
from exchange.embedded.installed import Installation, command
from exchange.embedded.processes import Child, ServerProcess
from exchange.settings.tables import ObserveSettings

STOP_SECONDS = 15.0
_PROBE_SECONDS = 2.0
_SHOWN_LINES = 12


class RoleFailedError(EmbeddedError):
    """A process of the installation ended by itself."""

    code = "embedded-process-failed"

    def __init__(self, role: str, log: Path) -> None:
        """Show the last lines of its `log`."""
        lines = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:] if log.exists() else []
        super().__init__("\n  ".join([f"{role} ended by itself. The end of {log}:", *lines]))


class Roles:
    """Processes of one installation that this object starts, and ends again."""

    def __init__(self, installation: Installation, environ: Mapping[str, str], *, attached: bool) -> None:
        """Nothing is started.

        Args:
            installation: whose configuration files exist.
            environ: what the processes get.
            attached: they end when this process ends, however that happens.
        """
        self._installation = installation
        self._environ = environ
        self._attached = attached
        self._children: dict[str, Child] = {}

    def start(self) -> None:
        """Start every role that does not run; returns at once."""
        for role in self._installation.roles:
            if not running(self._installation, role):
                words = [sys.executable, *_arguments(self._installation, role)]
                console = self._installation.log(role)
                self._children[role] = Child(words, self._environ, console, attached=self._attached)

    def check(self) -> None:
        """Look whether all that were started here still run.

        Raises:
            RoleFailedError: `embedded-process-failed`.
        """
        for role, child in self._children.items():
            if child.ended:
                raise RoleFailedError(role, self._installation.log(role))

    def stop(self) -> None:
        """End what was started here, agents first."""
        stop_roles(self._installation, reversed(self._children))
        for child in self._children.values():
            _reap(child)
        self._children.clear()


def running(installation: Installation, role: str) -> bool:
    """Whether the process of a role is there."""
    process = ServerProcess.find(*_arguments(installation, role))
    if process is None:
        return False
    process.close()
    return True


def stop_roles(installation: Installation, roles: Iterable[str]) -> int:
    """End the processes of `roles`, all asked before any is waited for; return how many there were."""
    found = [process for role in roles if (process := ServerProcess.find(*_arguments(installation, role)))]
    for process in found:
        process.send(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in found:
        with closing(process):
            if not process.wait(max(0.0, deadline - time.monotonic())):
                process.send(signal.SIGKILL)
                process.wait(_PROBE_SECONDS)
    return len(found)


def waiting_for(observe: ObserveSettings) -> str:
    """What a process says that it waits for; empty when it does its work."""
    connection = http.client.HTTPConnection(observe.host, observe.port, timeout=_PROBE_SECONDS)
    with closing(connection):
        try:
            connection.request("GET", "/health")
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return "an answer: the process is not up, or stands still"
    return "" if response.status == http.client.OK else str(answer.get("waiting_for", ""))


def _arguments(installation: Installation, role: str) -> list[str]:
    return ["-m", "exchange.cli", *command(role), "--config", str(installation.config(role))]


def _reap(child: Child) -> None:
    """A process that was ended stays in the table until its starter has asked for it."""
    deadline = time.monotonic() + _PROBE_SECONDS
    while not child.ended and time.monotonic() < deadline:
        time.sleep(0.01)
