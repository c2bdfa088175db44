"""What one principal may do, asked of the broker itself: every request is really made, and none changes anything.

Where a request would change something it is one that the broker first authorizes and then refuses for another
reason: a batch that is damaged, a member that is nobody, a dry run.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteAclsRequest,
    DeleteGroupsRequest,
    DeleteRecordsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import EndTxnRequest, InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from exchange.bus.access import Operation
from exchange.bus.connection import KafkaSettings, aiokafka_options

_DENIED = frozenset({29, 30, 31, 53})
"""Not authorized for a topic, a group, the cluster, a transactional id."""

_TOPIC, _BROKER = 2, 4
_TRANSACTION = 1
_ANY, _LITERAL = 1, 3
_WAIT_MS = 10_000
_BYTES = 1024
_NOBODY = "nobody-at-all"

Codes = Mapping[str, int]
"""Error codes by name of what was asked for."""


@asynccontextmanager
async def asking(settings: KafkaSettings) -> AsyncIterator["Asking"]:
    """Connect as one principal."""
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        yield Asking(client)
    finally:
        await client.close()


class Asking:
    """One principal's connection; every method says which operations the broker allows."""

    def __init__(self, client: AIOKafkaClient) -> None:
        """The client is open."""
        self._client = client

    async def topics(self, names: Iterable[str]) -> dict[str, set[Operation]]:
        """Operations on topics, by name."""
        asked = sorted(set(names))
        questions: dict[Operation, Callable[[list[str]], Awaitable[Codes]]] = {
            Operation.READ: self._fetch,
            Operation.WRITE: self._produce,
            Operation.CREATE: self._create,
            Operation.DELETE: self._delete_records,
            Operation.ALTER: self._more_partitions,
            Operation.DESCRIBE: self._metadata,
            Operation.DESCRIBE_CONFIGS: self._describe_configs,
            Operation.ALTER_CONFIGS: self._alter_configs,
        }
        allowed: dict[str, set[Operation]] = {name: set() for name in asked}
        for operation, question in questions.items():
            for name, code in (await question(asked)).items():
                if code not in _DENIED:
                    allowed[name].add(operation)
        return allowed

    async def group(self, name: str) -> set[Operation]:
        """Operations on a consumer group."""
        heartbeat = await self._ask(HeartbeatRequest(name, 1, _NOBODY))
        deleted = await self._ask(DeleteGroupsRequest([name]))
        described = await self._ask(DescribeGroupsRequest([name]))
        return _allowed(
            {
                Operation.READ: heartbeat.error_code,
                Operation.DELETE: deleted.results[0][1],
                Operation.DESCRIBE: described.groups[0][0],
            }
        )

    async def transaction(self, name: str) -> set[Operation]:
        """Operations on a transactional id."""
        ended = await self._ask(EndTxnRequest(name, 1, 0, False))  # noqa: FBT003 - fields, in order
        found = await self._ask(FindCoordinatorRequest(name, _TRANSACTION))
        return _allowed({Operation.WRITE: ended.error_code, Operation.DESCRIBE: found.error_code})

    async def cluster(self) -> set[Operation]:
        """Operations on the cluster itself; reading as a broker does is one of them, a producer's number another."""
        rights = (_ANY, _NOBODY, _LITERAL, f"User:{_NOBODY}", None, _ANY, _ANY)
        deleted = await self._ask(DeleteAclsRequest(*rights))
        described = await self._ask(DescribeAclsRequest(*rights))
        settings = await self._ask(DescribeConfigsRequest([(_BROKER, self._broker, ["log.dirs"])]))
        altered = await self._ask(AlterConfigsRequest([(_BROKER, self._broker, [])], validate_only=True))
        created = await self._ask(CreateTopicsRequest([_new("anything")], _WAIT_MS, validate_only=True))
        number = await self._ask(InitProducerIdRequest(None, _WAIT_MS))
        return _allowed(
            {
                Operation.ALTER: deleted.filter_responses[0][0],
                Operation.DESCRIBE: described.error_code,
                Operation.DESCRIBE_CONFIGS: settings.resources[0][0],
                Operation.ALTER_CONFIGS: altered.resources[0][0],
                Operation.CREATE: created.topic_errors[0][1],
                Operation.IDEMPOTENT_WRITE: number.error_code,
                Operation.CLUSTER_ACTION: await self._replicate(),
            }
        )

    async def _fetch(self, names: list[str]) -> Codes:
        answer = await self._ask(FetchRequest(0, 0, _BYTES, 0, [(name, [(0, 0, _BYTES)]) for name in names]))
        return _by_topic(answer.topics, 1)

    async def _replicate(self) -> int:
        request = _AsBroker(0, 0, _BYTES, 0, [("exchange.journal", [(0, 0, _BYTES)])])
        return _by_topic((await self._ask(request)).topics, 1)["exchange.journal"]

    async def _produce(self, names: list[str]) -> Codes:
        answer = await self._ask(ProduceRequest(None, -1, _WAIT_MS, [(name, [(0, _damaged())]) for name in names]))
        return _by_topic(answer.topics, 1)

    async def _create(self, names: list[str]) -> Codes:
        answer = await self._ask(CreateTopicsRequest([_new(name) for name in names], _WAIT_MS, validate_only=True))
        return {name: code for name, code, _ in answer.topic_errors}

    async def _delete_records(self, names: list[str]) -> Codes:
        answer = await self._ask(DeleteRecordsRequest([(name, [(0, 0)]) for name in names], _WAIT_MS))
        return {topic[0]: topic[1][0][2] for topic in answer.topics}

    async def _more_partitions(self, names: list[str]) -> Codes:
        wider = [(name, (100, None)) for name in names]
        answer = await self._ask(CreatePartitionsRequest(wider, _WAIT_MS, validate_only=True))
        return {name: code for name, code, _ in answer.topic_errors}

    async def _metadata(self, names: list[str]) -> Codes:
        answer = await self._ask(MetadataRequest(names, allow_auto_topic_creation=False))
        return {topic[1]: topic[0] for topic in answer.topics}

    async def _describe_configs(self, names: list[str]) -> Codes:
        answer = await self._ask(DescribeConfigsRequest([(_TOPIC, name, ["retention.ms"]) for name in names]))
        return {resource[3]: resource[0] for resource in answer.resources}

    async def _alter_configs(self, names: list[str]) -> Codes:
        answer = await self._ask(AlterConfigsRequest([(_TOPIC, name, []) for name in names], validate_only=True))
        return {resource[3]: resource[0] for resource in answer.resources}

    @property
    def _broker(self) -> str:
        (broker,) = self._client.cluster.brokers()
        return str(broker.nodeId)

    async def _ask(self, request: Any) -> Any:
        return await self._client.send(self._client.get_random_node(), request)


class _AsBroker(FetchRequest):  # type: ignore[misc]  # aiokafka has no types
    """A fetch as another broker sends it, who is denied nothing."""

    def build(self, request_struct_class: Any) -> Any:
        """The same with a broker's number."""
        request = super().build(request_struct_class)
        request.replica_id = 1
        return request


def _damaged() -> bytes:
    """A batch whose checksum is wrong, which is looked at last."""
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, _BYTES)
    batch.append(0, 0, None, b"letter", [])
    whole = batch.build()
    whole[-1] ^= 1
    return bytes(whole)


def _new(name: str) -> tuple[object, ...]:
    return name, 1, 1, [], []


def _by_topic(topics: Iterable[Any], place: int) -> Codes:
    """Code of each topic's only partition that was asked for."""
    return {topic[0]: topic[1][0][place] for topic in topics}


def _allowed(codes: Mapping[Operation, int]) -> set[Operation]:
    return {operation for operation, code in codes.items() if code not in _DENIED}
