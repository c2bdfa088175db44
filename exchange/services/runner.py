"""Runs a service: signals, health, metrics, structured logs.

`GET /metrics` is Prometheus text, `GET /health/live` says whether the process works at all,
`GET /health` (or `/health/ready`) whether it does its work: 200, or 503 with what it waits for.
"""

import asyncio
import errno
import gc
import json
import logging
import signal
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from exchange.domain.errors import ConfigurationError, ExchangeError

Health = Callable[[], str]
"""What the service waits for; empty when it does its work. Called from another thread."""

CALM_SECONDS = 10.0
LOOK_SECONDS = 1.0

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


log = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message and the ids given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Never content or keys: callers log ids, codes and counts only."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class OncePerMinute(logging.Filter):
    """Lets the same line of a logger through once a minute: a broker that is away is one piece of news.

    What begins and what ends (`Changes`) always comes through: else the last line of a log might say the
    contrary of what is.
    """

    SECONDS = 60.0
    LINES = 1000

    def __init__(self) -> None:
        """Nothing was said yet."""
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is new, or was last let through a minute ago."""
        if record.name == log.name:
            return True
        line = (record.name, record.getMessage())
        if record.created - self._said.get(line, -self.SECONDS) < self.SECONDS:
            return False
        if len(self._said) >= self.LINES:
            self._said.clear()
        self._said[line] = record.created
        return True


def _no_error_of_clients(record: logging.LogRecord) -> bool:
    """An error is a person's business. What goes wrong in Kafka's client is tried again, or said again by us.

    That a collector of traces is away concerns no letter.
    """
    if record.name.partition(".")[0] in {"aiokafka", "opentelemetry"} and record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def log_as_json() -> None:
    """Send every log line to standard error as JSON; libraries' only from warnings up, the Kafka client's as these."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(OncePerMinute())
    handler.addFilter(_no_error_of_clients)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for library in ("aiokafka", "alembic", "httpx", "tuf", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # Each of its attempts is a warning with other numbers, and what comes of them an error: this one is enough.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was last said of a part, when, and since when it waits (seconds); `reason` None: nothing yet."""

    reason: str | None
    at: float
    since: float


class Changes:
    """Says what a process, or a body of it, begins and ends to wait for: at most one line each in ten seconds."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._told: dict[str, _Told] = {}

    def tell(self, part: str, reason: str, now: float, **ids: str) -> None:
        """Log a change; a start that takes no longer than ten seconds is none.

        Args:
            part: what is spoken of: `router`, a body's code.
            reason: what it waits for; empty when it works.
            now: seconds that only grow.
            ids: further fields of the line.
        """
        told = self._told.setdefault(part, _Told(None, now, now))
        starts_well = told.reason is None and not reason
        if reason == told.reason or (now - told.at < CALM_SECONDS and not starts_well):
            return
        self._told[part] = _Told(reason, now, now if told.reason == "" else told.since)
        if reason:
            log.warning("%s waits for %s", part, reason, extra=ids)
        elif told.reason is None:
            log.info("%s works", part, extra=ids)
        else:
            log.info("%s works again, after %.0f s", part, now - told.since, extra=ids)


@asynccontextmanager
async def changes_told(part: str, health: Health) -> AsyncIterator[None]:
    """Look every second what a process waits for, and log what changes, while the context lasts."""
    task = asyncio.create_task(_tell_changes(part, health), name="changes")
    try:
        yield
    finally:
        task.cancel()


async def _tell_changes(part: str, health: Health) -> None:
    changes = Changes()
    while True:
        changes.tell(part, health(), asyncio.get_running_loop().time())
        await asyncio.sleep(LOOK_SECONDS)


class _QuietHandler(WSGIRequestHandler):
    """Scrapes are not news."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


def _nothing() -> str:
    return ""


@contextmanager
def observed(
    registry: CollectorRegistry, health: Health, host: str, port: int, behind: Health = _nothing
) -> Iterator[int]:
    """Serve metrics and health on `host:port` (0: any free port) while the context lasts; yields the port.

    Args:
        registry: what is served.
        health: why the service is not ready.
        host: an address of this machine.
        port: to listen on.
        behind: what it is behind with while it does its work; told beside, and no reason to be called unready.

    Raises:
        ConfigurationError: `port-taken`; `configuration-invalid`: no address of this machine, or no port for us.
    """
    server = _listening(_application(registry, health, behind), host, port)
    log.info("health and metrics at %s:%d", host, server.server_port)
    thread = threading.Thread(target=server.serve_forever, name="observe", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listening(application: Callable[..., Iterable[bytes]], host: str, port: int) -> WSGIServer:
    try:
        return make_server(host, port, application, WSGIServer, _QuietHandler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"{host}:{port} is taken: is this process running already? else choose another [observe] port"
            raise ConfigurationError(message, code="port-taken") from error
        message = f"[observe] {host}:{port} cannot be listened on ({error.strerror}): check both"
        raise ConfigurationError(message) from error


def _application(registry: CollectorRegistry, health: Health, behind: Health) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            served: Iterable[bytes] = metrics(environ, start_response)
            return served
        waits = "" if path == "/health/live" else health()
        status = "404 Not Found" if not path.startswith("/health") else "503 Not Ready" if waits else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        told = {"ready": not waits, "waiting_for": waits}
        if late := behind():
            told["behind"] = late
        return [json.dumps(told).encode()]

    return application


def is_asked_to_end() -> bool:
    """Whether somebody cancelled this task.

    Kafka's clients cancel tasks of their own and may let that out; only who cancels us may end us.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def end_if_asked() -> None:
    """End this task when somebody cancelled it: a Kafka client may have let that out with an answer that just came.

    Raises:
        asyncio.CancelledError: it was.
    """
    if is_asked_to_end():
        raise asyncio.CancelledError


def log_end(error: Exception) -> None:
    """The last line of a process that nobody asked to end.

    An error of ours in its own words; of any other its kind and the way to it: its text may quote a letter.
    """
    if isinstance(error, ExchangeError):
        log.error("ends: %s", error, extra={"code": error.code})
    else:
        names = ", ".join(type(each).__name__ for each in _each(error))
        places = [place for each in _each(error) for place in traceback.format_tb(each.__traceback__)]
        log.error("ends: %s: report it with the lines before", names, extra={"traceback": "".join(places)})


def _each(error: Exception) -> Iterator[Exception]:
    """The errors of a group, however deep; or the one."""
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _each(part)
    else:
        yield error


async def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or SIGINT or SIGTERM asks for an end: then cancel it and wait.

    Raises:
        Exception: as `work`; what one of its parts raised alone, without the groups around it.
    """
    gc.freeze()  # what lives now stays: looking through it all would hold a page of the console for a fifth of a second
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("ends as it was asked to")
        return
    except ExceptionGroup as group:
        raise _alone(group) from group
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _alone(error: Exception) -> Exception:
    """The one error in a group, or the group of several."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
