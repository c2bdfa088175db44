"""Health, metrics and logs of a process."""

import asyncio
import io
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from exchange.domain.errors import SpoolError
from exchange.services.runner import JsonFormatter, OncePerMinute, observed, until_signalled


@pytest.fixture
def registry() -> CollectorRegistry:
    """One counter."""
    registry = CollectorRegistry()
    Counter("exchange_accepted", "Statements accepted", registry=registry).inc()
    return registry


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger that writes JSON into memory."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(OncePerMinute())
    logger = logging.getLogger("tests.runner")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, out
    logger.removeHandler(handler)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_health_and_metrics(registry: CollectorRegistry) -> None:
    """Ready says 200 or what is waited for; live works either way; metrics are Prometheus text."""
    waits = [""]
    with observed(registry, lambda: waits[0], "127.0.0.1", 0) as port:
        assert get(port, "/health") == (200, b'{"ready": true, "waiting_for": ""}')
        waits[0] = "lanes"
        assert get(port, "/health/ready") == (503, b'{"ready": false, "waiting_for": "lanes"}')
        assert get(port, "/health/live")[0] == 200
        assert b"exchange_accepted_total 1.0" in get(port, "/metrics")[1]
        assert get(port, "/elsewhere")[0] == 404


def test_a_line_is_one_object_with_its_ids(log: tuple[logging.Logger, io.StringIO]) -> None:
    """Ids given as `extra` are fields; an exception stands in one line too."""
    logger, out = log
    try:
        int("what")
    except ValueError:
        logger.exception("lane %d stops", 3, extra={"lane": 3})
    line = json.loads(out.getvalue())
    assert (line["level"], line["message"], line["lane"]) == ("error", "lane 3 stops", 3)
    assert "ValueError: invalid literal" in line["exception"]


def test_the_same_line_comes_once_a_minute(log: tuple[logging.Logger, io.StringIO]) -> None:
    """A broker that is away for an hour does not fill the disk."""
    logger, out = log
    for _ in range(1000):
        logger.warning("no broker")
    logger.warning("something else")
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == ["no broker", "something else"]


def test_what_was_said_is_forgotten_after_a_while() -> None:
    """Memory is bounded, and a minute later the line is news again."""
    only = OncePerMinute()
    record = logging.LogRecord("x", logging.WARNING, "", 0, "no broker", None, None)
    assert only.filter(record)
    assert not only.filter(record)
    record.created += OncePerMinute.SECONDS
    assert only.filter(record)
    for number in range(OncePerMinute.LINES + 10):
        assert only.filter(logging.LogRecord("x", logging.WARNING, "", 0, f"line {number}", None, None))
    assert len(only._said) <= OncePerMinute.LINES


async def test_what_one_part_raised_is_raised_alone() -> None:
    """Commands tell an error of ours in one line; in a group it was a traceback of sixty."""

    async def part() -> None:
        raise SpoolError("it is full", code="spool-full")

    async def parts() -> None:
        async with asyncio.TaskGroup() as outer, asyncio.TaskGroup() as inner:
            outer.create_task(asyncio.sleep(10))
            inner.create_task(part())

    with pytest.raises(SpoolError, match="it is full"):
        await until_signalled(parts())


async def test_what_several_parts_raised_stays_a_group() -> None:
    """None of them is left out."""

    async def part(message: str) -> None:
        raise ValueError(message)

    async def parts() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(part("one"))
            group.create_task(part("two"))

    with pytest.raises(ExceptionGroup) as raised:
        await until_signalled(parts())
    assert len(raised.value.exceptions) == 2
