"""Server processes: started apart from the terminal, found again without pid files.

A server is known by its command line, which names a file in its own state folder. So there is no
pid file that could go stale, and signals go through a pidfd (pidfd_open(2)): they reach the very
process that was looked at, never a stranger that got its number later.
"""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")

# Ends with the starter: its standard input is a pipe that the kernel closes when the starter dies,
# however it dies. PR_SET_PDEATHSIG would also fire when only the starting *thread* ends.
_WATCHDOG = 'read -r _; kill -9 "$1" 2>/dev/null'


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running process and the descriptor that stands for exactly this one."""

    pid: int
    pidfd: int

    @classmethod
    def find(cls, *arguments: str) -> "ServerProcess | None":
        """Return the process of ours whose command line has all `arguments`, if it runs.

        Use it in `contextlib.closing`: it holds a descriptor.
        """
        for pid in _own_pids():
            if not _has(pid, arguments):
                continue
            with suppress(ProcessLookupError):
                found = cls(pid, os.pidfd_open(pid))
                # Asked again: now the descriptor holds it, whatever the number meant before.
                if _has(pid, arguments):
                    return found
                found.close()
        return None

    def close(self) -> None:
        """Give the descriptor back; the process goes on."""
        os.close(self.pidfd)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that has ended meanwhile is no error."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; return whether it has."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def _own_pids() -> Iterator[int]:
    user = os.geteuid()
    for entry in _PROC.iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                yield int(entry.name)


def _has(pid: int, arguments: Sequence[str]) -> bool:
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
    words = line.split(b"\0")
    return all(argument.encode() in words for argument in arguments)


class Child:
    """A server that this process started, and that ends with it when it is attached.

    Its own session keeps a Ctrl-C in the terminal away from it: the starter decides what ends it.
    """

    def __init__(self, command: Sequence[str], console: Path, *, attached: bool) -> None:
        """Start `command`; what it prints goes to `console`."""
        with console.open("ab") as output:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=console.parent,
                start_new_session=True,
            )
        self._watchdog = _watch(self._server.pid) if attached else None

    @property
    def pid(self) -> int:
        """The number of the server's process."""
        return self._server.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended (this also reaps it)."""
        return self._server.poll() is not None

    def release(self) -> None:
        """Take the watchdog away and reap the server, which must have ended or be detached."""
        if self._watchdog:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None
        self._server.poll()


def _watch(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "exchange-watchdog", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
