"""The topics as values."""

from exchange.bus.topics import (
    COMMANDS,
    JOURNAL,
    PREFIX,
    ROUTED_BATCH_BYTES,
    SEQUENCES,
    SUBMISSION_BATCH_BYTES,
    SUBMISSIONS,
    ClusterShape,
    inbox,
    inbox_topic,
    lane_source,
    service_topics,
)
from exchange.domain.policy import RECORD_BYTES

SHAPE = ClusterShape(lanes=8, journal_partitions=3, replication=3, min_insync=2)


def test_partitions_follow_the_shape() -> None:
    """Sequences have a partition for each lane, number for number, that of commands too; an inbox has one."""
    partitions = {spec.name: spec.partitions for spec in service_topics(SHAPE)}
    assert (partitions[SUBMISSIONS], partitions[SEQUENCES], partitions[COMMANDS]) == (8, 9, 1)
    assert [spec.name for spec in service_topics(SHAPE) if spec.may_grow] == [SEQUENCES]
    assert partitions[JOURNAL] == 3
    assert inbox_topic("mfa", SHAPE).partitions == 1
    assert inbox_topic("mfa", SHAPE).name == inbox("mfa") == "exchange.inbox.mfa"


def test_every_lane_has_its_source() -> None:
    """A body's lane reads its partition of submissions; behind them all stands the lane of commands."""
    assert [lane_source(lane, 2) for lane in range(3)] == [(SUBMISSIONS, 0), (SUBMISSIONS, 1), (COMMANDS, 0)]


def test_nothing_is_left_to_the_brokers_defaults() -> None:
    """Every topic says how long it keeps what, how large, whose time, and how safely."""
    for spec in (*service_topics(SHAPE), inbox_topic("mfa", SHAPE)):
        assert spec.name.startswith(PREFIX)
        assert spec.replication == 3
        settings = spec.configuration
        assert settings["min.insync.replicas"] == "2"
        assert settings["message.timestamp.type"] == "LogAppendTime"
        assert settings["compression.type"] == "producer"
        assert settings["cleanup.policy"] in {"compact", "delete"}
        assert ("retention.ms" in settings) is (settings["cleanup.policy"] == "delete")


def test_the_journal_is_kept_for_ever() -> None:
    """Kafka's default would delete the source of truth after a week."""
    (journal,) = (spec for spec in service_topics(SHAPE) if spec.name == JOURNAL)
    assert journal.configuration["retention.ms"] == "-1"
    assert journal.configuration["retention.bytes"] == "-1"


def test_what_was_accepted_fits_where_it_is_routed() -> None:
    """A record of the largest size, with its decision, fits into inbox and journal."""
    assert RECORD_BYTES < SUBMISSION_BATCH_BYTES < ROUTED_BATCH_BYTES
