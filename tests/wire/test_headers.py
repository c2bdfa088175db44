"""CloudEvents headers: hints for tools, in Kafka's binary mode."""

from datetime import UTC, datetime

import pytest

from exchange.wire.headers import cloud_event, hints

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("traceparent", "expected"), [(None, None), (TRACE, TRACE.encode())])
def test_headers(traceparent: str | None, expected: bytes | None) -> None:
    """The required attributes of CloudEvents 1.0, and the trace context when the submitter sent one."""
    moment = datetime(2022, 3, 1, 3, 30, tzinfo=UTC)
    headers = dict(cloud_event("letter", "mfa", bytes(32), moment, traceparent))
    assert headers.pop("traceparent", None) == expected
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"00" * 32,
        "ce_source": b"/bodies/mfa",
        "ce_type": b"kg.exchange.letter",
        "ce_time": b"2022-03-01T03:30:00+00:00",
        "content-type": b"application/vnd.confluent.avro",
    }


def test_hints_are_read_whatever_they_are() -> None:
    """Anybody's bytes: the first of each name, as text where it is one."""
    said = hints((("a", b"1"), ("a", b"2"), ("b", None), ("c", b"\xff"), ("b", b"3")))
    assert said == {"a": "1", "b": "3"}
