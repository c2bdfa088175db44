"""The echo's process: an agent whose bodies answer by themselves."""

from functools import partial

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.agent.agent import Agent
from exchange.services.echo import Echo
from exchange.settings.agent import AgentSettings
from exchange.wiring.agent import run_agent


async def run_echo(settings: AgentSettings) -> None:
    """Answer for the first body of an agent's settings until SIGINT or SIGTERM; raises as `run_agent`."""
    await run_agent(settings, partial(_answer, settings.bodies[0].code))


async def _answer(body: str, agent: Agent, _registry: CollectorRegistry) -> None:
    await Echo(agent.mailbox(body), body, system.now).run()
