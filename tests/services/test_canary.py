"""The canary's letter goes all the way, and every way to fail is counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from exchange.agent.agent import Agent
from exchange.agent.mailbox import Mailbox
from exchange.agent.ports import DraftLetter
from exchange.domain.errors import SpoolError
from exchange.services import canary, echo
from exchange.services.canary import STAGES, Canary, CanaryMetrics, Pace
from exchange.services.echo import Echo
from tests.agent.conftest import authority_folder, place
from tests.agent.place import Place, until

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

QUICK = Pace(every=0.01, within=5.0)
HASTY = Pace(every=0.01, within=0.05)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(canary, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(echo, "POLL_SECONDS", 0.01)


@pytest.fixture
def registry() -> CollectorRegistry:
    """Where the canary counts."""
    return CollectorRegistry()


def count(registry: CollectorRegistry, outcome: str) -> float:
    """Letters that came to an outcome."""
    return registry.get_sample_value("exchange_canary_letters_total", {"outcome": outcome}) or 0.0


@asynccontextmanager
async def writing(
    mailbox: Mailbox, place: Place, registry: CollectorRegistry, pace: Pace, to: str = "beta"
) -> AsyncIterator[asyncio.Task[None]]:
    """The canary runs on alpha's mailbox."""
    numbers = iter(range(1_000_000))
    metrics = CanaryMetrics(registry)
    bird = Canary(mailbox, ("alpha", to), pace, metrics, place.agents_clock, lambda: f"canary-{next(numbers)}")
    task = asyncio.create_task(bird.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def echoing(agent: Agent, place: Place) -> AsyncIterator[None]:
    """Beta answers."""
    task = asyncio.create_task(Echo(agent.mailbox("beta"), "beta", place.agents_clock).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def passed(registry: CollectorRegistry, outcome: str, least: int) -> Callable[[], bool]:
    """Whether so many letters came to an outcome."""
    return lambda: count(registry, outcome) >= least


async def test_letter_after_letter_is_answered(place: Place, registry: CollectorRegistry) -> None:
    """Each stage is timed once a letter, the moment is kept, and no reply is left lying in the spool."""
    async with place.agent("alpha") as alpha, place.agent("beta") as beta, echoing(beta, place):
        async with writing(alpha.mailbox("alpha"), place, registry, QUICK):
            await until(passed(registry, "success", 2))
            assert registry.get_sample_value("exchange_canary_success") == 1
        answered = count(registry, "success")
    for stage in STAGES:
        timed = registry.get_sample_value("exchange_canary_duration_seconds_count", {"stage": stage})
        assert timed is not None
        assert answered <= timed <= answered + 1
    last = registry.get_sample_value("exchange_canary_last_success_timestamp_seconds")
    assert last == pytest.approx(place.clock().timestamp(), abs=10)


async def test_silence_is_late(place: Place, registry: CollectorRegistry) -> None:
    """The exchange takes the letter and nobody answers: that is counted, and the next one is written."""
    async with place.agent("alpha") as alpha, writing(alpha.mailbox("alpha"), place, registry, HASTY):
        await until(passed(registry, "late", 2))
    assert registry.get_sample_value("exchange_canary_success") == 0
    assert registry.get_sample_value("exchange_canary_last_success_timestamp_seconds") is None


async def test_a_refusal_is_told_at_once(place: Place, registry: CollectorRegistry) -> None:
    """An echo that the directory does not know: nobody waits for it."""
    async with place.agent("alpha") as alpha, writing(alpha.mailbox("alpha"), place, registry, QUICK, to="nobody"):
        await until(passed(registry, "refused", 1))


class FullMailbox(Mailbox):
    """A mailbox whose spool takes nothing."""

    retriable = True

    async def submit(self, *drafts: DraftLetter) -> None:
        """See `Mailbox`."""
        raise SpoolError(f"{len(drafts)} later", code="spool-full", retriable=self.retriable)


async def test_a_spool_that_is_full_is_counted(place: Place, registry: CollectorRegistry) -> None:
    """It goes on as soon as there is room; a spool that never will be good ends it."""
    async with place.agent("alpha") as alpha:
        box = alpha.mailbox("alpha")
        full = FullMailbox(box._spool, "alpha", box._drafting, box._changed)
        async with writing(full, place, registry, QUICK) as task:
            await until(passed(registry, "unsent", 2))
            full.retriable = False
            await until(task.done)
            assert isinstance(task.exception(), SpoolError)
