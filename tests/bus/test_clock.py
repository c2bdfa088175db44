"""The cluster's clock: what the controllers' leader says, to those who may ask."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.bus.clock import cluster_time
from exchange.domain.errors import BusError
from tests.plugin_kafka import KafkaCluster

pytestmark = pytest.mark.server


async def test_an_operator_hears_the_time(kafka: KafkaCluster) -> None:
    """On one machine there is one time, and it was told between question and answer."""
    asked = datetime.now(UTC)
    told = await cluster_time(kafka.settings("svc-admin"))
    assert asked - timedelta(seconds=2) < told < datetime.now(UTC) + timedelta(seconds=2)


async def test_a_body_has_no_right_to_ask(kafka: KafkaCluster) -> None:
    """It would learn about the cluster what is not its business."""
    with pytest.raises(BusError) as caught:
        await cluster_time(kafka.settings("alpha"))
    assert caught.value.code == "access-denied"
