"""Topics and rights on a real broker."""

import asyncio
from dataclasses import replace

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from exchange.bus.access import Grant, Operation, Resource, body_grants, service_grants
from exchange.bus.administration import Administration
from exchange.bus.bindings import grant_of
from exchange.bus.connection import confluent_options
from exchange.bus.difference import Difference, topic_differences
from exchange.bus.topics import SUBMISSIONS, ClusterShape, inbox_topic, service_topics
from exchange.domain.errors import BusError
from tests.faults.waiting import until
from tests.patience import PATIENCE
from tests.plugin_kafka import ADMINISTRATOR, BODIES, SHAPE, KafkaCluster

pytestmark = pytest.mark.server


async def test_furnished_cluster_has_no_differences(kafka: KafkaCluster) -> None:
    """What was created reads back as what was asked for."""
    specs = [*service_topics(SHAPE), *(inbox_topic(body, SHAPE) for body in BODIES)]
    grants = [*service_grants(), *(grant for body in BODIES for grant in body_grants(body))]
    async with kafka.administration() as administration:
        assert topic_differences(specs, await administration.topics()) == []
        assert set(grants) <= await administration.rights()
        assert await administration.ensure_topics(specs) == []
        await administration.ensure_access(grants)
        counts = await administration.partition_counts()
    assert counts[SUBMISSIONS] == SHAPE.lanes


async def test_altered_settings_are_set_again(kafka: KafkaCluster) -> None:
    """A setting that somebody changed is reported, then mended; partitions are only reported."""
    spec = inbox_topic("altered", ClusterShape())
    changed = replace(spec, configuration={**spec.configuration, "retention.ms": "1000"})
    async with kafka.administration() as administration:
        missing = Difference(spec.name, "topic", "exists", "")
        assert topic_differences([spec], await administration.topics()) == [missing]
        await administration.ensure_topics([changed])
        month = spec.configuration["retention.ms"]
        found = await administration.topics()
        assert topic_differences([spec], found) == [Difference(spec.name, "retention.ms", month, "1000")]
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


async def until_rights(administration: Administration, expected: set[Grant], principal: str = "delta") -> None:
    """The controller has given or taken them; the broker that is asked hears of it a moment later."""
    async with asyncio.timeout(PATIENCE):
        while await rights_of(administration, principal) != expected:  # noqa: ASYNC110 - it happens at the broker
            await asyncio.sleep(0.05)


async def test_rights_read_back_as_given(kafka: KafkaCluster) -> None:
    """All kinds, from anywhere or one place; given twice is given once, and one taken away leaves the others."""
    grants = {
        *body_grants("delta"),
        Grant("delta", Operation.DESCRIBE, Resource.CLUSTER, "kafka-cluster"),
        Grant("delta", Operation.ALL, Resource.TRANSACTIONAL_ID, "delta:", prefix=True),
        Grant("delta", Operation.READ, Resource.GROUP, "*", host="10.0.0.1", denied=True),
    }
    async with kafka.administration() as administration:
        await administration.grant(grants)
        await administration.ensure_access(grants)
        assert await rights_of(administration, "delta") == grants
        await administration.revoke(body_grants("delta"))
        await until_rights(administration, grants - set(body_grants("delta")))
        await administration.revoke(grants)
        await until_rights(administration, set())


async def rights_of(administration: Administration, principal: str) -> set[Grant]:
    """What one principal may do."""
    return {right for right in await administration.rights() if right.principal == principal}


async def test_rights_that_we_have_no_name_for_can_be_read(kafka: KafkaCluster) -> None:
    """Somebody else gave them; they are seen, not stumbled over."""
    parts = (ResourceType.TOPIC, "*", ResourcePatternType.LITERAL, "Group:clerks", "*")
    binding = AclBinding(*parts, AclOperation.READ, AclPermissionType.ALLOW)
    which = AclBindingFilter(*parts, AclOperation.READ, AclPermissionType.ALLOW)
    client = AdminClient(confluent_options(kafka.settings(ADMINISTRATOR)))
    client.create_acls([binding])[binding].result()
    async with kafka.administration() as administration:
        await until_rights(administration, {grant_of(binding)}, "Group:clerks")
    for answer in client.delete_acls([which]).values():
        answer.result()


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


async def test_partitions_are_added(kafka: KafkaCluster) -> None:
    """Up to as many as there must be; never fewer."""
    name = "exchange.growing"
    spec = replace(inbox_topic("growing", ClusterShape()), name=name)
    async with kafka.administration() as administration:
        await administration.ensure_topics([spec])
        await administration.add_partitions({name: 3})

        async def added() -> bool:
            return (await administration.partition_counts())[name] == 3

        await until(added, "the broker has heard of them")
        with pytest.raises(BusError) as refused:
            await administration.add_partitions({name: 2})
    assert (refused.value.code, refused.value.retriable) == ("bus-refused", False)
