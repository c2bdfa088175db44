"""Faults of disks: full, and read-only after a restart. They need disks of their own (`disks.py`)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.chaos.nemesis import Fault, Scene, and_cluster, its, with_its
from tests.chaos.servers import Role
from tests.chaos.site import Site, body_of

NAMES = ("disk full", "disk read-only")


def faults_of_disks(site: Site) -> list[Fault]:
    """Every kind, with its targets; none where states have no disks of their own."""
    kinds = ((NAMES[0], full, its("disk")), (NAMES[1], read_only, with_its("disk")))
    roles = {role: tuple(name for name in site.named(role) if name in site.disks) for role in Role}
    return [
        Fault(
            f"{role.value}'s {name}",
            name,
            roles[role],
            (2.0, 10.0),
            work,
            and_cluster(claims) if role is Role.BROKER else claims,
        )
        for name, work, claims in kinds
        for role in (Role.AGENT, Role.POSTGRESQL, Role.BROKER)
        if roles[role]
    ]


@asynccontextmanager
async def full(scene: Scene) -> AsyncIterator[None]:
    """No space is left, whatever still runs or is started again."""
    disk = scene.site.disks[scene.target]
    await asyncio.to_thread(disk.fill)
    yield
    await asyncio.to_thread(disk.relieve)


@asynccontextmanager
async def read_only(scene: Scene) -> AsyncIterator[None]:
    """As after a restart that found damage: whoever begins finds nothing that it may write."""
    keeper, disk = scene.site.keeper, scene.site.disks[scene.target]
    body = body_of(scene.target)
    async with AsyncExitStack() as stack:
        if body:
            await stack.enter_async_context(scene.clients[body].aside())
        await keeper.kill(scene.target, "killed -9, its disk read-only")
        await asyncio.to_thread(disk.seal)
    await keeper.start(scene.target)
    yield
    await keeper.kill(scene.target, "killed -9, its disk writable again")
    await asyncio.to_thread(disk.unseal)
    await keeper.start(scene.target)
