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

from exchange.domain.errors import ConfigurationError, SpoolError
from exchange.services.runner import (
    Changes,
    JsonFormatter,
    OncePerMinute,
    changes_told,
    log_as_json,
    log_end,
    observed,
    until_signalled,
)


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


def test_what_it_is_behind_with_is_told_beside(registry: CollectorRegistry) -> None:
    """It does its work all the same."""
    with observed(registry, str, "127.0.0.1", 0, lambda: "an object store") as port:
        told = b'{"ready": true, "waiting_for": "", "behind": "an object store"}'
        assert get(port, "/health") == (200, told)


def test_a_taken_port_is_told(registry: CollectorRegistry) -> None:
    """The second process of a kind says so, in words and with a code; so does an address of another machine."""
    with observed(registry, str, "127.0.0.1", 0) as port, pytest.raises(ConfigurationError) as taken:
        observed(registry, str, "127.0.0.1", port).__enter__()
    assert str(taken.value).startswith(f"127.0.0.1:{port} is taken: is this process running already?")
    assert taken.value.code == "port-taken"
    with pytest.raises(ConfigurationError, match=r"^\[observe\] 192\.0\.2\.1:0 cannot be listened on"):
        observed(registry, str, "192.0.2.1", 0).__enter__()


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


def test_what_begins_and_ends_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A slow start is no news, a fault is at once, and its end says how long it took."""
    caplog.set_level(logging.INFO)
    changes = Changes()
    for now, reason in [(0.0, "lanes"), (3.0, ""), (50.0, "a broker"), (55.0, "a broker"), (90.0, "")]:
        changes.tell("router", reason, now)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "router works"),
        ("WARNING", "router waits for a broker"),
        ("INFO", "router works again, after 40 s"),
    ]


def test_what_flaps_is_said_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """The last line says what is, however often it changed; the wait began where it began."""
    caplog.set_level(logging.INFO)
    changes = Changes()
    for second in range(60):
        changes.tell("mfa", "disk" if second % 2 else "", float(second), body="mfa")
    assert len(caplog.records) <= 7
    changes.tell("mfa", "full", 70.0)
    changes.tell("mfa", "", 80.0)
    assert caplog.messages[-1].startswith("mfa works again, after")
    slow = Changes()
    for now, reason in [(0.0, "lanes"), (11.0, "lanes"), (30.0, "lane 2"), (40.0, "")]:
        slow.tell("router", reason, now)
    assert caplog.messages[-3:] == [
        "router waits for lanes",
        "router waits for lane 2",
        "router works again, after 40 s",
    ]


def test_what_begins_and_ends_is_never_left_out() -> None:
    """Said once more within a minute it is still news: between both stood the contrary."""
    only = OncePerMinute()
    record = logging.LogRecord("exchange.services.runner", logging.INFO, "", 0, "router works", None, None)
    assert only.filter(record)
    assert only.filter(record)


async def test_a_process_is_looked_at_while_it_works(caplog: pytest.LogCaptureFixture) -> None:
    """The first look is at once; none comes after the end."""
    caplog.set_level(logging.INFO)
    async with changes_told("tracker", lambda: ""):
        await asyncio.sleep(0.01)
    assert caplog.messages == ["tracker works"]


def test_the_last_line_names_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """One of ours in words with its code; of any other kind and place, for its text may quote a letter."""
    log_end(SpoolError("it is full: free some disk", code="spool-full"))
    with pytest.raises(ExceptionGroup) as raised:
        raise ExceptionGroup("", [ExceptionGroup("", [ZeroDivisionError("Dear Minister")]), ValueError("too")])
    log_end(raised.value)
    ours, others = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert (ours["level"], ours["code"], ours["message"]) == ("error", "spool-full", "ends: it is full: free some disk")
    assert others["message"] == "ends: ZeroDivisionError, ValueError: report it with the lines before"
    assert "Dear" not in json.dumps(others)


def test_an_unexpected_end_shows_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """File and line of each step that led there."""
    with pytest.raises(ValueError, match="nobody") as raised:
        int("nobody")
    log_end(raised.value)
    assert "test_runner.py" in json.loads(JsonFormatter().format(caplog.records[0]))["traceback"]


def test_clients_shout_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """What Kafka's client calls an error is tried again: a warning; an error of ours stays one."""
    root, level = logging.getLogger(), logging.getLogger("aiokafka").level
    handlers, root_level = root.handlers[:], root.level
    try:
        log_as_json()
        logging.getLogger("aiokafka.consumer").error("no broker")
        logging.getLogger("exchange").error("a person is needed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(root_level)
        logging.getLogger("aiokafka").setLevel(level)
    levels = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert levels == ["warning", "error"]
