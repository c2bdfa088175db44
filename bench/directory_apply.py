"""A country's directory made so at the brokers: topics, rights and quotas of 941 bodies, from nothing and again.

Beside it the raw limit: the same topics, rights and quotas, asked of another fresh broker without a look at what is
there, until it has them. A broker says yes long before: it makes the partitions' files afterwards.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Figure, report
from exchange import system
from exchange.bus.administration import Administration, settled
from exchange.bus.connection import KafkaSettings
from exchange.bus.quotas import set_quotas
from exchange.bus.topics import ClusterShape
from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.ids import ZERO_DIGEST
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
    bodies = {code: _body(code) for code in (f"body-{number:04}" for number in range(BODIES))}
    rules = _rules(bodies)
    with _broker() as kafka:
        raw = await _raw(kafka, rules)
    with _broker() as kafka:
        cluster = Cluster(kafka)
        first, changed = await _apply(cluster, rules)
        again, nothing = await _apply(cluster, rules)
        suspended = _body("body-0007", BodyStatus.SUSPENDED)
        one, few = await _apply(cluster, _rules({**bodies, suspended.code: suspended}))
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


@contextmanager
def _broker() -> Iterator[KafkaSettings]:
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        authority = Authority(folder / "authority", now=system.now())
        admin, cache = authority.service(ADMIN), cache_folder(os.environ)
        tls = ClusterTls(authority.broker(), admin, authority.transport_root)
        program = JavaProgram(find_java(os.environ), ensure_jars(cache), heap_mb=HEAP_MB)
        with EmbeddedKafka(folder / "kafka", with_class_cache(program, cache, tls), tls=tls) as kafka:
            yield KafkaSettings(kafka.bootstrap, authority.transport_root, admin.certificate, admin.key)


def _rules(bodies: dict[str, Body]) -> Wanted:
    now, exchange = system.now(), bytes(32)
    version = Directory(
        exchange, 1, ZERO_DIGEST, ZERO_DIGEST, now, SHAPE.lanes, SHAPE.journal_partitions, (b"issuer",), bodies
    )
    return wanted(version, SHAPE, read_allowances(resource("config", "quotas.toml")))


def _body(code: str, status: BodyStatus = BodyStatus.CONNECTED) -> Body:
    return Body(code, Names(code, code, code), "ayil-okmotu", status)
