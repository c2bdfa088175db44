"""What a body sees of the cluster with no more than its own rights: brokers, what it may do, its inbox's clock."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient, ClusterMetadata, OffsetSpec

from exchange.bus.access import Operation
from exchange.bus.administration_errors import administration_error
from exchange.bus.connection import KafkaSettings, confluent_options
from exchange.domain.errors import BusError

_ANSWER_SECONDS = 10.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OwnView:
    """Asks as one principal; opens nothing that would have to be closed."""

    client: AdminClient

    @classmethod
    def of(cls, settings: KafkaSettings) -> "OwnView":
        """The view of the principal that `settings` names.

        Raises:
            KeyRefused: as `confluent_options`.
        """
        return cls(AdminClient(confluent_options(settings)))

    async def brokers(self) -> list[str]:
        """`host:port` of every broker, as the cluster tells its clients.

        Raises:
            BusError: `bus-unavailable`.
        """
        told: ClusterMetadata = await _answer(
            asyncio.to_thread(self.client.list_topics, timeout=_ANSWER_SECONDS), "asking for the brokers"
        )
        return sorted(f"{broker.host}:{broker.port}" for broker in told.brokers.values())

    async def operations(self, topics: Iterable[str]) -> dict[str, frozenset[Operation]]:
        """What we may do with each topic, by the broker's own word (KIP-430); nothing where it hides the topic.

        Raises:
            BusError: `bus-unavailable`.
        """
        asked = self.client.describe_topics(
            TopicCollection(list(topics)),
            include_authorized_operations=True,
            request_timeout=_ANSWER_SECONDS,
        )
        found = {}
        for topic, future in asked.items():
            try:
                described = await _answer(asyncio.wrap_future(future), f"asking what we may do with {topic}")
            except BusError as error:
                if error.code != "access-denied":
                    raise
                found[topic] = frozenset[Operation]()
            else:
                found[topic] = _known(described.authorized_operations)
        return found

    async def newest(self, topic: str) -> datetime | None:
        """When the newest record of a topic's first partition was written, by the broker's clock; None: it is empty.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `topic-missing`.
        """
        partition = TopicPartition(topic, 0)
        asked = self.client.list_offsets(
            {partition: OffsetSpec.max_timestamp()},  # type: ignore[no-untyped-call]
            request_timeout=_ANSWER_SECONDS,
        )
        told = await _answer(asyncio.wrap_future(asked[partition]), f"asking for the newest record of {topic}")
        return None if told.timestamp < 0 else datetime.fromtimestamp(told.timestamp / 1000, UTC)


async def _answer(asked: Awaitable[_T], doing: str) -> _T:
    try:
        return await asked
    except KafkaException as error:
        raise administration_error(error, doing) from error


def _known(operations: Iterable[AclOperation] | None) -> frozenset[Operation]:
    names = {operation.name for operation in operations or ()}
    return frozenset(operation for operation in Operation if operation.value in names)
