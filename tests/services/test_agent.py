"""What an agent tells about its bodies: gauges, and lines of the log."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from exchange.agent.agent import Agent
from exchange.agent.spool import Spool
from exchange.agent.status import BodyStatus, Failure
from exchange.services.agent import AgentService
from exchange.services.runner import Changes
from tests.agent.conftest import authority_folder, place
from tests.agent.place import Place, until

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELL = BodyStatus(
    body="alpha",
    ready=True,
    halted=False,
    waits_for=(),
    drafts=0,
    unproven=0,
    oldest=None,
    to_hand_over=0,
    oldest_arrival=None,
    last_seen=NOON,
    failure=None,
)
FULL = BodyStatus(
    body="alpha",
    ready=True,
    halted=False,
    waits_for=("notice", "spool-full"),
    drafts=1,
    unproven=2,
    oldest=NOON,
    to_hand_over=3,
    oldest_arrival=NOON,
    last_seen=NOON,
    failure=Failure("spool-full", "no space: free some", NOON),
)


class ToldAgent(Agent):
    """An agent that is as it is told."""

    told: tuple[BodyStatus, ...] = (WELL,)

    async def status(self) -> list[BodyStatus]:
        """See `Agent`."""
        return list(self.told)


def samples(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Values of gauges by name and code."""
    return {
        (sample.name, sample.labels.get("code", "")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if family.type == "gauge"
    }


async def test_gauges_say_how_a_body_is(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """What there is nothing of has no sample: an alert on its age would sound."""
    caplog.set_level(logging.INFO)
    registry = CollectorRegistry()
    with Spool(place.spool("alpha")) as spool:
        office = place.office(spool)
        agent = ToldAgent(office, place.members("alpha"), place.simulator.transport)
        service = AgentService(agent, office.counters, registry)
        running = asyncio.create_task(service.run())
        await until(lambda: not service.waiting_for)
        quiet = samples(registry)
        agent.told = (FULL,)
        await until(lambda: service.waiting_for == "alpha: spool-full: no space: free some")
        running.cancel()
        await asyncio.wait([running])
    assert quiet == {
        ("exchange_agent_unproven", ""): 0,
        ("exchange_agent_to_hand_over", ""): 0,
        ("exchange_agent_inbox_read_timestamp_seconds", ""): NOON.timestamp(),
    }
    assert samples(registry) == {
        ("exchange_agent_unproven", ""): 3,
        ("exchange_agent_to_hand_over", ""): 3,
        ("exchange_agent_inbox_read_timestamp_seconds", ""): NOON.timestamp(),
        ("exchange_agent_oldest_unproven_timestamp_seconds", ""): NOON.timestamp(),
        ("exchange_agent_oldest_to_hand_over_timestamp_seconds", ""): NOON.timestamp(),
        ("exchange_agent_waiting", "notice"): 1,
        ("exchange_agent_waiting", "spool-full"): 1,
    }
    assert "alpha works" in caplog.messages


async def test_what_all_wait_for_is_told_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """The line of a gateway that is cut is not told for each of hundreds of bodies."""
    caplog.set_level(logging.INFO)
    with Spool(place.spool("alpha")) as spool:
        office = place.office(spool)
        agent = ToldAgent(office, place.members("alpha"), place.simulator.transport)
        service = AgentService(agent, office.counters, CollectorRegistry())
        agent.told = tuple(replace(FULL, body=body) for body in ("alpha", "beta"))
        running = asyncio.create_task(service.run())
        await until(lambda: service.waiting_for == "2 bodies: spool-full: no space: free some")
        agent.told = (replace(WELL, body="alpha"), replace(FULL, body="beta"))
        await until(lambda: service.waiting_for == "beta: spool-full: no space: free some")
        running.cancel()
        await asyncio.wait([running])
    assert caplog.messages == ["the agent works", "alpha works"]


def test_a_line_of_a_body_has_its_code(caplog: pytest.LogCaptureFixture) -> None:
    """Body and code are fields, to be searched for."""
    changes = Changes()
    changes.tell("alpha", "", 0.0, body="alpha")
    changes.tell("alpha", "spool-full: no space", 20.0, body="alpha", code="spool-full")
    assert vars(caplog.records[-1]) | {"body": "alpha", "code": "spool-full"} == vars(caplog.records[-1])
