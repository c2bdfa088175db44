"""The cluster's clock, for comparing ours with.

Kafka has no question for the time. But in DescribeQuorum (KIP-595, KIP-836) the leader of the
controllers says when it last heard from each voter, and of itself: now.
"""

from datetime import UTC, datetime

from aiokafka import errors as kafka
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.errors import CLIENT_ERRORS, bus_error
from exchange.domain.errors import BusError

_API_KEY = 55
_METADATA_TOPIC = "__cluster_metadata"
_NO_TAGS: dict[int, bytes] = {}


async def cluster_time(settings: KafkaSettings) -> datetime:
    """The time of the controllers' leader (UTC, milliseconds), a network round trip ago.

    Raises:
        BusError: `bus-unavailable`, `access-denied`, `clock-untold` (a cluster before Kafka 3.3).
    """
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        response = await client.send(client.get_random_node(), _Question())
    except (*CLIENT_ERRORS, NotImplementedError) as error:
        raise bus_error(error, "asking for the cluster's time") from error
    finally:
        await client.close()
    if (failed := kafka.for_code(response.error_code)) is not kafka.NoError:
        raise bus_error(failed(), "asking for the cluster's time")
    for _topic, partitions, _ in response.topics:
        for _index, _error, leader, _epoch, _high, voters, _observers, _ in partitions:
            for replica, _end, fetched_ms, _caught_up, _ in voters:
                if replica == leader and fetched_ms > 0:
                    return datetime.fromtimestamp(fetched_ms / 1000, UTC)
    message = "the cluster does not tell its time: compare the machines' clocks by hand"
    raise BusError(message, code="clock-untold", retriable=False)


_REPLICAS = CompactArray(
    ("replica_id", Int32),
    ("log_end_offset", Int64),
    ("last_fetch_timestamp", Int64),
    ("last_caught_up_timestamp", Int64),
    ("tags", TaggedFields),
)


class _Answer(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _API_KEY
    API_VERSION = 1
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString()),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("current_voters", _REPLICAS),
                        ("observers", _REPLICAS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _QuestionV1(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _API_KEY
    API_VERSION = 1
    RESPONSE_TYPE = _Answer
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString()),
                ("partitions", CompactArray(("partition_index", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(Request[_QuestionV1]):  # type: ignore[misc]  # aiokafka has no types
    """DescribeQuorum v1 about the cluster's metadata."""

    API_KEY = _API_KEY

    def build(self, request_struct_class: type[_QuestionV1]) -> _QuestionV1:
        return request_struct_class([(_METADATA_TOPIC, [(0, _NO_TAGS)], _NO_TAGS)], _NO_TAGS)
