"""Traces: a letter's whole way is one trace at a real collector, and one that is away costs no letter anything."""

import asyncio
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.agent.mailbox import Mailbox
from exchange.domain.errors import ConfigurationError
from exchange.domain.trace import Doing, SpanPlace, TraceStep
from exchange.services import telemetry
from exchange.services.runner import log_as_json
from exchange.services.telemetry import QUEUE_STEPS, OtlpTraces
from exchange.settings.telemetry import TelemetrySettings
from exchange.wiring.telemetry import traces_of
from tests.agent.edms import plain_letter
from tests.collector import Collector, attributes, collecting
from tests.faults.agents import mailbox, open_spool
from tests.patience import PATIENCE
from tests.stage import Stage

LETTER = bytes(range(1, 33))
FOREIGN = SpanPlace(b"\xaa" * 16, b"\xbb" * 8)
NOW = datetime(2026, 11, 23, 3, 30, 0, 123456, tzinfo=UTC)
STEP = TraceStep(
    Doing.DECIDE,
    LETTER,
    SpanPlace.of(LETTER, Doing.DECIDE),
    SpanPlace.of(LETTER, Doing.SEND, "first"),
    "mfa",
    NOW,
    NOW + timedelta(milliseconds=5),
    size=4711,
    outcome="accepted",
    topic="exchange.submissions",
    partition=3,
)


def test_a_step_is_a_span_by_the_conventions() -> None:
    """Names of OpenTelemetry's conventions for messaging; times to the microsecond; the step before is its parent."""
    with collecting() as collector:
        with OtlpTraces(collector.address, "exchange-router") as traces:
            traces.tell(STEP)
        service, span = collector.of(LETTER, 1)["decide exchange.submissions"]
    assert service == "exchange-router"
    assert STEP.before is not None
    assert (span.span_id, span.parent_span_id) == (STEP.place.span, STEP.before.span)
    assert (span.kind, span.status.code, list(span.links)) == (span.SPAN_KIND_CONSUMER, 0, [])
    assert (span.start_time_unix_nano % 10**9, span.end_time_unix_nano - span.start_time_unix_nano) == (
        123_456_000,
        5_000_000,
    )
    assert attributes(span) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "decide",
        "messaging.operation.type": "process",
        "messaging.destination.name": "exchange.submissions",
        "messaging.destination.partition.id": "3",
        "messaging.message.id": LETTER.hex(),
        "messaging.message.body.size": 4711,
        "exchange.body": "mfa",
        "exchange.outcome": "accepted",
    }


def test_what_went_wrong_is_an_error_with_its_code() -> None:
    """A step of somebody else's trace is linked, not followed: nobody can put our letters into a trace of theirs."""
    step = replace(STEP, before=FOREIGN, outcome="refused", code="recipient-unknown")
    with collecting() as collector:
        with OtlpTraces(collector.address, "exchange-router") as traces:
            traces.tell(step)
        _, span = collector.of(LETTER, 1)["decide exchange.submissions"]
    assert (span.status.code, span.status.message) == (span.status.STATUS_CODE_ERROR, "recipient-unknown")
    assert attributes(span)["error.type"] == "recipient-unknown"
    assert span.parent_span_id == b""
    assert [(link.trace_id, link.span_id) for link in span.links] == [(FOREIGN.trace, FOREIGN.span)]


def test_inboxes_have_one_name() -> None:
    """Hundreds of names would make every list of operations useless."""
    step = replace(STEP, doing=Doing.TAKE, topic="exchange.inbox.minjust", before=None)
    with collecting() as collector:
        with OtlpTraces(collector.address, "exchange-agent") as traces:
            traces.tell(step)
        _, span = collector.of(LETTER, 1)["take exchange.inbox.{body}"]
    assert attributes(span)["messaging.destination.name"] == "exchange.inbox.minjust"


def test_a_collector_that_is_away_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """More steps than the queue holds are told at once; the end comes soon, and one line in the log says why."""
    monkeypatch.setattr(telemetry, "ANSWER_SECONDS", 0.2)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log_as_json()
    try:
        began = time.monotonic()
        with OtlpTraces("http://127.0.0.1:1", "exchange-router") as traces:
            for _ in range(QUEUE_STEPS + 10):
                traces.tell(STEP)
            told = time.monotonic() - began
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    waited_for_each = QUEUE_STEPS * telemetry.ANSWER_SECONDS
    assert told < waited_for_each / 4
    assert time.monotonic() - began < waited_for_each / 2
    (line,) = capsys.readouterr().err.splitlines()
    assert '"level": "warning"' in line
    assert "Failed to export" in line


def test_nothing_is_loaded_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even looked for: an exchange without the extra starts as ever."""
    monkeypatch.setitem(sys.modules, "exchange.services.telemetry", None)
    with traces_of(None, "router") as traces:
        assert traces is None


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, with what to install."""
    monkeypatch.delitem(sys.modules, "exchange.services.telemetry")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    asked = traces_of(TelemetrySettings("http://127.0.0.1:4318"), "router")
    with pytest.raises(ConfigurationError, match=r"exchange\[otel\]") as refused, asked:
        pass
    assert refused.value.code == "telemetry-missing"


def test_a_process_tells_under_its_name() -> None:
    """As settings say where."""
    with collecting() as collector:
        with traces_of(TelemetrySettings(collector.address), "router") as traces:
            assert traces is not None
            traces.tell(STEP)
        service, _ = collector.of(LETTER, 1)["decide exchange.submissions"]
    assert service == "exchange-router"


@contextmanager
def traced(stage: Stage, role: str, collector: Collector) -> Iterator[None]:
    """A role's process tells its traces to the collector."""
    config = stage.installation.config(role)
    before = config.read_text(encoding="utf-8")
    config.write_text(f'{before}\n[telemetry]\notlp_endpoint = "{collector.address}"\n', encoding="utf-8")
    try:
        with stage.running(role):
            yield
    finally:
        config.write_text(before, encoding="utf-8")


@pytest.mark.server
async def test_a_letters_whole_way_is_one_trace(stage: Stage) -> None:
    """From agent to router to agent to document system, each step after the one before; and nothing of what it says."""
    sender, recipient = stage.fresh(2)
    with open_spool(stage, sender) as spool:
        box = mailbox(stage, spool, sender)
        await box.submit(plain_letter("message-of-ours", recipient, title="Конфиденциально"))
        with (
            collecting() as collector,
            traced(stage, "router", collector),
            traced(stage, f"agent-{sender}", collector),
            traced(stage, f"agent-{recipient}", collector),
        ):
            letter = await _said(box, "message-of-ours")
            way = collector.of(letter, 4)
    names = ["send exchange.submissions", "decide exchange.submissions", "take exchange.inbox.{body}", "hand over"]
    assert list(_in_order(way)) == names
    assert [way[name][0] for name in names] == [f"exchange-{who}" for who in ("agent", "router", "agent", "agent")]
    assert [attributes(way[name][1])["exchange.outcome"] for name in names] == ["sent", "accepted", "arrived", "handed"]
    told = b"".join(collector.bodies)
    assert [word for word in ("message-of-ours", "Конфиденциально") if word.encode() in told] == []


async def _said(box: Mailbox, message_id: str) -> bytes:
    """The digest of a letter, once its agent has signed it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            sent = await box.sent_letter(message_id)
            if sent is not None and sent.digest is not None:
                return sent.digest
            await asyncio.sleep(0.02)


def _in_order(way: dict[str, tuple[str, Any]]) -> Iterator[str]:
    """Names of spans, from the one that has no parent on, each followed by the one whose parent it is."""
    following = {span.parent_span_id: span for _, span in way.values()}
    before = b""
    while before in following:
        span = following[before]
        yield span.name
        before = span.span_id
