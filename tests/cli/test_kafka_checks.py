"""What `doctor` says of a real cluster."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.bus.administration import Copies
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import CHECKPOINTS, JOURNAL, SUBMISSIONS, inbox, inbox_topic
from exchange.cli.findings import Severity
from exchange.cli.kafka_checks import check_brokers, check_copies, copies_finding, log_findings
from exchange.settings import OperatorSettings
from exchange.settings.tables import DirectorySettings
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, SHAPE, KafkaCluster


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        (Copies(JOURNAL, 0, has_leader=True, in_sync=3, assigned=3), None),
        (Copies(JOURNAL, 0, has_leader=True, in_sync=2, assigned=3), (Severity.WARNING, "copies-not-in-sync")),
        (Copies(JOURNAL, 0, has_leader=True, in_sync=1, assigned=3), (Severity.ERROR, "copies-not-in-sync")),
        (Copies(JOURNAL, 0, has_leader=False, in_sync=3, assigned=3), (Severity.ERROR, "partition-without-leader")),
        (Copies(JOURNAL, 0, has_leader=True, in_sync=1, assigned=1), (Severity.ERROR, "copies-too-few")),
    ],
)
def test_how_a_partition_is_kept(kept: Copies, found: tuple[Severity, str] | None) -> None:
    """A warning while writing still works, an error when it does not or when one disk holds everything."""
    finding = copies_finding(kept, replication=3, min_insync=2)
    assert (None if finding is None else (finding.severity, finding.code)) == found


def operator(kafka: KafkaCluster, replication: int, min_insync: int) -> OperatorSettings:
    """An operator who wants so many copies."""
    nowhere = DirectorySettings(Path(), Path(), follow=False)
    return OperatorSettings(kafka.settings(ADMINISTRATOR), nowhere, "", replication, min_insync, Path(), "")


@pytest.mark.server
async def test_one_broker_for_trying_out(kafka: KafkaCluster) -> None:
    """It has what its operator wants, and one finding a topic for who wants three copies."""
    assert await check_copies(operator(kafka, 1, 1)) == []
    assert await check_brokers(operator(kafka, 1, 1)) == []
    findings = await check_copies(operator(kafka, 3, 2))
    assert {finding.code for finding in findings} == {"copies-too-few"}
    topics = [finding.subject.partition("/")[0] for finding in findings]
    assert len(topics) == len(set(topics))
    assert {JOURNAL, SUBMISSIONS} <= set(topics)
    settings = {finding.problem.partition(" ")[0] for finding in await check_brokers(operator(kafka, 3, 2))}
    assert settings == {"transaction.state.log.replication.factor", "transaction.state.log.min.isr"}


@pytest.mark.server
async def test_every_partition_is_looked_at(kafka: KafkaCluster) -> None:
    """Each lane counts by itself."""
    async with kafka.administration() as administration:
        kept = await administration.copies()
    lanes = [each for each in kept if each.topic == SUBMISSIONS]
    assert lanes == [Copies(SUBMISSIONS, lane, has_leader=True, in_sync=1, assigned=1) for lane in range(SHAPE.lanes)]


def test_a_log_is_silent_after_a_quarter_of_an_hour() -> None:
    """And before its first checkpoint."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert log_findings(now - timedelta(minutes=14), now) == []
    for newest in (None, now - timedelta(minutes=15)):
        (finding,) = log_findings(newest, now)
        assert (finding.code, finding.severity) == ("log-silent", Severity.WARNING)


@pytest.mark.server
async def test_the_newest_record_of_a_topic_is_known(kafka: KafkaCluster) -> None:
    """By the broker's time; none where there is nothing."""
    async with kafka.administration() as administration:
        await administration.ensure_topics([inbox_topic("nobody-writes", SHAPE)])
        assert await administration.newest(inbox("nobody-writes"), 0) is None
        async with SubmissionProducer(kafka.settings(ADMINISTRATOR)) as producer:
            await producer.send([Outgoing(b"1", b"1")], topic=CHECKPOINTS, partition=0)
        newest = await administration.newest(CHECKPOINTS, 0)
    assert newest is not None
    assert abs(datetime.now(UTC) - newest) < timedelta(seconds=PATIENCE)
