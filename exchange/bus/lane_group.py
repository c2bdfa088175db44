"""Which lanes are ours: the routers' consumer group, which reads nothing (see `lane`, point 3).

A lane stands for each partition of submissions, with its number, and one for commands: the number behind them.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from exchange.bus.access import ROUTER_GROUP
from exchange.bus.closing import close_consumer
from exchange.bus.connection import KafkaSettings, aiokafka_options
from exchange.bus.lane import SILENCE_SECONDS
from exchange.bus.topics import COMMANDS, SUBMISSIONS
from exchange.domain.errors import BusError

LEAVE_SECONDS = 3.0
"""To tell the group that we go, so that others take the lanes at once."""

Sources = Mapping[int, tuple[str, int]]
"""By lane: topic and partition that it reads."""


class LaneGroup:
    """Says which lanes are ours. Its consumer reads nothing: every partition is paused."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Nothing is opened before the context is entered."""
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._changed = asyncio.Event()
        self._lanes: Sources = {}

    @property
    def lanes(self) -> Sources:
        """Lanes that are ours now; after a revocation until the next assignment the old ones."""
        return self._lanes

    async def __aenter__(self) -> Self:
        """Join the group."""
        self._consumer = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            group_id=ROUTER_GROUP,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=1000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self._consumer.subscribe([SUBMISSIONS, COMMANDS], listener=_Listener(self._assigned))
        try:
            await self._consumer.start()
        except BaseException:
            await close_consumer(self._consumer, LEAVE_SECONDS)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group, so that others take the lanes at once."""
        if self._consumer is not None:
            await close_consumer(self._consumer, LEAVE_SECONDS)

    async def watch(self) -> Sources:
        """Poll, as members must, until the assignment changes; the lanes that are ours then.

        Raises:
            BusError: no broker answers any more; aiokafka's own errors too. Join anew.
        """
        if self._consumer is None:
            message = "the group was not joined"
            raise BusError(message)
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while not self._changed.is_set():
            await self._consumer.getmany(timeout_ms=300)
            if loop.time() - heard >= SILENCE_SECONDS:
                if not await self._consumer._client.force_metadata_update():  # noqa: SLF001
                    message = "no broker answers: the group is joined again"
                    raise BusError(message)
                heard = loop.time()
        self._changed.clear()
        return self._lanes

    def _assigned(self, partitions: Collection[TopicPartition]) -> None:
        if self._consumer is None:
            return
        self._consumer.pause(*partitions)
        behind = len(self._consumer.partitions_for_topic(SUBMISSIONS) or ())
        self._lanes = {
            behind if partition.topic == COMMANDS else partition.partition: (partition.topic, partition.partition)
            for partition in partitions
        }
        self._changed.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka's base class is untyped
    """Passes assignments on. Revocations are ignored: the next owner's arming fences us."""

    def __init__(self, assigned: Callable[[Collection[TopicPartition]], None]) -> None:
        self._assigned = assigned

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Lanes that stay ours are not touched by a rebalance."""

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Only take note: aiokafka merely logs what is raised here."""
        self._assigned(assigned)
