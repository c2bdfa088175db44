"""Faults of processes: killed, restarted, frozen."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from exchange.embedded.errors import KafkaFailedError
from tests.chaos.nemesis import Fault, Scene, always, and_cluster
from tests.chaos.servers import Role, send
from tests.chaos.site import Site

ZOMBIE_SECONDS = 13.0
"""Longer than a transaction (10 s) and a group session (6 s) may last: whoever wakes up is a zombie."""
BACK_SECONDS = 60.0
"""A broker of a rolling restart is waited for at most so long before the next one goes."""


def faults_of_processes(site: Site) -> list[Fault]:
    """Every kind, with its targets."""
    programs = site.named(Role.ROUTER, Role.AGENT, Role.TRACKER)
    every, alone = and_cluster(always(*site.named(Role.BROKER))), and_cluster()
    brokers, postgresql = site.named(Role.BROKER), site.named(Role.POSTGRESQL)
    return [
        Fault("router killed -9", "router killed", site.named(Role.ROUTER), (0.0, 4.0), killed),
        Fault("agent killed -9", "agent killed", site.named(Role.AGENT), (0.0, 4.0), killed),
        Fault("tracker killed -9", "tracker killed", site.named(Role.TRACKER), (0.0, 4.0), killed),
        Fault("broker killed -9", "broker killed", brokers, (0.0, 6.0), killed, alone),
        Fault("PostgreSQL killed -9", "PostgreSQL killed", postgresql, (0.0, 6.0), killed),
        Fault("PostgreSQL stopped", "PostgreSQL stopped", postgresql, (0.0, 6.0), stopped),
        Fault("program frozen beyond every time-out", "zombie", programs, (ZOMBIE_SECONDS, 15.0), frozen),
        Fault("program frozen for moments", "frozen", programs, (0.5, 4.0), frozen),
        Fault("broker frozen for moments", "frozen", brokers, (0.5, 4.0), frozen),
        Fault("broker frozen until it is given up", "broker frozen", brokers, (5.0, 10.0), frozen, alone),
        Fault("broker restarted", "restarted", brokers, (0.0, 1.0), stopped, alone),
        Fault("program restarted", "restarted", programs, (0.0, 1.0), stopped),
        Fault("brokers restarted one after the other", "rolling restart", ("brokers",), (0.0, 0.0), rolled, every),
        Fault("two of three brokers lost", "majority lost", ("brokers",), (1.0, 5.0), two_killed, every),
        Fault("active controller killed -9", "controller failover", ("brokers",), (0.0, 3.0), headless, every),
    ]


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    """Gone at once, and back after a while."""
    keeper = scene.site.keeper
    await keeper.kill(scene.target, "killed -9")
    yield
    await keeper.start(scene.target)


@asynccontextmanager
async def stopped(scene: Scene) -> AsyncIterator[None]:
    """Ended in order, and back after a while."""
    keeper = scene.site.keeper
    await keeper.stop(scene.target, "stopped")
    yield
    await keeper.start(scene.target)


@asynccontextmanager
async def frozen(scene: Scene) -> AsyncIterator[None]:
    """Stands still with all its connections open, then goes on as if nothing had been."""
    server = scene.site.keeper.servers[scene.target]
    await asyncio.to_thread(send, server, signal.SIGSTOP)
    yield
    await asyncio.to_thread(send, server, signal.SIGCONT)


@asynccontextmanager
async def two_killed(scene: Scene) -> AsyncIterator[None]:
    """No majority: nothing can be written, and nobody can be elected."""
    keeper = scene.site.keeper
    lost = scene.random.sample(scene.site.named(Role.BROKER), 2)
    for name in lost:
        await keeper.kill(name, "killed -9, two of three")
    yield
    for name in lost:
        await keeper.start(name)


@asynccontextmanager
async def headless(scene: Scene) -> AsyncIterator[None]:
    """The cluster must elect another controller."""
    keeper = scene.site.keeper
    name = f"broker-{await asyncio.to_thread(active_controller, scene.site)}"
    await keeper.kill(name, "killed -9 as active controller")
    yield
    await keeper.start(name)


@asynccontextmanager
async def rolled(scene: Scene) -> AsyncIterator[None]:
    """As an upgrade is done: one broker after the other, each waited for."""
    keeper = scene.site.keeper
    for name in scene.site.named(Role.BROKER):
        await keeper.stop(name, "rolling restart")
        await keeper.start(name)
        await asyncio.to_thread(_wait_ready, scene.site)
    yield


def active_controller(site: Site) -> int:
    """The node that the others took for their leader last, by what each node keeps of the quorum."""
    known = []
    for broker in site.kafka.brokers:
        kept = broker.node.data / "__cluster_metadata-0" / "quorum-state"
        with suppress(OSError, ValueError):  # it is being written
            state = json.loads(kept.read_text(encoding="utf-8"))
            known.append((int(state["leaderEpoch"]), int(state["leaderId"])))
    return max(((epoch, leader) for epoch, leader in known if leader > 0), default=(0, 1))[1]


def _wait_ready(site: Site) -> None:
    """A rolling restart goes on when a broker does not come back, as a hurried operator does."""
    try:
        site.kafka.wait_ready(seconds=BACK_SECONDS)
    except KafkaFailedError:
        return
