"""CloudEvents 1.0 headers, Kafka binary mode: unsigned hints for tools (protocol section 8).

The router writes them anew from the statement; nothing in the exchange decides by them.
"""

from collections.abc import Iterable
from datetime import datetime

Header = tuple[str, bytes]

TYPE_PREFIX = "kg.exchange."
LETTER_TYPE = f"{TYPE_PREFIX}letter"


def cloud_event(kind: str, source: str, digest: bytes, time: datetime, traceparent: str | None = None) -> list[Header]:
    """Headers of one record.

    Args:
        kind: lower-case name of the record, e.g. `letter`.
        source: code of the body or service that speaks.
        digest: statement digest; its hex is the event's id.
        time: when the statement was created, UTC.
        traceparent: W3C trace context to carry on, if the submitter sent one.
    """
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", digest.hex().encode()),
        ("ce_source", f"/bodies/{source}".encode()),
        ("ce_type", f"{TYPE_PREFIX}{kind}".encode()),
        ("ce_time", time.isoformat().encode()),
        ("content-type", b"application/vnd.confluent.avro"),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def hints(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Headers as texts by their names, the first of each name; what is no ASCII is left out."""
    said: dict[str, str] = {}
    for name, value in headers:
        if value is not None and value.isascii():
            said.setdefault(name, value.decode("ascii"))
    return said
