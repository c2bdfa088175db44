"""pytest plugin: one real, secured Kafka broker for all tests that are marked `server`.

It starts with the first test that asks for it, with the exchange's topics, rights and quotas, three
made-up bodies and every service. Tests that stop or kill it leave it running again.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from exchange.bus.access import body_grants, service_grants
from exchange.bus.administration import Administration
from exchange.bus.connection import KafkaSettings
from exchange.bus.line import ORDINARY
from exchange.bus.topics import ClusterShape, inbox_topic, service_topics
from exchange.domain.ids import SERVICE_PREFIX
from exchange.embedded import (
    ClusterTls,
    EmbeddedKafka,
    JavaProgram,
    cache_folder,
    ensure_jars,
    find_java,
    with_class_cache,
)
from exchange.security.authority import Authority
from tests.patience import PATIENCE

BODIES = ("alpha", "beta", "gamma")
SHAPE = ClusterShape(lanes=4, journal_partitions=2)
ADMINISTRATOR = "svc-admin"
SHORT_LIVED = ("-XX:TieredStopAtLevel=1",)
"""Java's second compiler is for programs that run longer; without it a start costs a third less."""
PATIENT = replace(ORDINARY, answer_seconds=int(PATIENCE), delivery_seconds=2 * PATIENCE)
"""How a test's own clients wait for a broker that stands still; the product's processes ask again after 10 s."""


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """A running cluster and everybody's certificates."""

    server: EmbeddedKafka
    authority: Authority

    def settings(self, principal: str) -> KafkaSettings:
        """How a body or a service (`svc-…`; `svc-admin` may do everything) connects."""
        if principal.startswith(SERVICE_PREFIX):
            files = self.authority.service(principal)
        else:
            files = self.authority.body(principal).transport
        root = self.authority.transport_root
        return KafkaSettings(self.server.bootstrap, root, files.certificate, files.key, line=PATIENT)

    def administration(self) -> Administration:
        """An administrator's client."""
        return Administration(self.settings(ADMINISTRATOR), timeout_seconds=PATIENCE)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One broker with topics and rights for the bodies alpha, beta and gamma."""
    folder = tmp_path_factory.mktemp("kafka")
    authority = Authority(folder / "authority", now=datetime.now(UTC))
    cache = cache_folder(os.environ)
    program = JavaProgram(find_java(os.environ), ensure_jars(cache))
    tls = ClusterTls(keystore=authority.broker(), admin=authority.service(ADMINISTRATOR), ca=authority.transport_root)
    program = replace(with_class_cache(program, cache, tls), options=SHORT_LIVED)
    with EmbeddedKafka(folder / "cluster", program, tls=tls) as server:
        cluster = KafkaCluster(server, authority)
        asyncio.run(_furnish(cluster))
        yield cluster


async def _furnish(cluster: KafkaCluster) -> None:
    async with cluster.administration() as administration:
        await administration.ensure_topics([*service_topics(SHAPE), *(inbox_topic(body, SHAPE) for body in BODIES)])
        await administration.ensure_access(
            [*service_grants(), *(grant for body in BODIES for grant in body_grants(body))]
        )
