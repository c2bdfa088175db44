"""A country's directory made so at the brokers: topics, rights and quotas of 941 bodies, from nothing and again.

Beside it the raw limit: the same topics, rights and quotas, asked of another fresh broker without a look at what is
there, until it has them. A broker says yes long before: it makes the partitions' files afterwards.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.report import Figure, report
from exchange import system
from exchange.bus.administration import Administration, settled
from exchange.bus.connection import KafkaSettings
from exchange.bus.quotas import set_quotas
from exchange.bus.topics import ClusterShape
from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.ids import SERVICE_PREFIX, ZERO_DIGEST
from exchange.embedded import (
    ClusterTls,
    EmbeddedKafka,
    JavaProgram,
    cache_folder,
    ensure_jars,
    find_java,
    with_class_cache,
)
from exchange.embedded.bring_up import HEAP_MB
from exchange.embedded.installation import ADMIN
from exchange.resources import resource
from exchange.security.authority import Authority
from exchange.services.reconcile.cluster import Cluster
from exchange.services.reconcile.wanted import Wanted, wanted
from exchange.settings.quotas import read_allowances

BODIES = 941
SHAPE = ClusterShape(lanes=8, journal_partitions=16)
GOAL_SECONDS = 60.0
GOAL_AGAIN_SECONDS = 3.0


async def run() -> None:
    """The raw limit, then from nothing, again, and after one body was suspended."""
    bodies = {code: body(code) for code in (f"body-{number:04}" for number in range(BODIES))}
    rules = rules_of(bodies)
    with broker() as place:
        raw = await _raw(place.settings(ADMIN), rules)
    with broker() as place:
        cluster = Cluster(place.settings(ADMIN))
        first, changed = await _apply(cluster, rules)
        again, nothing = await _apply(cluster, rules)
        suspended = body("body-0007", BodyStatus.SUSPENDED)
        one, few = await _apply(cluster, rules_of({**bodies, suspended.code: suspended}))
    if nothing:
        message = f"the second run changed {nothing} things"
        raise ValueError(message)
    limit = "the same, asked of a fresh broker without comparing"
    report(Figure("directory_apply.raw", raw, "s"))
    report(Figure("directory_apply.first", first, "s", first / raw, limit))
    report(Figure("directory_apply.first.goal", first, "s", first / GOAL_SECONDS, f"goal of {GOAL_SECONDS:.0f} s"))
    report(Figure("directory_apply.changes", changed, "changes"))
    goal = f"goal of {GOAL_AGAIN_SECONDS:.0f} s"
    report(Figure("directory_apply.again", again, "s", again / GOAL_AGAIN_SECONDS, goal))
    report(Figure("directory_apply.suspend", one, "s", one / again, f"looking only; {few} changes"))


async def _apply(cluster: Cluster, rules: Wanted) -> tuple[float, int]:
    begin = time.perf_counter()
    done = await cluster.apply(rules)
    return time.perf_counter() - begin, len(done.changes)


async def _raw(kafka: KafkaSettings, rules: Wanted) -> float:
    begin = time.perf_counter()
    async with Administration(kafka) as administration:
        await administration.create_topics(rules.topics)
        await administration.grant(rules.rights)
        await set_quotas(kafka, rules.quotas)
        await settled(administration.partition_counts, lambda found: len(found) == len(rules.topics))
        await settled(administration.rights, lambda found: len(found) == len(rules.rights))
    return time.perf_counter() - begin


@dataclass(frozen=True, slots=True)
class Place:
    """A fresh broker and everybody's certificates; `pid` is the broker's process."""

    bootstrap: str
    pid: int
    authority: Authority

    def settings(self, principal: str) -> KafkaSettings:
        """How a body or a service connects."""
        authority = self.authority
        service = principal.startswith(SERVICE_PREFIX)
        files = authority.service(principal) if service else authority.body(principal).transport
        return KafkaSettings(self.bootstrap, authority.transport_root, files.certificate, files.key)


@contextmanager
def broker() -> Iterator[Place]:
    """A broker without any topic, in a folder that is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        authority = Authority(folder / "authority", now=system.now())
        tls = ClusterTls(authority.broker(), authority.service(ADMIN), authority.transport_root)
        cache = cache_folder(os.environ)
        program = JavaProgram(find_java(os.environ), ensure_jars(cache), heap_mb=HEAP_MB)
        with EmbeddedKafka(folder / "kafka", with_class_cache(program, cache, tls), tls=tls) as kafka:
            yield Place(kafka.bootstrap, kafka.brokers[0].pid or 0, authority)


def rules_of(bodies: Mapping[str, Body]) -> Wanted:
    """What a directory of these bodies asks for."""
    now, exchange = system.now(), bytes(32)
    version = Directory(
        exchange, 1, ZERO_DIGEST, ZERO_DIGEST, now, SHAPE.lanes, SHAPE.journal_partitions, (b"issuer",), bodies
    )
    return wanted(version, SHAPE, read_allowances(resource("config", "quotas.toml")))


def body(code: str, status: BodyStatus = BodyStatus.CONNECTED) -> Body:
    """A body with what matters to brokers."""
    return Body(code, Names(code, code, code), "ayil-okmotu", status)
