"""What stands in `exchange.checkpoints`: read to its end before anything is signed."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field

from exchange.bus.records import Record
from exchange.bus.topics import CHECKPOINTS
from exchange.bus.transactions import SoleWriter
from exchange.domain.checkpoint import CHECKPOINT_KEY, OriginProof, PublishedCheckpoint
from exchange.domain.errors import WireError
from exchange.services.reading import READ_SECONDS, OpenReader, Partition
from exchange.tlog.errors import LogRefused
from exchange.tlog.proof import Proof
from exchange.wire.records import decode

PARTITION: Partition = (CHECKPOINTS, 0)
BATCH_RECORDS = 100
DECIDED_SECONDS = 0.2

Place = tuple[int, int]
"""Partition, and index in its log."""


@dataclass(frozen=True, slots=True)
class Topic:
    """How the topic is opened.

    Attributes:
        open_reader: from a position on.
        open_writer: as the only one who writes there.
    """

    open_reader: OpenReader
    open_writer: Callable[[], AbstractAsyncContextManager[SoleWriter]]


@dataclass(slots=True)
class Published:
    """What the topic holds.

    Attributes:
        checkpoint: the newest one; None before the first.
        proofs: where the entry is that was proven last, by the origin's key.
    """

    checkpoint: PublishedCheckpoint | None = None
    proofs: dict[bytes, Place] = field(default_factory=dict)

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take a record; a proof that cannot be read is written over, one without a value is gone.

        Raises:
            WireError: what stands where the checkpoint must be is none.
        """
        if value is None:
            self.proofs.pop(key, None)
            return
        if key == CHECKPOINT_KEY:
            self.checkpoint = decode(PublishedCheckpoint, value)
            return
        with suppress(WireError, LogRefused):
            proof = Proof.parse(decode(OriginProof, value).proof)
            self.proofs[key] = (proof.log, proof.entry.index)


async def read_published(open_reader: OpenReader) -> Published:
    """Read the topic to its end, behind every transaction that was begun there.

    Raises:
        BusError: Kafka failed.
        WireError: as `Published.take`.
    """
    published = Published()
    async with open_reader({PARTITION: None}) as reader:
        while True:
            undecided = any((await reader.unstable()).values())
            ends = await reader.end_offsets()
            while not reader.reached(ends):
                for record in await reader.read(READ_SECONDS, BATCH_RECORDS):
                    if isinstance(record, Record) and record.key is not None:
                        published.take(record.key, record.value)
            if not undecided:
                return published
            await asyncio.sleep(DECIDED_SECONDS)
