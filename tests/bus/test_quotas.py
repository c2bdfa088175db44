"""Quotas on a real broker."""

import pytest

from exchange.bus.quotas import EVERY_OTHER_USER, Quota, read_quotas, set_quotas
from exchange.domain.errors import BusError
from tests.faults.waiting import until
from tests.plugin_kafka import ADMINISTRATOR, KafkaCluster

pytestmark = pytest.mark.server


async def test_quotas_read_back_as_set(kafka: KafkaCluster) -> None:
    """A default for bodies, a large one for a service; the next setting replaces the last."""
    settings = kafka.settings(ADMINISTRATOR)
    wanted = {EVERY_OTHER_USER: Quota(1e9, 2e9, 1000), "svc-router": Quota(3e9, 4e9, 5000)}
    await set_quotas(settings, wanted)
    await set_quotas(settings, wanted)

    async def are_set() -> bool:
        return wanted.items() <= (await read_quotas(settings)).items()

    await until(are_set, "the broker has heard of them")


async def test_a_body_cannot_set_its_own_quota(kafka: KafkaCluster) -> None:
    """Quotas are the administrator's."""
    with pytest.raises(BusError) as refused:
        await set_quotas(kafka.settings("alpha"), {"alpha": Quota(1e12, 1e12, 1e6)})
    assert refused.value.code == "access-denied"
    with pytest.raises(BusError):
        await read_quotas(kafka.settings("alpha"))
