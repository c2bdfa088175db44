"""The agent's process, and the desk that a client shares with it."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cryptography import x509
from prometheus_client import CollectorRegistry

from adapters.ports import Machine
from exchange import system
from exchange.agent.agent import Agent, Member
from exchange.agent.drafts import Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.intake import Edms
from exchange.agent.office import Office
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing
from exchange.agent.transport import Transport
from exchange.bus.line import THIN
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import Policy, parse_policy
from exchange.domain.trace import Traces
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.keys import KeyFiles, load_certificate, load_private_key
from exchange.security.log_keys import read_log_policy
from exchange.services.admission import Admission, Look, not_admitted
from exchange.services.agent import AgentService
from exchange.services.gateway import Membership
from exchange.services.process import process_registry
from exchange.services.runner import observed, until_signalled
from exchange.settings.agent import AgentSettings
from exchange.settings.bodies import BodySettings
from exchange.wiring.api import Served, json_format, run_api
from exchange.wiring.directory import followed
from exchange.wiring.speaking import signer_of
from exchange.wiring.telemetry import traces_of

Companion = Callable[[Agent, CollectorRegistry], Coroutine[Any, Any, None]]
"""What works beside an agent, on the mailboxes of its bodies, until it is cancelled; with the process's metrics."""


async def run_agent(settings: AgentSettings, companion: Companion | None = None) -> None:
    """Wait until the exchange has let a body in, then serve all, until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: keys, directory, policy or format cannot be used.
        SpoolError: the spool cannot be used, or another agent uses it.
        PositionLost: an inbox is not the topic that was read before.
    """
    process = _AgentProcess(settings, companion)
    with observed(process.registry, lambda: process.waiting_for, settings.observe.host, settings.observe.port):
        await until_signalled(process.run())


class _AgentProcess:
    """An agent from its first start, when nobody knows its body yet.

    Certificates are installed, a version of the directory comes, it lets a body in, and the work begins: each is
    waited for, in this order, and said meanwhile.
    """

    def __init__(self, settings: AgentSettings, companion: Companion | None) -> None:
        self._settings = settings
        self._certificates = _certificates(settings, settings.bodies)
        self.registry = process_registry(self._certificates, _folders(settings))
        self._companion = companion
        self._folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
        self._waiting_for: Callable[[], str] = lambda: "its certificates to be looked at"

    @property
    def waiting_for(self) -> str:
        """What keeps a body from being served; empty when all are."""
        return self._waiting_for()

    async def run(self) -> None:
        await self._admitted(self._certificates_missing)
        self._waiting_for = lambda: f"the directory: no version has come into {self._folder.folder} yet"
        async with followed(self._settings.directory, self._settings.kafka, self.registry):
            await self._admitted(self._not_let_in)
            await self._serve()

    async def _admitted(self, look: Look) -> None:
        admission = Admission(look)
        self._waiting_for = lambda: admission.waiting_for
        await admission.wait()

    async def _serve(self) -> None:
        telling = traces_of(self._settings.telemetry, "agent")
        with telling as traces, open_desk(self._settings, self._folder, traces) as desk:
            members = [_member(body, edms=_edms(body)) for body in self._settings.bodies]
            log_policy = None if self._settings.log is None else read_log_policy(self._settings.log)
            agent = Agent(desk.office, members, desk.transport, log_policy)
            service = AgentService(agent, desk.office.counters, self.registry)
            self._waiting_for = lambda: service.waiting_for
            async with asyncio.TaskGroup() as group:
                group.create_task(service.run(), name="service")
                if self._settings.api is not None:
                    formats = {body.code: json_format(body) for body in self._settings.bodies}
                    served = Served(agent, desk.office, formats, lambda: service.waiting_for)
                    group.create_task(run_api(self._settings.api, served, self.registry), name="api")
                if self._settings.gateway is not None:
                    membership = Membership(agent, partial(self._given, desk.office.history), self.registry)
                    group.create_task(membership.run(), name="membership")
                if self._companion is not None:
                    group.create_task(self._companion(agent, self.registry), name="companion")

    def _given(self, history: TrustHistory) -> dict[str, Callable[[], Member]]:
        """The bodies that the directory gives to this gateway."""
        named = {body.code for body in self._settings.bodies}
        carried = self._settings.carried(history.directory)
        wanted = _certificates(self._settings, carried)
        for gone in self._certificates.keys() - wanted.keys():
            del self._certificates[gone]
        self._certificates |= wanted
        return {body.code: partial(_certified, body) for body in carried if body.code not in named}

    def _certificates_missing(self) -> str:
        """What is not there yet; what is wrong is told at once, not waited for."""
        pairs = (self._settings.kafka.files, *(body.statement for body in self._settings.bodies))
        for pair in pairs:
            load_private_key(pair.key, pair.passphrase)
        for file in (pair.certificate for pair in pairs):
            if not file.exists():
                return f"its certificates: {file} is not there; install the answer to `exchange body request`"
        self._settings.kafka.ssl_context()
        return ""

    def _not_let_in(self) -> str:
        gateway = self._settings.gateway
        own = [] if gateway is None else [gateway.body]
        return not_admitted(self._folder.latest(), [*own, *(body.code for body in self._settings.bodies)])


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent, or a client beside it, works with: an open spool and the way to Kafka."""

    office: Office
    transport: Transport

    def agent(self, bodies: tuple[BodySettings, ...]) -> Agent:
        """An agent without document systems: letters wait in the spool."""
        return Agent(self.office, [_member(body, edms=None) for body in bodies], self.transport)


@contextmanager
def open_desk(
    settings: AgentSettings, folder: DirectoryFolder | None = None, traces: Traces | None = None
) -> Iterator[Desk]:
    """Open the spool of an agent's settings.

    Args:
        settings: the agent's.
        folder: its directory, when it was read before.
        traces: is told of letters.

    Raises:
        ConfigurationError: certificates, directory or policy cannot be used.
        SpoolError: the spool cannot be opened.
    """
    history = TrustHistory(folder or DirectoryFolder.at(settings.directory.folder, settings.directory.root))
    exchange = history.directory.exchange
    drafting = Drafting(exchange, _policy(settings).inline_bytes, system.now, system.random_bytes)
    transport = Transport(partial(SubmissionProducer, settings.kafka), partial(PositionedReader, settings.kafka))
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    settings.spool.mkdir(parents=True, exist_ok=True)
    with Spool(settings.spool / "spool.sqlite") as spool:
        office = Office(spool, drafting, history, _timing(settings), Counters(), system.monotonic, traces=traces)
        yield Desk(office, transport)


def _timing(settings: AgentSettings) -> Timing:
    """A gateway looks into its hundreds of folders ten times as rarely; a thin line is asked and told less at once."""
    timing = Timing() if settings.gateway is None else Timing(poll=5.0, edms_poll=5.0)
    if settings.kafka.line is not THIN:
        return timing
    return replace(
        timing, round_bytes=16 * 1024, resend_first=60.0, resend_after=300.0, read_again=20, log_poll=86400.0
    )


def _certificates(settings: AgentSettings, bodies: Iterable[BodySettings]) -> dict[tuple[str, str], Path]:
    """Files of the certificates that an agent works with, as `process_registry` takes them."""
    files = {("transport", ""): settings.kafka.certificate}
    if settings.api is not None and settings.api.files is not None:
        files["api", ""] = settings.api.files.certificate
    for body in bodies:
        files["statement", body.code] = body.statement.certificate
        files["next-statement", body.code] = body.statement.next.certificate
    return files


def _folders(settings: AgentSettings) -> dict[tuple[str, str], Path]:
    """Folders that an agent must be able to write to; those of a gateway's bodies lie beside each other."""
    edms = {("edms", body.code): body.folder for body in settings.bodies if body.folder is not None}
    return {("spool", ""): settings.spool} | edms


def _certified(body: BodySettings) -> Member:
    """A gateway's body, once its certificate lies there.

    Raises:
        ConfigurationError: `certificate-file-missing`, or its keys cannot be used.
    """
    if not body.statement.certificate.exists():
        message = f"{body.statement.certificate} is not there: `exchange gateway request`, then install the answer"
        raise ConfigurationError(message, code="certificate-file-missing")
    return _member(body, edms=_edms(body))


def _member(body: BodySettings, edms: Edms | None) -> Member:
    return Member(body.code, partial(signer_of, body.statement), edms, _NextFiles(body.statement.next))


@dataclass(frozen=True, slots=True)
class _NextFiles:
    """The pair that lies beside the present one; see `NextKey`."""

    files: KeyFiles

    def certificate(self) -> x509.Certificate | None:
        """The next certificate, once it lies there with its key."""
        if not (self.files.certificate.exists() and self.files.key.exists()):
            return None
        return load_certificate(self.files.certificate)

    def signer(self) -> Signer:
        """The whole pair."""
        return signer_of(self.files)


def _edms(body: BodySettings) -> Edms | None:
    profile = body.edms
    if profile is None:
        return None
    machine = Machine(system.now, system.random_bytes, os.environ)
    return Edms(profile.open_connector(body.code, machine), profile.open_format())


def _policy(settings: AgentSettings) -> Policy:
    try:
        return parse_policy(settings.policy.read_bytes())
    except OSError as error:
        message = f"{settings.policy} cannot be read ({error.strerror}): check [policy] file"
        raise ConfigurationError(message, code="policy-missing") from error
