"""The canary's process: an agent whose body writes to the echo by itself."""

from functools import partial

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.agent.agent import Agent
from exchange.services.canary import Canary, CanaryMetrics, Pace
from exchange.settings.agent import CanarySettings
from exchange.wiring.agent import run_agent


async def run_canary(settings: CanarySettings) -> None:
    """Write as the first body of an agent's settings until SIGINT or SIGTERM; raises as `run_agent`."""
    await run_agent(settings.agent, partial(_write, settings))


async def _write(settings: CanarySettings, agent: Agent, registry: CollectorRegistry) -> None:
    body = settings.agent.bodies[0].code
    pace = Pace(settings.every_seconds, settings.within_seconds)
    metrics = CanaryMetrics(registry)
    await Canary(agent.mailbox(body), (body, settings.echo), pace, metrics, system.now, system.random_id).run()
