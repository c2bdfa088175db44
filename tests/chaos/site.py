"""The exchange that is put under fire: three brokers, two routers, six agents, a tracker on PostgreSQL.

Everybody dials a proxy, brokers among themselves too, and every process that keeps state has a disk of its own
where that is possible. Nothing of it is changed for these runs but clocks (`clocked.py`).
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from exchange.bus.administration import Administration
from exchange.bus.connection import KafkaSettings
from exchange.bus.topics import ClusterShape
from exchange.domain.directory import Names
from exchange.embedded import (
    Broker,
    EmbeddedKafka,
    EmbeddedPostgres,
    JavaProgram,
    cache_folder,
    ensure_jars,
    find_java,
    with_class_cache,
)
from exchange.embedded.cluster_files import settle_nodes
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.installation import ADMIN, SHAPE, Installer, grants, topics
from exchange.embedded.installed import Installation
from exchange.embedded.ports import choose_ports
from exchange.security.authority import Authority
from tests.chaos.broker_clocks import compiler, stepped
from tests.chaos.clocked import step
from tests.chaos.disks import Disk
from tests.chaos.keeper import Keeper
from tests.chaos.proxy_process import ProxyProcess
from tests.chaos.servers import BrokerServer, PostgresServer, ProgramServer, Role, Server
from tests.plugin_kafka import SHORT_LIVED

BODIES = tuple(f"body-{number}" for number in range(1, 7))
BROKERS = 3
ROUTERS = 2
CLUSTER = ClusterShape(SHAPE.lanes, SHAPE.journal_partitions, replication=BROKERS, min_insync=BROKERS - 1)
HEAP_MB = 256
BROKER_DISK_MB = 1024
POSTGRESQL_DISK_MB = 512
SPOOL_DISK_MB = 256
SOCKET = ".s.PGSQL.5432"
POSTGRESQL = "postgresql"
TRACKER = "tracker"


def agent_of(body: str) -> str:
    """The name of the process that is a body's agent."""
    return f"agent-{body}"


def body_of(agent: str) -> str:
    """Whose agent it is; empty for any other process."""
    return agent.removeprefix("agent-") if agent.startswith("agent-") else ""


@dataclass
class Site:
    """A running exchange and everything by which it can be broken."""

    folder: Path
    installation: Installation
    authority: Authority
    proxy: ProxyProcess
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    keeper: Keeper
    disks: dict[str, Disk] = field(default_factory=dict)

    def named(self, *roles: Role) -> tuple[str, ...]:
        """Names of the processes of these roles."""
        return tuple(name for name, server in self.keeper.servers.items() if server.role in roles)

    def spool(self, body: str) -> Path:
        """The folder of a body's spool."""
        return self.folder / "spool" / agent_of(body)

    def clock(self, name: str) -> Path:
        """The file that steps a process's clock."""
        return self.folder / "clocks" / name

    def settings(self) -> KafkaSettings:
        """How somebody connects who may do everything."""
        files = self.authority.service(ADMIN)
        return KafkaSettings(self.kafka.bootstrap, self.authority.transport_root, files.certificate, files.key)


@contextmanager
def running_site(folder: Path, seed: int, *, disks: bool) -> Iterator[Site]:
    """Install and start everything in `folder`; all of it has ended when the context is left.

    Args:
        folder: exists and is empty; its path is short enough for Unix sockets.
        seed: decides what lossy lines lose.
        disks: give every state a disk of its own.
    """
    now = datetime.now(UTC)
    installer = Installer(folder, [_body(code) for code in BODIES], now)
    mounted = _disks(folder, installer.installation) if disks else {}
    (folder / "clocks").mkdir()
    for number in range(1, BROKERS + 1):
        step(folder / "clocks" / f"broker-{number}", 0.0)
    with ExitStack() as stack:
        for disk in mounted.values():
            stack.callback(disk.close)
        proxy = stack.enter_context(ProxyProcess(seed))
        keeper = Keeper(proxy.know)
        postgres = stack.enter_context(EmbeddedPostgres(folder / POSTGRESQL))
        kafka = stack.enter_context(_kafka(installer, proxy))
        _furnish(installer, kafka)
        authority = Authority(folder / "authority", now=now)
        site = Site(folder, installer.installation, authority, proxy, kafka, postgres, keeper, mounted)
        for server in _servers(site):
            keeper.add(server)
            stack.callback(server.kill)
        yield site


def _disks(folder: Path, installation: Installation) -> dict[str, Disk]:
    disks = {POSTGRESQL: Disk(folder / POSTGRESQL, POSTGRESQL_DISK_MB)}
    for body in BODIES:
        disks[agent_of(body)] = Disk(folder / "spool" / agent_of(body), SPOOL_DISK_MB)
    for number in range(1, BROKERS + 1):
        disk = disks[f"broker-{number}"] = Disk(installation.kafka / f"node-{number}", BROKER_DISK_MB)
        logs = folder / "logs" / f"broker-{number}"
        logs.mkdir()
        (disk.folder / "logs").symlink_to(logs)  # a broker whose disk is full still says so
    return disks


def _kafka(installer: Installer, proxy: ProxyProcess) -> EmbeddedKafka:
    """A cluster of which every node is reached through the proxy alone."""
    folder, cache = installer.installation.kafka, cache_folder(os.environ)
    program = JavaProgram(find_java(os.environ), ensure_jars(cache), heap_mb=HEAP_MB)
    program = replace(with_class_cache(program, cache, installer.tls), options=SHORT_LIVED)
    if compiler():
        tools = installer.installation.folder / "tools"
        tools.mkdir()
        program = replace(program, java=stepped(program.java, tools, installer.installation.folder / "clocks"))
    folder.mkdir(exist_ok=True)
    nodes = settle_nodes(folder, BROKERS, ())
    taken = [port for node in nodes for port in (node.client_port, node.controller_port)]
    ports = choose_ports(2 * BROKERS, folder / "fronts", taken)
    fronts = list(zip(ports[::2], ports[1::2], strict=True))
    kafka = EmbeddedKafka(folder, program, tls=installer.tls, nodes=BROKERS, fronts=fronts)
    for node, (clients, controllers) in zip(nodes, fronts, strict=True):
        proxy.listen(f"broker-{node.number}", clients, node.client_port)
        proxy.listen(f"broker-{node.number}", controllers, node.controller_port)
    return kafka


def _furnish(installer: Installer, kafka: EmbeddedKafka) -> None:
    installer.write_settings(kafka.bootstrap)

    async def furnish() -> None:
        tls = installer.tls
        async with Administration(
            KafkaSettings(kafka.bootstrap, tls.ca, tls.admin.certificate, tls.admin.key)
        ) as admin:
            await admin.ensure_topics(topics(BODIES, CLUSTER))
            await admin.ensure_access(grants(BODIES))

    asyncio.run(furnish())


def _servers(site: Site) -> list[Server]:
    """Everything that the keeper keeps; brokers and PostgreSQL run already."""
    sockets = site.folder / "sockets"
    sockets.mkdir()
    data = str(site.postgres.folder.resolve() / "data")
    site.proxy.listen_unix(POSTGRESQL, sockets / SOCKET, Path(data) / SOCKET)
    url = site.postgres.url.replace(data, str(sockets))
    servers: list[Server] = [BrokerServer(partial(_node, site.kafka, index), index + 1) for index in range(BROKERS)]
    servers.append(PostgresServer(site.postgres))
    servers += [
        _program(site, Role.ROUTER, f"router-{number}", _variant(site, "router", f"router-{number}"))
        for number in range(1, ROUTERS + 1)
    ]
    servers.append(_program(site, Role.TRACKER, TRACKER, _variant(site, TRACKER, "tracker-1", url=url)))
    servers += [
        _program(site, Role.AGENT, agent_of(body), _variant(site, agent_of(body), f"{agent_of(body)}-alone"))
        for body in BODIES
    ]
    return servers


def _node(kafka: EmbeddedKafka, index: int) -> Broker:
    return kafka.brokers[index]


def _program(site: Site, role: Role, name: str, config: Path) -> ProgramServer:
    step(site.clock(name), 0.0)
    command = [sys.executable, "-m", "tests.chaos.clocked", str(site.clock(name))]
    return ProgramServer(name, role, [*command, role.value, "--config", str(config)], site.installation.log(name))


def _variant(site: Site, role: str, name: str, **changed: str) -> Path:
    """A role's configuration with other values, without a port and without a folder of a document system."""
    text = site.installation.config(role).read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(port = .*|edms = .*)\n", "", text)
    for key, value in changed.items():
        text = re.sub(rf"(?m)^{key} = .*$", f'{key} = "{value}"', text)
    config = site.installation.folder / f"{name}.toml"
    config.write_text(text, encoding="utf-8")
    return config


def _body(code: str) -> DemoBody:
    return DemoBody(code, Names(code, code, code), "ministry", (f"uid-{code}",), "", "infodocs")
