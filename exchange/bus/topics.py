"""Every topic of the exchange, with its whole configuration.

Nothing is left to a broker's defaults: Kafka's own would delete the journal, the one source of
truth, after seven days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from exchange.domain.policy import RECORD_BYTES

SUBMISSIONS = "exchange.submissions"
JOURNAL = "exchange.journal"
SEQUENCES = "exchange.sequences"
COMMANDS = "exchange.commands"
CHECKPOINTS = "exchange.checkpoints"
DIRECTORY = "exchange.directory"
DEAD_LETTERS = "exchange.dead-letters"
PREFIX = "exchange."
INBOXES = "exchange.inbox."
TRANSACTION_LOG = "__transaction_state"
"""Kafka's own: what became of each transaction. Lost, a decision may stand in the journal and in no inbox."""

# A record of rule 1.7 with the batch's header, its key and its CloudEvents headers.
SUBMISSION_BATCH_BYTES = RECORD_BYTES + 16 * 1024
# The router adds its decision to what it took, and puts several records into one batch.
ROUTED_BATCH_BYTES = 2 * RECORD_BYTES

_FOR_EVER = -1
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


def inbox(body: str) -> str:
    """Topic of what the exchange has for `body`."""
    return f"{INBOXES}{body}"


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """What is fixed at installation (rule 5.2).

    Attributes:
        lanes: partitions of submissions, and of sequences number for number, which has one more: the lane of commands.
        journal_partitions: one Merkle log each.
        replication: copies of every record.
        min_insync: copies that must be written before a record counts as taken.
    """

    lanes: int = 4
    journal_partitions: int = 4
    replication: int = 1
    min_insync: int = 1


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be.

    Attributes:
        name: the topic's name.
        partitions: how many; never changed afterwards, order and chains depend on it.
        may_grow: whether partitions may nevertheless be added, because nothing depends on how many there are.
        replication: copies of every partition.
        configuration: every setting that we rely on, in Kafka's words.
    """

    name: str
    partitions: int
    replication: int
    configuration: Mapping[str, str]
    may_grow: bool = False


def lane_source(lane: int, lanes: int) -> tuple[str, int]:
    """Topic and partition that a lane reads; behind the lanes of the bodies stands that of commands (ADR 0015)."""
    return (COMMANDS, 0) if lane == lanes else (SUBMISSIONS, lane)


def service_topics(shape: ClusterShape) -> tuple[TopicSpec, ...]:
    """Every topic but the inboxes."""
    return (
        # Longer than the longest outage of the router: what was submitted waits for it.
        _kept(SUBMISSIONS, shape.lanes, shape, 30 * _DAY_MS, batch_bytes=SUBMISSION_BATCH_BYTES),
        # Until the archive's checkpoint allows deletion, which is an operator's act.
        _kept(JOURNAL, shape.journal_partitions, shape, _FOR_EVER),
        # Read to the end by every router that takes a lane, so old versions must go within the hour.
        _compacted(
            SEQUENCES,
            shape.lanes + 1,
            shape,
            {
                "segment.bytes": str(16 * 1024 * 1024),
                "segment.ms": str(_HOUR_MS),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": str(_HOUR_MS),
            },
            may_grow=True,  # a lane's partition is named by its number; installations before ADR 0015 lack the last
        ),
        _kept(COMMANDS, 1, shape, 30 * _DAY_MS),
        _compacted(CHECKPOINTS, 1, shape, {}),
        _compacted(DIRECTORY, 1, shape, {}),
        _kept(DEAD_LETTERS, 1, shape, 90 * _DAY_MS),
    )


def inbox_topic(body: str, shape: ClusterShape) -> TopicSpec:
    """The inbox of one body; away for longer than 30 days it is refilled from the journal."""
    return _kept(inbox(body), 1, shape, 30 * _DAY_MS)


def _kept(
    name: str, partitions: int, shape: ClusterShape, retention_ms: int, *, batch_bytes: int = ROUTED_BATCH_BYTES
) -> TopicSpec:
    settings = {"cleanup.policy": "delete", "retention.ms": str(retention_ms)}
    return _topic(name, partitions, shape, batch_bytes, settings)


def _compacted(
    name: str, partitions: int, shape: ClusterShape, settings: Mapping[str, str], *, may_grow: bool = False
) -> TopicSpec:
    topic = _topic(name, partitions, shape, ROUTED_BATCH_BYTES, {"cleanup.policy": "compact", **settings})
    return replace(topic, may_grow=may_grow)


def _topic(name: str, partitions: int, shape: ClusterShape, batch_bytes: int, settings: Mapping[str, str]) -> TopicSpec:
    configuration = {
        "min.insync.replicas": str(shape.min_insync),
        # A client whose clock runs ahead otherwise breaks the producer, and arrival time is ours to say.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(batch_bytes),
        # Size is never a reason to forget.
        "retention.bytes": str(_FOR_EVER),
        # With "uncompressed" the broker itself would unpack a hostile batch (section 8).
        "compression.type": "producer",
        # A copy that lacks records never takes over.
        "unclean.leader.election.enable": "false",
        **settings,
    }
    return TopicSpec(name, partitions, shape.replication, MappingProxyType(configuration))
