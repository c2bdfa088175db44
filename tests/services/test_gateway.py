"""A gateway's agent carries whom the directory gives to it, from when their keys are there until they leave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from exchange.agent.agent import Agent, Member
from exchange.bus.topics import inbox
from exchange.domain.errors import ConfigurationError
from exchange.services.gateway import Membership
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter
from tests.agent.place import Place, until, until_settled
from tests.patience import PATIENCE

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""


class Gateway:
    """What the directory gives to a gateway, as a test says it."""

    def __init__(self, place: Place, agent: Agent) -> None:
        """Nobody yet."""
        self._place = place
        self.agent = agent
        self.given: dict[str, Callable[[], Member]] = {}
        self.registry = CollectorRegistry()
        self.membership = Membership(agent, lambda: self.given, self.registry)

    def give(self, body: str, edms: MemoryEdms | None = None) -> None:
        """The directory gives a body, whose keys are there."""
        self.given[body] = partial(self._member, body, edms)

    async def look(self, *carried: str) -> None:
        """Look once; then these are carried."""
        await self.membership.look()
        assert self.agent.bodies == set(carried)

    def bodies(self, state: str) -> float | None:
        """What the metric says."""
        return self.registry.get_sample_value("exchange_gateway_bodies", {"state": state})

    def _member(self, body: str, edms: MemoryEdms | None) -> Member:
        (member,) = self._place.members(body, edms={} if edms is None else {body: edms})
        return member


async def waits_for(agent: Agent, body: str) -> tuple[str, ...]:
    """What a body waits for."""
    return next(status.waits_for for status in await agent.status() if status.body == body)


@pytest.fixture
async def gateway(place: Place) -> AsyncIterator[Gateway]:
    """Its agent runs, and carries nobody."""
    async with place.agent(spool="gateway") as agent:
        await asyncio.sleep(0)
        yield Gateway(place, agent)


async def test_bodies_come_and_go(place: Place, gateway: Gateway) -> None:
    """Each has its own inbox and documents; the others work on when one leaves, and when it returns all is there."""
    ours, theirs = MemoryEdms(), MemoryEdms()
    gateway.give("alpha", ours)
    await gateway.look("alpha")
    gateway.give("beta", theirs)
    await gateway.look("alpha", "beta")
    ours.put(letter_package("one", message_id="m-1", to="beta"))
    await until(lambda: given(theirs) == ["m-1"])
    await until_settled(gateway.agent)
    del gateway.given["beta"]
    await gateway.look("alpha")
    ours.put(letter_package("two", message_id="m-2", to="beta gamma"))
    await until(lambda: place.simulator.message_ids("gamma") == ["m-2"])
    assert given(theirs) == ["m-1"]
    gateway.give("beta", theirs)
    await gateway.look("alpha", "beta")
    await until(lambda: given(theirs) == ["m-1", "m-2"])
    assert given(ours) == []


async def test_a_body_that_leaves_and_returns_at_once(place: Place, gateway: Gateway) -> None:
    """It speaks again, though nobody may have looked at its inbox in between."""
    gateway.give("alpha")
    await gateway.look("alpha")
    await until_settled(gateway.agent)
    for _ in range(3):
        await gateway.agent.remove("alpha")
        await gateway.agent.add(gateway.given["alpha"]())
    await gateway.agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
    await until(lambda: place.simulator.message_ids("beta") == ["m-1"])


async def test_a_body_without_keys_waits(gateway: Gateway) -> None:
    """It keeps nobody else waiting, and is carried once they are there."""

    def missing() -> Member:
        message = "the certificate is not there"
        raise ConfigurationError(message, code="certificate-file-missing")

    gateway.given["alpha"] = missing
    gateway.give("beta")
    await gateway.look("beta")
    assert (gateway.bodies("carried"), gateway.bodies("waiting")) == (1, 1)
    gateway.give("alpha")
    await gateway.look("alpha", "beta")
    assert (gateway.bodies("carried"), gateway.bodies("waiting")) == (2, 0)


async def test_an_inbox_that_is_not_there_yet(place: Place, gateway: Gateway) -> None:
    """The directory's service makes it a little later than the directory names the body: the others do not notice."""
    place.simulator.missing.add(inbox("beta"))
    for body in ("alpha", "beta", "gamma"):
        gateway.give(body)
    await gateway.look("alpha", "beta", "gamma")
    await gateway.agent.mailbox("alpha").submit(plain_letter("m-1", "gamma"))
    await until(lambda: place.simulator.message_ids("gamma") == ["m-1"])
    async with asyncio.timeout(PATIENCE):
        while await waits_for(gateway.agent, "beta") != ("inbox", "topic-missing"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    place.simulator.missing.clear()
    await until_settled(gateway.agent)


async def test_a_busy_body_keeps_nobody_waiting(place: Place, gateway: Gateway) -> None:
    """Whoever has a thousand letters to send gets one turn, then the others have theirs."""
    place.simulator.away = True
    for body in ("alpha", "beta"):
        gateway.give(body)
    await gateway.look("alpha", "beta")
    await gateway.agent.mailbox("alpha").submit(*(plain_letter(f"a-{number}", "gamma") for number in range(1000)))
    await gateway.agent.mailbox("beta").submit(*(plain_letter(f"b-{number}", "gamma") for number in range(3)))
    place.simulator.away = False
    await until(lambda: "b-2" in place.simulator.message_ids("gamma"))
    before = place.simulator.message_ids("gamma").index("b-2")
    assert before <= 2 * 50 + 3
