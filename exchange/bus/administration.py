"""Makes the cluster as it must be, and says where it is not.

Everything may be called again: what is already so is left alone. What can't be changed safely
(partitions, replication) is never changed, only reported.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from exchange.bus.access import Grant
from exchange.bus.administration_errors import administration_error
from exchange.bus.bindings import binding_of, concerns_us, described, every_binding, principal_of
from exchange.bus.connection import KafkaSettings, confluent_options
from exchange.bus.topics import PREFIX, TRANSACTION_LOG, TopicSpec
from exchange.domain.errors import BusError

_T = TypeVar("_T")
_PARTITIONS, _REPLICATION = "partitions", "replication"
_SETTLE_READS, _SETTLE_SECONDS = 150, 0.2
_FIXED = frozenset({_PARTITIONS, _REPLICATION})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of the cluster that is not as it must be.

    Attributes:
        subject: topic, principal or broker.
        setting: what about it.
        expected: what must be; empty for something that must not be there.
        found: what is; empty for something missing.
    """

    subject: str
    setting: str
    expected: str
    found: str


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

    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> list[Difference]:
        """Create what is missing, set what differs, read everything back.

        Returns:
            What still differs: partitions, replication, or a setting that the brokers refuse.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `bus-refused` (too few brokers, for example).
        """
        present = await self._describe([spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in present]
        await self._create(missing)
        await self._alter(await self._mendable([spec for spec in specs if spec.name in present]))
        await _settled(lambda: self._mendable(specs))
        return await self.topic_differences(specs)

    async def topic_differences(self, specs: Sequence[TopicSpec]) -> list[Difference]:
        """Compare topics with what they must be; changes nothing.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        present = await self._describe([spec.name for spec in specs])
        there = [spec for spec in specs if spec.name in present]
        settings = await self._settings(ResourceType.TOPIC, [spec.name for spec in there])
        differences = [Difference(spec.name, "topic", "exists", "") for spec in specs if spec.name not in present]
        for spec in there:
            found = {**settings[spec.name], **_shape(present[spec.name])}
            fixed = {_PARTITIONS: str(spec.partitions), _REPLICATION: str(spec.replication)}
            differences += [
                Difference(spec.name, name, value, found.get(name, ""))
                for name, value in {**fixed, **spec.configuration}.items()
                if found.get(name, "") != value
            ]
        return differences

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

    async def _describe(self, names: Sequence[str]) -> dict[str, TopicDescription]:
        if not names:
            return {}
        listing = await self._cluster()
        known = [name for name in names if name in listing.topics]
        if not known:
            return {}
        futures = self._client.describe_topics(TopicCollection(known), request_timeout=self._timeout)
        return {name: await self._result(future, f"describing {name}") for name, future in futures.items()}

    async def _settings(self, kind: ResourceType, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(kind, name) for name in names]
        futures = self._client.describe_configs(resources, request_timeout=self._timeout)
        found: dict[str, dict[str, str]] = {}
        for resource, future in futures.items():
            entries: Mapping[str, ConfigEntry] = await self._result(future, f"reading settings of {resource.name}")
            found[resource.name] = {name: entry.value or "" for name, entry in entries.items()}
        return found

    async def _mendable(self, specs: Sequence[TopicSpec]) -> list[Difference]:
        return [each for each in await self.topic_differences(specs) if each.setting not in _FIXED]

    async def _create(self, specs: Sequence[TopicSpec]) -> None:
        if not specs:
            return
        topics = [
            NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.configuration)) for spec in specs
        ]
        futures = self._client.create_topics(topics, request_timeout=self._timeout, operation_timeout=self._timeout)
        for name, future in futures.items():
            await self._result(future, f"creating {name}")

    async def _alter(self, differences: Iterable[Difference]) -> None:
        by_topic: dict[str, list[ConfigEntry]] = {}
        for difference in differences:
            entry = ConfigEntry(difference.setting, difference.expected, incremental_operation=AlterConfigOpType.SET)
            by_topic.setdefault(difference.subject, []).append(entry)
        if not by_topic:
            return
        resources = [
            ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name, entries in by_topic.items()
        ]
        futures = self._client.incremental_alter_configs(resources, request_timeout=self._timeout)
        for resource, future in futures.items():
            await self._result(future, f"changing settings of {resource.name}")

    # -- rights ---------------------------------------------------------------------------------

    async def ensure_access(self, grants: Collection[Grant]) -> None:
        """Give the rights that are missing; none is taken away.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        missing = await self._missing(grants)
        if missing:
            for binding, future in self._client.create_acls(missing, request_timeout=self._timeout).items():
                await self._result(future, f"granting: {described(binding)}")
            if unseen := await _settled(lambda: self._missing(grants)):
                message = f"{len(unseen)} rights were granted and are not there, first: {described(unseen[0])}"
                raise BusError(f"{message}; ask again, and look at the controllers if it stays so")

    async def access_differences(self, grants: Collection[Grant]) -> list[Difference]:
        """Compare the rights of the cluster with `grants`; changes nothing.

        Any other right of these principals, or of anybody on something of the exchange, is a
        difference too: a stray one, on all topics for example, lets somebody read what is not theirs.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        present = await self._bindings(every_binding())
        wanted = {binding_of(grant): grant for grant in grants}
        missing = [
            Difference(grant.principal, "right", str(grant), "")
            for binding, grant in wanted.items()
            if binding not in present
        ]
        stray = [
            Difference(principal_of(binding), "right", "", described(binding))
            for binding in present
            if binding not in wanted and concerns_us(binding, {grant.principal for grant in grants})
        ]
        return missing + sorted(stray, key=lambda difference: (difference.subject, difference.found))

    async def revoke(self, principal: str) -> int:
        """Take all rights of `principal` away.

        A long poll that is open now may still bring it a record: stop the router from writing to
        its inbox first.

        Returns:
            How many rights it had.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        everything = every_binding(principal)
        futures = self._client.delete_acls([everything], request_timeout=self._timeout)
        removed = [await self._result(future, f"revoking the rights of {principal}") for future in futures.values()]
        return sum(map(len, removed))

    async def _missing(self, grants: Collection[Grant]) -> list[AclBinding]:
        present = await self._bindings(every_binding())
        return [binding for grant in grants if (binding := binding_of(grant)) not in present]

    async def _bindings(self, which: AclBindingFilter) -> set[AclBinding]:
        future = self._client.describe_acls(which, request_timeout=self._timeout)
        return set(await self._result(future, "reading rights"))

    # -- client ---------------------------------------------------------------------------------

    async def _cluster(self) -> ClusterMetadata:
        """Brokers and topics; the one question that librdkafka only answers by blocking."""
        try:
            return await asyncio.to_thread(self._client.list_topics, timeout=self._timeout)
        except KafkaException as error:
            raise administration_error(error, "asking for topics") from error

    @staticmethod
    async def _result(future: "Future[_T]", doing: str) -> _T:
        try:
            return await asyncio.wrap_future(future)
        except KafkaException as error:
            raise administration_error(error, doing) from error


def _shape(topic: TopicDescription) -> dict[str, str]:
    copies = {len(partition.replicas) for partition in topic.partitions}
    return {_PARTITIONS: str(len(topic.partitions)), _REPLICATION: "/".join(map(str, sorted(copies)))}


async def _settled(differences: Callable[[], Awaitable[list[_T]]]) -> list[_T]:
    """Read back until nothing differs: what a controller has decided reaches the brokers a moment later."""
    found = await differences()
    for _ in range(_SETTLE_READS):
        if not found:
            break
        await asyncio.sleep(_SETTLE_SECONDS)
        found = await differences()
    return found
