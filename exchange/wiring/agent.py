"""The agent's process, and the desk that a client shares with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry

from adapters.connectors.folder import FolderConnector
from adapters.formats import format_named
from adapters.paper.format import PaperFormat
from exchange import system
from exchange.agent.agent import Agent, Member
from exchange.agent.drafts import Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.intake import Edms
from exchange.agent.office import Office
from exchange.agent.ports import Format
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing
from exchange.agent.transport import Transport
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import Policy, parse_policy
from exchange.security.cades import Signer
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.services.agent import AgentService
from exchange.services.process import process_registry
from exchange.services.runner import observed, until_signalled
from exchange.settings import AgentSettings, BodySettings
from exchange.wiring.directory import followed


async def run_agent(settings: AgentSettings) -> None:
    """Serve bodies until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: keys, directory, policy or format cannot be used.
        SpoolError: the spool cannot be used, or another agent uses it.
        PositionLost: an inbox is not the topic that was read before.
    """
    registry = _registry(settings)
    async with followed(settings.directory, settings.kafka, registry):
        await _run(settings, registry)


async def _run(settings: AgentSettings, registry: CollectorRegistry) -> None:
    with open_desk(settings) as desk:
        members = [_member(body, edms=_edms(body)) for body in settings.bodies]
        service = AgentService(Agent(desk.office, members, desk.transport), desk.office.counters, registry)
        with observed(registry, lambda: service.waiting_for, settings.observe.host, settings.observe.port):
            await until_signalled(service.run())


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent, or a client beside it, works with: an open spool and the way to Kafka."""

    office: Office
    transport: Transport

    def agent(self, bodies: tuple[BodySettings, ...]) -> Agent:
        """An agent without document systems: letters wait in the spool."""
        return Agent(self.office, [_member(body, edms=None) for body in bodies], self.transport)


@contextmanager
def open_desk(settings: AgentSettings) -> Iterator[Desk]:
    """Open the spool of an agent's settings.

    Raises:
        ConfigurationError: certificates, directory or policy cannot be used.
        SpoolError: the spool cannot be opened.
    """
    history = TrustHistory(DirectoryFolder.at(settings.directory.folder, settings.directory.root))
    exchange = history.directory.exchange
    drafting = Drafting(exchange, _policy(settings).inline_bytes, system.now, system.random_bytes)
    transport = Transport(partial(SubmissionProducer, settings.kafka), partial(PositionedReader, settings.kafka))
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    settings.spool.mkdir(parents=True, exist_ok=True)
    with Spool(settings.spool / "spool.sqlite") as spool:
        yield Desk(Office(spool, drafting, history, Timing(), Counters(), system.monotonic), transport)


def _registry(settings: AgentSettings) -> CollectorRegistry:
    certificates = {("statement", body.code): body.statement.certificate for body in settings.bodies}
    edms = {("edms", body.code): body.folder for body in settings.bodies if body.folder is not None}
    return process_registry(
        {("transport", ""): settings.kafka.certificate} | certificates, {("spool", ""): settings.spool} | edms
    )


def _member(body: BodySettings, edms: Edms | None) -> Member:
    return Member(body.code, partial(_signer, body.statement), edms)


def _signer(files: KeyFiles) -> Signer:
    pair = load_key_pair(files)
    return Signer(pair.certificate, pair.key)


def _edms(body: BodySettings) -> Edms | None:
    return None if body.folder is None else Edms(FolderConnector(body.folder), _format(body.format))


def _format(name: str) -> Format:
    """That of a document system, or the paper bridge's."""
    return PaperFormat() if name == PaperFormat.name else format_named(name)


def _policy(settings: AgentSettings) -> Policy:
    try:
        return parse_policy(settings.policy.read_bytes())
    except OSError as error:
        message = f"{settings.policy} cannot be read ({error.strerror}): check [policy] file"
        raise ConfigurationError(message, code="policy-missing") from error
