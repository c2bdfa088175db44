"""Faults of what the machine gives a process: time, file handles, memory."""

import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.chaos.broker_clocks import compiler
from tests.chaos.clocked import step
from tests.chaos.nemesis import Break, Fault, Scene, its
from tests.chaos.servers import Role
from tests.chaos.site import Site

HOUR_SECONDS = 3600.0
MORE_BYTES = 4 * 1024 * 1024
"""Memory that a process may still have when it is under pressure."""


def faults_of_limits(site: Site) -> list[Fault]:
    """Every kind, with its targets."""
    programs = site.named(Role.ROUTER, Role.AGENT, Role.TRACKER)
    every = (*programs, *site.named(Role.BROKER))  # PostgreSQL runs as another user
    clocks = (*programs, *(site.named(Role.BROKER) if compiler() else ()))
    return [
        Fault("clock an hour ahead", "clock stepped", clocks, (2.0, 10.0), _off_by(HOUR_SECONDS), its("clock")),
        Fault("clock an hour behind", "clock stepped", clocks, (2.0, 10.0), _off_by(-HOUR_SECONDS), its("clock")),
        Fault("file handles exhausted", "no file handles", every, (2.0, 10.0), _no_handles, its("limits")),
        Fault("memory exhausted", "no memory", every, (1.0, 5.0), _no_memory, its("limits")),
    ]


def _off_by(seconds: float) -> Break:
    """A clock that is off, and then right again at once."""

    @asynccontextmanager
    async def work(scene: Scene) -> AsyncIterator[None]:
        file = scene.site.clock(scene.target)
        step(file, seconds)
        yield
        step(file, 0.0)

    return work


@asynccontextmanager
async def _no_handles(scene: Scene) -> AsyncIterator[None]:
    """Not one more than it has."""
    pid = scene.site.keeper.pids.get(scene.target) or None
    before = _limit(pid, resource.RLIMIT_NOFILE, _handles(pid))
    yield
    _limit(pid, resource.RLIMIT_NOFILE, before)


@asynccontextmanager
async def _no_memory(scene: Scene) -> AsyncIterator[None]:
    """Hardly more than it has."""
    pid = scene.site.keeper.pids.get(scene.target) or None
    before = _limit(pid, resource.RLIMIT_AS, _bytes(pid) + MORE_BYTES)
    yield
    _limit(pid, resource.RLIMIT_AS, before)


def _handles(pid: int | None) -> int:
    """The limit that leaves a process those handles that it has; 0 for one that has ended."""
    with suppress(OSError):
        return max(int(handle.name) for handle in Path(f"/proc/{pid}/fd").iterdir()) + 1
    return 0


def _bytes(pid: int | None) -> int:
    """What a process has of memory, as its limit counts it."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return 0


def _limit(pid: int | None, kind: int, soft: int) -> int:
    """Set a process's soft limit and return the one before; a process that has ended has none."""
    with suppress(ProcessLookupError):
        if pid is not None:
            before, hard = resource.prlimit(pid, kind)
            resource.prlimit(pid, kind, (soft, hard))
            return before
    return resource.RLIM_INFINITY
