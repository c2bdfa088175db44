"""The agent's HTTP API: its parts joined. Run as a program it prints the OpenAPI document (`make schemas`)."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from adapters.formats.json_profile import JsonFormat
from adapters.formats.json_profile.documents import Letter, Receipt
from adapters.formats.json_profile.format import JsonOptions
from exchange.agent.agent import Agent
from exchange.agent.office import Office
from exchange.agent.ports import Format
from exchange.security.tokens import Tokens
from exchange.services.api.app import Api, Documentation
from exchange.services.api.desk import Box, Desk
from exchange.services.api.document import Documents, openapi
from exchange.services.api.polling import LongPolls
from exchange.services.http.listening import Address, listening, serve
from exchange.services.http.openapi import encoded
from exchange.services.http.page import page
from exchange.services.http.renewing import renewed_tls
from exchange.settings.api import ApiSettings
from exchange.settings.bodies import BodySettings


@dataclass(frozen=True, slots=True)
class Served:
    """The agent whose letters are served.

    Attributes:
        office: what it works with.
        formats: by the code of each body that it carries, what its systems speak; see `json_format`.
        waiting_for: what keeps it from its work; empty when nothing does.
    """

    agent: Agent
    office: Office
    formats: Mapping[str, Format]
    waiting_for: Callable[[], str]


async def run_api(settings: ApiSettings, served: Served, registry: CollectorRegistry) -> None:
    """Serve the API until cancelled.

    Raises:
        ConfigurationError: tokens, TLS's files or the address cannot be used.
    """
    polls = LongPolls()
    api = api_of(served, Tokens(settings.tokens), polls, registry)
    address = Address(settings.host, settings.port, settings.files, settings.client_ca)
    with listening(address) as listener:
        async with renewed_tls(address) as context:
            await serve(api.application, listener, context, polls.end)


def api_of(served: Served, tokens: Tokens, polls: LongPolls, registry: CollectorRegistry) -> Api:
    """The API of an agent, to be served."""
    agent = served.agent
    boxes = {body: Box(agent.mailbox(body), agent.feed(body), each) for body, each in served.formats.items()}
    desk = Desk(boxes, lambda: served.office.history.directory, served.waiting_for, polls)
    document = openapi_document()
    return Api(desk, tokens, Documentation(encoded(document), page(document, "/openapi.json")), registry)


def json_format(body: BodySettings) -> Format:
    """What a body's systems speak at the API: its profile's format where that is one of JSON documents."""
    if body.edms is None or not issubclass(body.edms.format.options, JsonOptions):
        return JsonFormat()
    return body.edms.format.open(body.edms.format.options())


def openapi_document() -> dict[str, Any]:
    """The API as OpenAPI describes it, with the JSON format's documents."""
    return openapi(Documents(Letter, Receipt))


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded(openapi_document()))
