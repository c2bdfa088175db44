"""Makes the cluster as it must be, and says where it is not.

Everything may be called again: what is already so is left alone. What can't be changed safely (replication,
partitions of all topics but those that may grow) is never changed, only reported.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicMetadata,
)

from exchange.bus.access import Grant
from exchange.bus.administration_errors import administration_error
from exchange.bus.bindings import binding_of, every_binding, filter_of, grant_of
from exchange.bus.connection import KafkaSettings, confluent_options
from exchange.bus.difference import FIXED, MISSING_TOPIC, Difference, topic_differences
from exchange.bus.topics import PREFIX, TRANSACTION_LOG, TopicSpec
from exchange.domain.errors import BusError

_T = TypeVar("_T")
_K = TypeVar("_K")
_SETTLE_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, *(2.0,) * 15)
# A controller takes at most 10,000 records for one request: a topic is some ten of them, a right one.
_TOPICS_AT_ONCE, _RIGHTS_AT_ONCE = 500, 2000


@dataclass(frozen=True, slots=True)
class Copies:
    """How a partition is kept now.

    Attributes:
        topic: the partition's topic.
        partition: its number.
        has_leader: whether a broker serves it.
        in_sync: copies that have everything.
        assigned: copies that there should be.
    """

    topic: str
    partition: int
    has_leader: bool
    in_sync: int
    assigned: int


class Administration:
    """Topics and rights of one cluster, by a principal that may change them."""

    def __init__(self, settings: KafkaSettings, *, timeout_seconds: float = 30.0) -> None:
        """Open the client; it connects when it is first asked.

        Raises:
            KeyRefused: as `confluent_options`.
        """
        self._client = AdminClient(confluent_options(settings))
        self._timeout = timeout_seconds

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The client closes itself when it is let go; waiting for it would block the event loop."""

    # -- topics ---------------------------------------------------------------------------------

    async def topics(self) -> dict[str, TopicSpec]:
        """Every topic of the exchange, with its whole configuration, as the cluster has it.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        return await self._found(lambda name: name.startswith(PREFIX))

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create topics; one that is there stays as it is.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `bus-refused` (too few brokers, for example).
        """
        for batch in _batches(specs, _TOPICS_AT_ONCE):
            topics = [NewTopic(s.name, s.partitions, s.replication, config=dict(s.configuration)) for s in batch]
            futures = self._client.create_topics(topics, request_timeout=self._timeout, operation_timeout=self._timeout)
            await self._all(futures, "creating {}".format, fine=KafkaError.TOPIC_ALREADY_EXISTS)

    async def configure_topics(self, differences: Sequence[Difference]) -> None:
        """Set what differs; what is fixed at installation is left alone.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `bus-refused`.
        """
        by_topic: dict[str, list[ConfigEntry]] = {}
        for each in differences:
            if each.setting not in FIXED:
                entry = ConfigEntry(each.setting, each.expected, incremental_operation=AlterConfigOpType.SET)
                by_topic.setdefault(each.subject, []).append(entry)
        for batch in _batches(list(by_topic.items()), _TOPICS_AT_ONCE):
            resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=each) for name, each in batch]
            futures = self._client.incremental_alter_configs(resources, request_timeout=self._timeout)
            await self._all(futures, lambda resource: f"changing settings of {resource.name}")

    async def add_partitions(self, counts: Mapping[str, int]) -> None:
        """Add partitions to topics, up to so many each: for those of which `TopicSpec.may_grow`.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `bus-refused` (there are as many or more already).
        """
        if not counts:
            return
        asked = [NewPartitions(name, count) for name, count in counts.items()]
        futures = self._client.create_partitions(asked, request_timeout=self._timeout, operation_timeout=self._timeout)
        await self._all(futures, "adding partitions to {}".format)

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> list[Difference]:
        """Create what is missing, set what differs, read everything back.

        Returns:
            What still differs: partitions, replication, or a setting that the brokers refuse.

        Raises:
            BusError: as `create_topics`.
        """
        differences = await self._topic_differences(specs)
        missing = {each.subject for each in differences if each.setting == MISSING_TOPIC}
        await self.create_topics([spec for spec in specs if spec.name in missing])
        await self.configure_topics([each for each in differences if each.subject not in missing])
        return await settled(partial(self._topic_differences, specs), lambda left: {d.setting for d in left} <= FIXED)

    async def _topic_differences(self, specs: Sequence[TopicSpec]) -> list[Difference]:
        names = {spec.name for spec in specs}
        return topic_differences(specs, await self._found(names.__contains__))

    async def _found(self, wanted: Callable[[str], bool]) -> dict[str, TopicSpec]:
        listing = await self._cluster()
        topics = {name: topic for name, topic in listing.topics.items() if wanted(name)}
        settings = await self._settings(ResourceType.TOPIC, list(topics))
        return {name: _spec(name, topics[name], settings[name]) for name in settings}

    async def partition_counts(self) -> dict[str, int]:
        """Partitions of every topic of the exchange, as the cluster has them.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        listing = await self._cluster()
        return {name: len(topic.partitions) for name, topic in listing.topics.items() if name.startswith(PREFIX)}

    async def copies(self) -> list[Copies]:
        """How every partition of the exchange, and of Kafka's log of transactions, is kept now.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        listing = await self._cluster()
        return [
            Copies(name, number, partition.leader >= 0, len(partition.isrs), len(partition.replicas))
            for name, topic in sorted(listing.topics.items())
            if name.startswith(PREFIX) or name == TRANSACTION_LOG
            for number, partition in sorted(topic.partitions.items())
        ]

    async def newest(self, topic: str, partition: int) -> datetime | None:
        """When the newest record was written that a partition has; None while it has none.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `topic-missing`.
        """
        asked = TopicPartition(topic, partition)
        latest = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]
        futures = self._client.list_offsets({asked: latest}, request_timeout=self._timeout)
        found = await self._result(futures[asked], f"asking for the newest record of {topic}/{partition}")
        return None if found.offset < 0 else datetime.fromtimestamp(found.timestamp / 1000, UTC)

    async def broker_settings(self) -> dict[int, dict[str, str]]:
        """Configuration of each broker, defaults included, by its number.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        listing = await self._cluster()
        # Each broker answers for itself, so each is asked by itself.
        return {
            number: (await self._settings(ResourceType.BROKER, [str(number)]))[str(number)]
            for number in listing.brokers
        }

    async def _settings(self, kind: ResourceType, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(kind, name) for name in names]
        futures = self._client.describe_configs(resources, request_timeout=self._timeout)
        found: dict[str, dict[str, str]] = {}
        for resource, future in futures.items():
            try:
                entries: Mapping[str, ConfigEntry] = await asyncio.wrap_future(future)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue  # one broker lists it, and the one that was asked has not heard of it yet
                raise administration_error(error, f"reading settings of {resource.name}") from error
            found[resource.name] = {name: entry.value or "" for name, entry in entries.items()}
        return found

    # -- rights ---------------------------------------------------------------------------------

    async def rights(self) -> set[Grant]:
        """Every right that anybody has, and every denial.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        future = self._client.describe_acls(every_binding(), request_timeout=self._timeout)
        return set(map(grant_of, await self._result(future, "reading rights")))

    async def grant(self, grants: Collection[Grant]) -> None:
        """Give rights; one that is there already stays.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        for batch in _batches(list(map(binding_of, grants)), _RIGHTS_AT_ONCE):
            futures = self._client.create_acls(batch, request_timeout=self._timeout)
            await self._all(futures, lambda binding: f"granting: {grant_of(binding)}")

    async def revoke(self, grants: Collection[Grant]) -> None:
        """Take rights away; one that is not there is none to take.

        A long poll that is open now may still bring what is written until it ends: stop the router from writing
        to the inbox first.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        for batch in _batches(list(map(filter_of, grants)), _RIGHTS_AT_ONCE):
            futures = self._client.delete_acls(batch, request_timeout=self._timeout)
            await self._all(futures, lambda which: f"revoking: {grant_of(which)}")

    async def ensure_access(self, grants: Collection[Grant]) -> None:
        """Give the rights that are missing; none is taken away.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        await self.grant(set(grants) - await self.rights())
        if unseen := await settled(partial(self._missing, grants), lambda missing: not missing):
            message = f"{len(unseen)} rights were granted and are not there, first: {min(unseen)}"
            raise BusError(f"{message}; ask again, and look at the controllers if it stays so")

    async def _missing(self, grants: Collection[Grant]) -> set[Grant]:
        return set(grants) - await self.rights()

    # -- client ---------------------------------------------------------------------------------

    async def _cluster(self) -> ClusterMetadata:
        """Brokers and topics; the one question that librdkafka only answers by blocking."""
        try:
            return await asyncio.to_thread(self._client.list_topics, timeout=self._timeout)
        except KafkaException as error:
            raise administration_error(error, "asking for topics") from error

    @staticmethod
    async def _all(
        futures: "Mapping[_K, Future[Any]]", doing: Callable[[_K], str], *, fine: int = KafkaError.NO_ERROR
    ) -> None:
        """Wait for each part of a request; one that ends with the error `fine` is done already."""
        for what, future in futures.items():
            try:
                await asyncio.wrap_future(future)
            except KafkaException as error:
                if error.args[0].code() != fine:
                    raise administration_error(error, doing(what)) from error

    @staticmethod
    async def _result(future: "Future[_T]", doing: str) -> _T:
        try:
            return await asyncio.wrap_future(future)
        except KafkaException as error:
            raise administration_error(error, doing) from error


def _spec(name: str, topic: TopicMetadata, configuration: Mapping[str, str]) -> TopicSpec:
    """The topic as it is; of partitions that are copied differently often the least counts."""
    copies = min(len(partition.replicas) for partition in topic.partitions.values())
    return TopicSpec(name, len(topic.partitions), copies, configuration)


def _batches(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    return (list(items[begin : begin + size]) for begin in range(0, len(items), size))


async def settled(look: Callable[[], Awaitable[_T]], enough: Callable[[_T], bool]) -> _T:
    """Look until it is enough, for half a minute at most: what a controller has decided reaches the brokers later.

    A moment later in general; many seconds when a thousand topics were made, and looking then takes what they need.
    """
    found = await look()
    for pause in _SETTLE_SECONDS:
        if enough(found):
            break
        await asyncio.sleep(pause)
        found = await look()
    return found
