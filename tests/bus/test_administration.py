"""Topics and rights on a real broker."""

from dataclasses import replace

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from exchange.bus.access import Grant, Operation, Resource, body_grants, service_grants
from exchange.bus.administration import Administration, Difference
from exchange.bus.connection import confluent_options
from exchange.bus.topics import SUBMISSIONS, ClusterShape, inbox_topic, service_topics
from exchange.domain.errors import BusError
from tests.plugin_kafka import ADMINISTRATOR, BODIES, SHAPE, KafkaCluster

pytestmark = pytest.mark.server


async def test_furnished_cluster_has_no_differences(kafka: KafkaCluster) -> None:
    """What was created reads back as what was asked for, and nobody has another right."""
    specs = [*service_topics(SHAPE), *(inbox_topic(body, SHAPE) for body in BODIES)]
    grants = [*service_grants(), *(grant for body in BODIES for grant in body_grants(body))]
    async with kafka.administration() as administration:
        assert await administration.topic_differences(specs) == []
        assert await administration.access_differences(grants) == []
        assert await administration.ensure_topics(specs) == []
        await administration.ensure_access(grants)
        counts = await administration.partition_counts()
    assert counts[SUBMISSIONS] == SHAPE.lanes


async def test_altered_settings_are_set_again(kafka: KafkaCluster) -> None:
    """A setting that somebody changed is reported, then mended; partitions are only reported."""
    spec = inbox_topic("altered", ClusterShape())
    changed = replace(spec, configuration={**spec.configuration, "retention.ms": "1000"})
    async with kafka.administration() as administration:
        assert await administration.topic_differences([spec]) == [Difference(spec.name, "topic", "exists", "")]
        await administration.ensure_topics([changed])
        month = spec.configuration["retention.ms"]
        assert await administration.topic_differences([spec]) == [Difference(spec.name, "retention.ms", month, "1000")]
        assert await administration.ensure_topics([spec]) == []
        wider = replace(spec, partitions=3)
        assert await administration.ensure_topics([wider]) == [Difference(spec.name, "partitions", "3", "1")]


async def test_too_many_copies_are_refused(kafka: KafkaCluster) -> None:
    """A topic that the cluster cannot hold is an error that is not worth repeating."""
    spec = inbox_topic("copies", ClusterShape(replication=3))
    async with kafka.administration() as administration:
        with pytest.raises(BusError) as refused:
            await administration.ensure_topics([spec])
    assert refused.value.code == "bus-refused"
    assert not refused.value.retriable


async def test_stray_rights_are_reported(kafka: KafkaCluster) -> None:
    """A right on everything, given by hand, stands out."""
    stray = AclBinding(
        ResourceType.TOPIC,
        "*",
        ResourcePatternType.LITERAL,
        "User:mallory",
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    client = AdminClient(confluent_options(kafka.settings(ADMINISTRATOR)))
    client.create_acls([stray])[stray].result()
    grants = [*service_grants(), *(grant for body in BODIES for grant in body_grants(body))]
    async with kafka.administration() as administration:
        assert await administration.access_differences(grants) == [
            Difference("mallory", "right", "", "mallory may READ topic *")
        ]
        assert await administration.revoke("mallory") == 1
        assert await administration.access_differences(grants) == []


async def test_missing_rights_are_reported_and_revoked_ones_are_gone(kafka: KafkaCluster) -> None:
    """A body's rights come with its grants and go with `revoke`."""
    grants = body_grants("delta")
    async with kafka.administration() as administration:
        missing = [d for d in await administration.access_differences(grants) if d.subject == "delta"]
        assert [difference.expected for difference in missing] == [str(grant) for grant in grants]
        await administration.ensure_access(grants)
        assert await administration.revoke("delta") == len(grants)
        assert await administration.revoke("delta") == 0


async def test_broker_settings_can_be_read(kafka: KafkaCluster) -> None:
    """Doctor sees what the brokers were started with."""
    async with kafka.administration() as administration:
        settings = await administration.broker_settings()
    assert [found["auto.create.topics.enable"] for found in settings.values()] == ["false"]


async def test_a_body_cannot_administer(kafka: KafkaCluster) -> None:
    """Rights are given by the administrator alone."""
    async with Administration(kafka.settings("alpha")) as administration:
        with pytest.raises(BusError) as refused:
            await administration.ensure_access([Grant("alpha", Operation.READ, Resource.TOPIC, "exchange.journal")])
    assert refused.value.code == "access-denied"
