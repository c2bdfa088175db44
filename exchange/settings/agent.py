"""Settings of an agent, and of the canary, which is one: all that a body's own process needs.

They stand apart because they know document systems: no other process loads formats and connectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.profile import read_profile
from exchange.bus.connection import KafkaSettings
from exchange.domain.directory import Directory
from exchange.domain.ids import is_body_code
from exchange.security.keys import KeyFiles
from exchange.settings.api import ApiSettings, api_settings
from exchange.settings.bodies import BodySettings, GatewaySettings, gateway_settings
from exchange.settings.tables import (
    LOCK,
    DirectorySettings,
    ObserveSettings,
    read_directory,
    read_documents,
    read_kafka,
    read_observe,
    read_policy,
)
from exchange.settings.telemetry import TelemetrySettings, read_telemetry
from exchange.settings.toml import Table, given_file, opened


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """An agent process; it carries `bodies`, and if it is a gateway those that the directory gives to it.

    Attributes:
        policy: the policy file.
        spool: the folder of its only state.
        api: its HTTP API; None without one.
        documents: PEM file of those who vouch for signers of documents; None where nobody is trusted to.
        telemetry: None where nobody is told of traces.
        log: the transparency log's policy; None where its proofs are not read.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    policy: Path
    spool: Path
    bodies: tuple[BodySettings, ...]
    observe: ObserveSettings
    api: ApiSettings | None = None
    gateway: GatewaySettings | None = None
    documents: Path | None = None
    telemetry: TelemetrySettings | None = None
    log: Path | None = None

    def carried(self, directory: Directory) -> tuple[BodySettings, ...]:
        """All bodies that the agent speaks for by this version of the directory; those of its file first."""
        if self.gateway is None:
            return self.bodies
        named = {body.code for body in self.bodies}
        found = (body.code for body in directory.carried_by(self.gateway.body) if body.code not in named)
        return (*self.bodies, *map(self.gateway.member, found))


@dataclass(frozen=True, slots=True)
class CanarySettings:
    """The canary.

    Attributes:
        agent: the agent whose first body writes.
        echo: code of the body that answers.
        every_seconds: from one letter to the next.
        within_seconds: after which an answer comes too late.
    """

    agent: AgentSettings
    echo: str
    every_seconds: int
    within_seconds: int


def agent_settings(file: Path, environ: Mapping[str, str]) -> AgentSettings:
    """Read an agent's file; it names at least one body, and each once."""
    with opened(file) as top:
        return _agent(top, environ)


def canary_settings(file: Path, environ: Mapping[str, str]) -> CanarySettings:
    """Read the canary's file: an agent's, and how it writes."""
    with opened(file) as top:
        with top.table("canary") as canary:
            echo = canary.text("to")
            every = canary.number("every_seconds", least=1, most=3600, default=60)
            within = canary.number("within_seconds", least=1, most=3600, default=60)
        agent = _agent(top, environ)
        if not agent.bodies:
            raise top.wrong("body", "must name the body that writes: one [[body]] table")
        return CanarySettings(agent, echo, every, within)


def _agent(top: Table, environ: Mapping[str, str]) -> AgentSettings:
    with top.table("spool") as spool:
        folder = spool.path("folder")
    gateway = gateway_settings(top)
    bodies = tuple(_body(table, environ) for table in top.tables("body", optional=gateway is not None))
    if len({body.code for body in bodies}) != len(bodies):
        raise top.wrong("body", "names a body twice: give each code one [[body]] table")
    kafka, directory = read_kafka(top, environ), read_directory(top)
    api = api_settings(top, environ)
    policy, observe, documents = read_policy(top), read_observe(top), read_documents(top)
    telemetry = read_telemetry(top)
    log = _log(top)
    return AgentSettings(kafka, directory, policy, folder, bodies, observe, api, gateway, documents, telemetry, log)


def _log(top: Table) -> Path | None:
    """The policy that [log] names, when there is the table."""
    if not top.has("log"):
        return None
    with top.table("log") as table:
        return table.path("policy")


def _body(table: Table, environ: Mapping[str, str]) -> BodySettings:
    with table as body:
        code = body.text("code")
        if not is_body_code(code):
            raise body.wrong("code", "is no body code: 1-63 of a-z, 0-9 and '-', not starting with 'svc-'")
        key, certificate = (given_file(body, name, environ) for name in ("key", "certificate"))
        keys = KeyFiles(key, certificate, given_file(body, LOCK, environ) if body.has(LOCK) else None)
        edms = read_profile(body.path("edms")) if body.has("edms") else None
        return BodySettings(code, keys, edms)
