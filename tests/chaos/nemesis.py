"""Breaks things by a plan that its seed decides: one fault at a time and several at once.

The same seed gives the same plan: which fault, on what, after how many seconds and for how long. What happens
in between is as repeatable as processes are.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from random import Random

from tests.chaos.client import Correspondent
from tests.chaos.history import FaultBegan, FaultEnded, Recorder
from tests.chaos.site import Site

RECOVERY_SECONDS = 2.0
"""Nothing else is done to what was just broken for so long."""
CLUSTER = "the cluster"
"""Claimed by what makes the cluster elect: where one election follows another there is nothing to be seen."""
CLUSTER_SECONDS = 8.0
"""After these the cluster is left to itself for so long: a broker's start, and the return of its replicas."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault works on.

    Attributes:
        clients: programs of the bodies, by body.
        target: name of a process, or of a line: `agent-body-1→broker-2`.
        random: of this fault alone.
    """

    site: Site
    clients: Mapping[str, Correspondent]
    target: str
    random: Random


Break = Callable[[Scene], AbstractAsyncContextManager[None]]
"""Breaks when it is entered, heals when it is left."""
Claims = Callable[[str], tuple[str, ...]]
"""What a fault must have for itself, by its target. The keeper leaves a process alone that is claimed."""


def itself(target: str) -> tuple[str, ...]:
    """The whole target: a process that nobody else ends or starts meanwhile, or a line."""
    return (target,)


def its(part: str) -> Claims:
    """A part of the target, which may end and be started again meanwhile."""
    return lambda target: (f"{part} of {target}",)


def with_its(part: str) -> Claims:
    """The whole target, and a part that may also be claimed alone."""
    return lambda target: (*itself(target), *its(part)(target))


def always(*names: str) -> Claims:
    """The same whatever the target."""
    return lambda _: names


def and_cluster(claims: Claims = itself) -> Claims:
    """Those, and that no other broker is ended or frozen meanwhile."""
    return lambda target: (*claims(target), CLUSTER)


class FaultMissed(Exception):
    """What the fault needed was not so when it came: nothing was broken."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: what happens, as people read it.
        family: of which one comes before any comes again, and what the summary counts together.
        targets: what it can hit.
        seconds: how long it lasts at least and at most.
        claims: what it must have for itself.
    """

    name: str
    family: str
    targets: tuple[str, ...]
    seconds: tuple[float, float]
    work: Break = field(repr=False)
    claims: Claims = itself


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault to come: `at` seconds after the beginning, for `seconds`."""

    number: int
    at: float
    seconds: float
    fault: Fault
    target: str
    seed: int


def plan(faults: Sequence[Fault], count: int, seconds: float, seed: int) -> list[Planned]:
    """Which faults come when: so many within so many seconds, more or less.

    Each family comes before any comes again, as far as what it hits is free.
    """
    random = Random(seed)
    families = sorted({fault.family for fault in faults})
    deck: list[str] = []
    free: dict[str, float] = {}
    planned: list[Planned] = []
    at = 0.0
    while len(planned) < count:
        if not deck:
            deck = random.sample(families, len(families))
        at += random.uniform(0.2, 1.8) * seconds / count
        hits = [(fault, target) for fault in faults if fault.family in deck for target in fault.targets]
        hits = [(fault, target) for fault, target in hits if _is_free(fault.claims(target), free, at)]
        if not hits:
            continue
        family = min((fault.family for fault, _ in hits), key=deck.index)
        kind = random.choice(sorted({fault.name for fault, _ in hits if fault.family == family}))
        fault, target = random.choice([hit for hit in hits if hit[0].name == kind])
        deck.remove(family)
        lasts = random.uniform(*fault.seconds)
        free |= {name: at + lasts + recovery(name) for name in fault.claims(target)}
        planned.append(Planned(len(planned) + 1, at, lasts, fault, target, random.getrandbits(32)))
    return planned


def recovery(claim: str) -> float:
    """How long something that was claimed is left alone afterwards, seconds."""
    return CLUSTER_SECONDS if claim == CLUSTER else RECOVERY_SECONDS


def _is_free(claims: Sequence[str], free: Mapping[str, float], at: float) -> bool:
    return all(free.get(name, 0.0) <= at for name in claims)


class Nemesis:
    """Carries a plan out, prints it as it happens, and writes it down."""

    def __init__(self, site: Site, clients: Mapping[str, Correspondent], history: Recorder, seed: int) -> None:
        """Nothing is broken yet."""
        self.missed = 0
        self._site = site
        self._clients = clients
        self._history = history
        self._seed = seed

    async def run(self, planned: Sequence[Planned]) -> None:
        """Break and heal; everything is healed when this returns."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for one in planned:
                await asyncio.sleep(max(0.0, began + one.at - time.monotonic()))
                group.create_task(self._carry_out(one, began), name=one.fault.name)

    async def _carry_out(self, one: Planned, began: float) -> None:
        scene = Scene(self._site, self._clients, one.target, Random(one.seed))
        async with self._site.keeper.alone(*one.fault.claims(one.target)):
            self._tell(one, began, f"for {one.seconds:.1f} s")
            self._history.write(FaultBegan(time.time(), one.number, one.fault.name, one.target, self._seed))
            try:
                async with one.fault.work(scene):
                    await asyncio.sleep(one.seconds)
            except FaultMissed as missed:
                self.missed += 1
                self._tell(one, began, f"missed: {missed}")
            self._history.write(FaultEnded(time.time(), one.number))
            self._tell(one, began, "healed")

    def _tell(self, one: Planned, began: float, what: str) -> None:
        now = time.monotonic() - began
        print(f"{now:7.1f}s  {one.number:4}  {one.fault.name}: {one.target}, {what}", flush=True)
