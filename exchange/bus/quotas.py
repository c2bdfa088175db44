"""Client quotas: how many bytes and how much broker time one principal may use (KIP-546).

`confluent-kafka` has no call for them, so the two requests are declared on aiokafka's protocol layer.
"""

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int8, Int16, Int32, Schema, String

from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error, raise_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

EVERY_OTHER_USER: None = None
"""Stands for each principal that has no quota of its own."""

_PRODUCER, _CONSUMER, _REQUESTS = "producer_byte_rate", "consumer_byte_rate", "request_percentage"
_ALTER, _DESCRIBE = 49, 48
_USER = "user"
_MATCH_ANY = 2
_AT_ONCE = 1000  # a controller takes at most 10,000 records for one request, and each quota is three


@dataclass(frozen=True, slots=True)
class Quota:
    """What one principal may use of each broker, on average.

    Attributes:
        producer_bytes_per_second: written.
        consumer_bytes_per_second: read.
        request_percent: of one broker thread's time; 100 is one whole thread.
    """

    producer_bytes_per_second: float
    consumer_bytes_per_second: float
    request_percent: float

    def __str__(self) -> str:
        """For people: `writes 262144 B/s, reads 16777216 B/s, 200 % of a thread`."""
        written, read = self.producer_bytes_per_second, self.consumer_bytes_per_second
        return f"writes {written:.0f} B/s, reads {read:.0f} B/s, {self.request_percent:.0f} % of a thread"


_Quotas = Mapping[str | None, Quota | None]


async def set_quotas(settings: KafkaSettings, quotas: _Quotas) -> None:
    """Give each principal its quota, None taking its own away; those not named keep theirs.

    Args:
        settings: of a principal that may alter the cluster's configuration.
        quotas: by principal; `EVERY_OTHER_USER` for those without one of their own.

    Raises:
        BusError: `bus-unavailable`, `access-denied`.
    """
    async with _client(settings) as client:
        for batch in _batches(quotas):
            response = await _ask(client, _AlterRequest(batch), "setting quotas")
            for code, message, entity in response.entries:
                raise_for(code, f"setting the quota of {entity[0][1] or 'every other user'}: {message}")


async def read_quotas(settings: KafkaSettings) -> dict[str | None, Quota]:
    """Quotas of principals as the brokers have them; a part that is not set reads as infinite.

    Raises:
        BusError: `bus-unavailable`, `access-denied`.
    """
    async with _client(settings) as client:
        response = await _ask(client, _DescribeRequest(), "reading quotas")
    raise_for(response.error_code, f"reading quotas: {response.error_message}")
    return {entity[0][1]: _quota(dict(values)) for entity, values in response.entries or ()}


def _batches(quotas: "_Quotas") -> "Iterator[_Quotas]":
    items = list(quotas.items())
    return (dict(items[begin : begin + _AT_ONCE]) for begin in range(0, len(items), _AT_ONCE))


def _quota(values: Mapping[str, float]) -> Quota:
    without = float("inf")
    return Quota(values.get(_PRODUCER, without), values.get(_CONSUMER, without), values.get(_REQUESTS, without))


@asynccontextmanager
async def _client(settings: KafkaSettings) -> "AsyncIterator[AIOKafkaClient]":
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        yield client
    except CLIENT_ERRORS as error:
        raise bus_error(error, f"connecting to {settings.bootstrap}") from error
    finally:
        await client.close()


async def _ask(client: AIOKafkaClient, request: Any, doing: str) -> Any:
    """Any broker passes these requests on to the controller."""
    try:
        return await client.send(client.get_random_node(), request)
    except CLIENT_ERRORS as error:
        raise bus_error(error, doing) from error


_ENTITY = Array(("entity_type", String()), ("entity_name", String()))


class _AlterResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _ALTER
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String()), ("entity", _ENTITY))),
    )


class _AlterRequestV0(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _ALTER
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(("entity", _ENTITY), ("ops", Array(("key", String()), ("value", Float64), ("remove", Boolean)))),
        ),
        ("validate_only", Boolean),
    )


class _AlterRequest(Request[_AlterRequestV0]):  # type: ignore[misc]  # aiokafka has no types
    """AlterClientQuotas v0."""

    API_KEY = _ALTER

    def __init__(self, quotas: "_Quotas") -> None:
        self._quotas = quotas

    def build(self, request_struct_class: type[_AlterRequestV0]) -> _AlterRequestV0:
        entries = [([(_USER, name)], _operations(quota)) for name, quota in self._quotas.items()]
        return request_struct_class(entries, False)  # noqa: FBT003 - fields of the request, in order


def _operations(quota: Quota | None) -> list[tuple[str, float, bool]]:
    if quota is None:
        return [(key, 0.0, True) for key in (_PRODUCER, _CONSUMER, _REQUESTS)]
    return [
        (_PRODUCER, quota.producer_bytes_per_second, False),
        (_CONSUMER, quota.consumer_bytes_per_second, False),
        (_REQUESTS, quota.request_percent, False),
    ]


class _DescribeResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _DESCRIBE
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", String()),
        ("entries", Array(("entity", _ENTITY), ("values", Array(("key", String()), ("value", Float64))))),
    )


class _DescribeRequestV0(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _DESCRIBE
    API_VERSION = 0
    RESPONSE_TYPE = _DescribeResponse
    SCHEMA = Schema(
        ("components", Array(("entity_type", String()), ("match_type", Int8), ("match", String()))),
        ("strict", Boolean),
    )


class _DescribeRequest(Request[_DescribeRequestV0]):  # type: ignore[misc]  # aiokafka has no types
    """DescribeClientQuotas v0, for everything that is set for users alone."""

    API_KEY = _DESCRIBE

    def build(self, request_struct_class: type[_DescribeRequestV0]) -> _DescribeRequestV0:
        return request_struct_class([(_USER, _MATCH_ANY, None)], True)  # noqa: FBT003 - fields, in order
