"""Faults of connections, made by the proxy: between two participants, or around one of them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from tests.chaos.nemesis import Break, Fault, Scene, and_cluster, its
from tests.chaos.proxy import Line, Weather
from tests.chaos.servers import Role
from tests.chaos.site import POSTGRESQL, TRACKER, Site

_ARROW = "→"


def faults_of_lines(site: Site) -> list[Fault]:
    """Every kind, with its targets."""
    programs, brokers = site.named(Role.ROUTER, Role.AGENT, Role.TRACKER), site.named(Role.BROKER)
    lines = tuple(map(_ARROW.join, [*_lines((*programs, *brokers), brokers), (TRACKER, POSTGRESQL)]))
    return [
        Fault("line cut", "line cut", lines, (1.0, 12.0), _under(Weather.CUT)),
        Fault("line refused", "line refused", lines, (1.0, 8.0), _under(Weather.REFUSED)),
        Fault("line slow", "line slow", lines, (2.0, 12.0), _under(Weather.SLOW)),
        Fault("line half-open, nothing arrives", "line half-open", lines, (2.0, 12.0), _under(Weather.DEAF)),
        Fault("line half-open, no answer comes", "line half-open", lines, (2.0, 12.0), _under(Weather.MUTE)),
        Fault("line lossy", "line lossy", lines, (2.0, 12.0), _under(Weather.LOSSY)),
        Fault(
            "cut off from the other brokers", "cut off", brokers, (2.0, 10.0), _parted, and_cluster(its("surroundings"))
        ),
        Fault("cut off from all brokers", "cut off", programs, (2.0, 15.0), _cut_off, its("surroundings")),
    ]


def _under(weather: Weather) -> Break:
    """A line in that weather."""

    @asynccontextmanager
    async def work(scene: Scene) -> AsyncIterator[None]:
        dialler, _, dialled = scene.target.partition(_ARROW)
        async with _turned(scene.site, [(dialler, dialled)], weather):
            yield

    return work


@asynccontextmanager
async def _parted(scene: Scene) -> AsyncIterator[None]:
    """A broker that its clients reach and the other brokers do not: both ways."""
    brokers = scene.site.named(Role.BROKER)
    lines = [*_lines((scene.target,), brokers), *_lines(brokers, (scene.target,))]
    async with _turned(scene.site, lines, Weather.CUT):
        yield


@asynccontextmanager
async def _cut_off(scene: Scene) -> AsyncIterator[None]:
    """A program that reaches no broker."""
    async with _turned(scene.site, [*_lines((scene.target,), scene.site.named(Role.BROKER))], Weather.CUT):
        yield


@asynccontextmanager
async def _turned(site: Site, lines: Sequence[Line], weather: Weather) -> AsyncIterator[None]:
    for line in lines:
        site.proxy.turn(line, weather)
    yield
    for line in lines:
        site.proxy.turn(line, Weather.FAIR)


def _lines(dialling: Sequence[str], dialled: Sequence[str]) -> Iterator[Line]:
    return ((one, other) for one in dialling for other in dialled if one != other)
