"""Brings steps of letters' traces to a collector of OpenTelemetry (OTLP over HTTP), by the names of its conventions.

Only a process whose settings ask for it imports this module, which needs the extra `otel`. Steps wait in a bounded
queue, and a thread of OpenTelemetry's brings them: a collector that is away costs the newest steps behind those that
wait, and never a letter's time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from types import MappingProxyType, TracebackType
from typing import Any, Self

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from exchange.domain.trace import Doing, SpanPlace, TraceStep

QUEUE_STEPS = 4096
BATCH_STEPS = 2048
TELL_SECONDS = 2.0
ANSWER_SECONDS = 2.0
"""For one batch, repeats included: a process that ends waits for two of them at most."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: Mapping[Doing, tuple[SpanKind, str, str]] = MappingProxyType(
    {
        Doing.SEND: (SpanKind.PRODUCER, "send", "send"),
        Doing.DECIDE: (SpanKind.CONSUMER, "decide", "process"),
        Doing.TAKE: (SpanKind.CONSUMER, "take", "process"),
        Doing.HAND_OVER: (SpanKind.INTERNAL, "hand over", ""),
    }
)
"""The span's kind, and name and type of the messaging operation."""
_INBOX = "exchange.inbox."


class OtlpTraces:
    """Tells a collector; a context manager, which at its end brings what still waits, for seconds at most."""

    def __init__(self, endpoint: str, service: str) -> None:
        """Nothing is sent before the first step.

        Args:
            endpoint: of the collector, without a path.
            service: name of this process: `exchange-router`, `exchange-agent`.
        """
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=ANSWER_SECONDS)
        self._processor = BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_STEPS,
            schedule_delay_millis=TELL_SECONDS * 1000,
            max_export_batch_size=BATCH_STEPS,
        )
        release = version("exchange")
        self._resource = Resource.create(
            {"service.namespace": "exchange", "service.name": service, "service.version": release}
        )
        self._scope = InstrumentationScope("exchange", release)

    def __enter__(self) -> Self:
        """Take steps from now on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring what waits."""
        self._processor.shutdown()

    def tell(self, step: TraceStep) -> None:
        """Put a step into the queue."""
        before = step.before
        follows = before is not None and before.trace == step.place.trace
        self._processor.on_end(
            # Made whole: the steps are over when they are told, and their ids are ours to say.
            ReadableSpan(
                _name(step),
                context=_context(step.place),
                parent=_context(before) if before is not None and follows else None,
                links=[Link(_context(before))] if before is not None and not follows else [],
                resource=self._resource,
                instrumentation_scope=self._scope,
                attributes=_attributes(step),
                kind=_KINDS[step.doing][0],
                status=Status(StatusCode.ERROR, step.code) if step.code else Status(StatusCode.UNSET),
                start_time=_nanoseconds(step.began),
                end_time=_nanoseconds(step.ended),
            )
        )


def _context(place: SpanPlace) -> SpanContext:
    trace, span = int.from_bytes(place.trace), int.from_bytes(place.span)
    return SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _name(step: TraceStep) -> str:
    """`{operation} {destination}`; all inboxes have one name, for there are hundreds of them."""
    _, operation, _ = _KINDS[step.doing]
    return f"{operation} {_template(step.topic) or step.topic}".rstrip()


def _template(topic: str) -> str:
    return f"{_INBOX}{{body}}" if topic.startswith(_INBOX) else ""


def _attributes(step: TraceStep) -> dict[str, Any]:
    """Names of OpenTelemetry's semantic conventions for messaging, and our own."""
    _, name, kind = _KINDS[step.doing]
    said: dict[str, Any] = {
        "messaging.message.id": step.letter.hex(),
        "messaging.message.body.size": step.size,
        "exchange.body": step.body,
        "exchange.outcome": step.outcome,
    }
    if step.topic:
        said |= {
            "messaging.system": "kafka",
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.destination.name": step.topic,
            "messaging.destination.partition.id": str(step.partition),
        }
    if template := _template(step.topic):
        said["messaging.destination.template"] = template
    if step.code:
        said["error.type"] = step.code
    return said


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
