"""Runs a service: signals, health, metrics, structured logs.

`GET /metrics` is Prometheus text, `GET /health/live` says whether the process works at all,
`GET /health` (or `/health/ready`) whether it does its work: 200, or 503 with what it waits for.
"""

import asyncio
import json
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

Health = Callable[[], str]
"""What the service waits for; empty when it does its work. Called from another thread."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


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
    """Lets the same line of a logger through once a minute: a broker that is away is one piece of news."""

    SECONDS = 60.0
    LINES = 1000

    def __init__(self) -> None:
        """Nothing was said yet."""
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is new, or was last let through a minute ago."""
        line = (record.name, record.getMessage())
        if record.created - self._said.get(line, -self.SECONDS) < self.SECONDS:
            return False
        if len(self._said) >= self.LINES:
            self._said.clear()
        self._said[line] = record.created
        return True


def log_as_json(level: int = logging.INFO) -> None:
    """Send every log line to standard error as JSON; the Kafka client only from warnings up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(OncePerMinute())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiokafka").setLevel(max(level, logging.WARNING))


class _QuietHandler(WSGIRequestHandler):
    """Scrapes are not news."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


@contextmanager
def observed(registry: CollectorRegistry, health: Health, host: str, port: int) -> Iterator[int]:
    """Serve metrics and health on `host:port` (0: any free port) while the context lasts; yields the port."""
    server = make_server(host, port, _application(registry, health), WSGIServer, _QuietHandler)
    thread = threading.Thread(target=server.serve_forever, name="observe", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(registry: CollectorRegistry, health: Health) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            served: Iterable[bytes] = metrics(environ, start_response)
            return served
        waits = "" if path == "/health/live" else health()
        status = "404 Not Found" if not path.startswith("/health") else "503 Not Ready" if waits else "200 OK"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps({"ready": not waits, "waiting_for": waits}).encode()]

    return application


def is_asked_to_end() -> bool:
    """Whether somebody cancelled this task.

    Kafka's clients cancel tasks of their own and may let that out; only who cancels us may end us.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or SIGINT or SIGTERM asks for an end: then cancel it and wait.

    Raises:
        Exception: as `work`; what one of its parts raised alone, without the groups around it.
    """
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
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
