"""Asks the brokers about topics and offsets, beside a client that waits in a long poll.

A broker answers one connection's requests in their order: behind a fetch that waits five seconds
for records, the question for an offset waits as long. These questions therefore use the client's
second connection, the one that aiokafka keeps for coordination.

Topic identities (KIP-516) come with Metadata v10, which aiokafka does not speak; the request is
declared here on its protocol layer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from exchange.bus.errors import CLIENT_ERRORS, bus_error, raise_for

Partition = tuple[str, int]
TopicId = tuple[int, int]
"""A topic's UUID as two halves; another topic of the same name has another one."""

_NO_REPLICA = -1
_ANY_ID: TopicId = (0, 0)
_METADATA = 3
_NO_TAGS: dict[int, bytes] = {}


class End(Enum):
    """Which end of a partition: ListOffsets' own numbers for time and isolation level."""

    STABLE = (-1, 1)  # last stable offset: everything before it is decided
    WRITTEN = (-1, 0)  # high watermark: everything before it is in all in-sync copies
    BEGIN = (-2, 0)


async def topic_ids(client: AIOKafkaClient, partitions: Iterable[Partition]) -> dict[str, TopicId]:
    """Identity of each topic as the leader of the partition knows it.

    It is the leader that is asked, because it also serves the records: it learns of a new topic
    before it serves a record of it, while another broker may still name the old one.

    Raises:
        BusError: `topic-missing`, `access-denied`, `bus-unavailable`.
    """
    found: dict[str, TopicId] = {}
    for node, asked in _by_leader(client, partitions).items():
        names = sorted({topic for topic, _ in asked})
        response = await _ask(client, node, _MetadataRequest(names), "asking for topics")
        for code, name, high, low, *_ in response.topics:
            raise_for(code, f"looking for topic {name}")
            found[name] = (high, low)
    return found


async def offsets(client: AIOKafkaClient, partitions: Iterable[Partition], end: End) -> dict[Partition, int]:
    """One end of each partition, now.

    Raises:
        BusError: `topic-missing`, `access-denied`, `bus-unavailable`.
    """
    time, isolation = end.value
    found: dict[Partition, int] = {}
    for node, asked in _by_leader(client, partitions).items():
        by_topic: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for topic, partition in asked:
            by_topic[topic].append((partition, time))
        request = OffsetRequest(_NO_REPLICA, isolation, list(by_topic.items()))
        response = await _ask(client, node, request, "asking for offsets")
        for topic, answers in response.topics:
            for partition, code, _timestamp, offset in answers:
                raise_for(code, f"asking for offsets of {topic}/{partition}")
                found[topic, partition] = offset
    return found


def _by_leader(client: AIOKafkaClient, partitions: Iterable[Partition]) -> Mapping[int, list[Partition]]:
    """Group by the broker to ask; for a partition without a leader any broker can say why."""
    nodes: dict[int, list[Partition]] = defaultdict(list)
    for topic, partition in partitions:
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        if leader is None or leader < 0:
            client.force_metadata_update()
            leader = client.get_random_node()
        nodes[leader].append((topic, partition))
    return nodes


async def _ask(client: AIOKafkaClient, node: int, request: Any, doing: str) -> Any:
    try:
        return await client.send(node, request, group=ConnectionGroup.COORDINATION)
    except CLIENT_ERRORS as error:
        raise bus_error(error, doing) from error


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString()),
                ("id_high", Int64),
                ("id_low", Int64),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("id_high", Int64), ("id_low", Int64), ("name", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]  # aiokafka has no types
    """Metadata with topic identities (KIP-516)."""

    API_KEY = _METADATA

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        topics = [(*_ANY_ID, topic, _NO_TAGS) for topic in self._topics]
        return request_struct_class(topics, False, False, _NO_TAGS)  # noqa: FBT003 - fields of the request, in order
