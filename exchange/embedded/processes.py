"""Server processes: started apart from the terminal, found again without pid files.

A server is known by its command line, which names a file in its own state folder. So there is no
pid file that could go stale, and signals go through a pidfd (pidfd_open(2)): they reach the very
process that was looked at, never a stranger that got its number later.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STOPPED = frozenset("TtZXx")
"""States in proc(5) of what runs no more, for now or for ever."""
_POLL_SECONDS = 0.01

_WATCH = 'read -r _; kill -"$1" "$2"'
# Python ignores these for itself, and a started program would go on ignoring them.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)


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

    def children(self) -> "list[ServerProcess]":
        """The processes that it started and that run now; each holds a descriptor of its own."""
        found = []
        with suppress(OSError):
            for pid in (_PROC / str(self.pid) / "task" / str(self.pid) / "children").read_text().split():
                with suppress(ProcessLookupError):
                    found.append(ServerProcess(int(pid), os.pidfd_open(int(pid))))
        return found

    def close(self) -> None:
        """Give the descriptor back; the process goes on."""
        os.close(self.pidfd)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; a process that has ended meanwhile is no error."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def wait_frozen(self) -> None:
        """After SIGSTOP, wait until every thread has stopped: on a busy machine some go on for a while."""
        while not self.wait(0) and any(state not in _STOPPED for state in self._thread_states()):
            time.sleep(_POLL_SECONDS)

    def _thread_states(self) -> Iterator[str]:
        for thread in (_PROC / str(self.pid) / "task").glob("*/stat"):
            with suppress(OSError):  # it ended meanwhile
                yield thread.read_text(encoding="ascii", errors="replace").rpartition(") ")[2][0]

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; return whether it has."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


def _own_pids() -> Iterator[int]:
    user = os.geteuid()
    for entry in _PROC.iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and user in {0, entry.stat().st_uid}:
                yield int(entry.name)


def _has(pid: int, arguments: Sequence[str]) -> bool:
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
    words = line.split(b"\0")
    return all(argument.encode() in words for argument in arguments)


class Watchdog:
    """Sends a signal to a server when the process that made this ends, however that happens.

    It reads from a pipe that the kernel closes with its maker. PR_SET_PDEATHSIG would be shorter,
    but fires already when the starting *thread* ends.
    """

    def __init__(self, pid: int, number: signal.Signals) -> None:
        """Watch over the server `pid`; dismiss this before that number can mean another process."""
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "exchange-watchdog", str(number.value), str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Stop watching; the server goes on."""
        self._shell.kill()
        self._shell.communicate()


class Child:
    """A server that this process started, and that ends with it when it is attached.

    Its own session keeps a Ctrl-C in the terminal away from it: the starter decides what ends it.
    """

    def __init__(self, command: list[str], environ: Mapping[str, str], console: Path, *, attached: bool) -> None:
        """Start `command`; what it prints is added to `console`."""
        self._pid = os.posix_spawn(
            command[0],
            command,
            environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(console), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=_DEFAULT_SIGNALS,
        )
        self._watchdog = Watchdog(self._pid, signal.SIGKILL) if attached else None
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether it has ended; if so it is reaped, and its number free for others."""
        if not self._ended:
            try:
                self._ended = os.waitpid(self._pid, os.WNOHANG) != (0, 0)
            except ChildProcessError:
                self._ended = True
        if self._ended and self._watchdog:
            self._watchdog.dismiss()
            self._watchdog = None
        return self._ended
