"""An agent of two bodies in a small exchange, with its API: letters go the whole way and back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from adapters.formats.json_profile import JsonFormat
from exchange.agent.agent import Agent
from exchange.security.tokens import Tokens, add_grant, make_token
from exchange.services.api.app import Api
from exchange.services.api.polling import LongPolls
from exchange.services.http.listening import Address, listening, serve, tls_context
from exchange.wiring.api import Served, api_of
from tests.agent.place import Place
from tests.world import NOW

BODIES = ("alpha", "beta")


@dataclass
class Site:
    """An API and whoever calls it."""

    agent: Agent
    api: Api
    polls: LongPolls
    registry: CollectorRegistry
    tokens: Mapping[str, str]
    waiting_for: str = ""

    def caller(self, body: str, **headers: str) -> httpx.AsyncClient:
        """Calls as a system of `body`, without a network in between."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.api.application),
            base_url=f"http://agent/v1/bodies/{body}",
            headers={"Authorization": f"Bearer {self.tokens[body]}"} | headers,
        )

    def counted(self) -> dict[tuple[str, str], float]:
        """Requests by operation and status."""
        return {
            (sample.labels["operation"], sample.labels["status"]): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "exchange_api_requests_total"
        }

    @asynccontextmanager
    async def listening(self, address: Address | None = None) -> AsyncIterator[str]:
        """Serve on a real socket; yields the URL."""
        address = address or Address("127.0.0.1", 0)
        with listening(address) as listener:
            context = tls_context(address)
            serving = asyncio.create_task(serve(self.api.application, listener, context, self.polls.end))
            try:
                yield f"http{'s' if context else ''}://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                serving.cancel()
                await asyncio.wait([serving])


@asynccontextmanager
async def site(place: Place, folder: Path) -> AsyncIterator[Site]:
    """A running agent with its API, not yet listening."""
    tokens = {}
    for body in BODIES:
        tokens[body], grant = make_token(body, NOW.date(), "tests", place.random.randbytes)
        add_grant(folder / "tokens", grant)
    async with place.agent(*BODIES) as agent:
        registry, polls = CollectorRegistry(), LongPolls()
        served = Served(agent, agent._office, dict.fromkeys(BODIES, JsonFormat()), lambda: made.waiting_for)
        api = api_of(served, Tokens(folder / "tokens"), polls, registry)
        made = Site(agent, api, polls, registry, tokens)
        yield made


def letter(message_id: str = "m-1", to: str = "beta", **fields: Any) -> dict[str, Any]:
    """A letter as a system writes it, with a file inside."""
    files = [{"name": "Письмо № 1.pdf", "content": "JVBERi0xLjcK"}]
    return {"message_id": message_id, "recipients": [to], "title": "О переходе", "files": files} | fields


def receipt(event: str, **fields: Any) -> dict[str, Any]:
    """What a system says about a letter."""
    return {"message_type": "receipt", "event": event, "event_time": "2026-03-01T12:00:00+06:00"} | fields
