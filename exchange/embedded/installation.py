"""A whole throw-away installation in one folder: for `exchange demo`, `exchange dev` and tests.

    <folder>/authority/              certificate authority, certificates of bodies and services
    <folder>/directory/              the signed directory
    <folder>/policy.toml             what the router decides by
    <folder>/quotas.toml             how much of the brokers each may use
    <folder>/{directory,router,tracker,operator,auditor}.toml
    <folder>/agent-<body>.toml       the body's agent
    <folder>/echo.toml               the echo, where there is one
    <folder>/edms/<body>/            where the body's document system leaves and finds files
    <folder>/spool/, tracker.sqlite  state
    <folder>/copies/agent-<body>/    the agent's own copy of the directory, when a service hands it on
    <folder>/kafka/, logs/           the broker, and what each process says

Everything is made once and used again; only what names the broker's address is written each time.
"""

import shutil
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.bus.access import AUDITOR, DIRECTORY_SERVICE, ROUTER, TRACKER, Grant, body_grants, service_grants
from exchange.bus.topics import ClusterShape, TopicSpec, inbox_topic, service_topics
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate
from exchange.domain.ids import ZERO_DIGEST
from exchange.embedded.demo_bodies import ECHO, DemoBody
from exchange.embedded.ports import HOST, choose_ports, is_free
from exchange.embedded.tls import ClusterTls
from exchange.resources import resource
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.files import write_atomically
from exchange.security.keys import KeyFiles, load_certificate
from exchange.settings.toml import table_text

ADMIN = "svc-admin"
SHAPE = ClusterShape(lanes=4, journal_partitions=4, replication=1, min_insync=1)


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation's folder and what lies where in it; `bodies` are codes."""

    folder: Path
    bodies: tuple[str, ...]

    @classmethod
    def at(cls, folder: Path) -> "Installation":
        """The installation that is in `folder`, with the bodies that have an agent there."""
        agents = sorted(path.stem for path in folder.glob("agent-*.toml"))
        echo = [ECHO.code] if (folder / f"{role_of(ECHO.code)}.toml").exists() else []
        return cls(folder, (*(agent.removeprefix("agent-") for agent in agents), *echo))

    @property
    def kafka(self) -> Path:
        """The embedded cluster's folder."""
        return self.folder / "kafka"

    def config(self, role: str) -> Path:
        """Configuration of `directory`, `router`, `tracker`, `operator`, `auditor`, `agent-<body>` or `echo`."""
        return self.folder / f"{role}.toml"

    def log(self, role: str) -> Path:
        """What the process of that role prints."""
        return self.folder / "logs" / f"{role}.log"

    def edms(self, body: str) -> Path:
        """The folder that a body's document system and its agent share."""
        return self.folder / "edms" / body

    @property
    def roles(self) -> tuple[str, ...]:
        """The processes of the installation beside Kafka, in the order in which they start."""
        return ("directory", "router", "tracker", *map(role_of, self.bodies))


def role_of(code: str) -> str:
    """Name of the process that serves a body: its agent, or the echo."""
    return "echo" if code == ECHO.code else f"agent-{code}"


def command(role: str) -> tuple[str, ...]:
    """What follows `exchange` to run a role's process."""
    return ("directory", "serve") if role == "directory" else (role.partition("-")[0],)


def topics(bodies: Sequence[str], shape: ClusterShape = SHAPE) -> tuple[TopicSpec, ...]:
    """Every topic of an exchange with these bodies."""
    return (*service_topics(shape), *(inbox_topic(code, shape) for code in bodies))


def grants(bodies: Sequence[str]) -> tuple[Grant, ...]:
    """Every right in an exchange with these bodies."""
    return (*service_grants(), *(grant for code in bodies for grant in body_grants(code)))


class Installer:
    """Makes an installation, or completes one."""

    def __init__(self, folder: Path, bodies: Sequence[DemoBody], now: datetime, *, served: bool = False) -> None:
        """Make or reuse the authority and everything that does not depend on a running broker.

        Args:
            folder: of the installation.
            bodies: whom it has.
            now: present time (UTC).
            served: whether the directory's service runs: agents then have copies of their own, which follow it.

        Raises:
            KeyRefused, DirectoryRefused: what is there was altered; remove the folder.
            OSError: the folder cannot be written.
        """
        self._bodies = tuple(bodies)
        self._now = now
        self._served = served
        self._authority = Authority(folder / "authority", now=now)
        self.installation = Installation(folder, tuple(body.code for body in bodies))
        self._agents = frozenset(map(role_of, self.installation.bodies))
        self.fresh = not (folder / "directory" / TIMESTAMP).exists()
        """Whether this made the exchange: then no cluster can hold letters of it yet."""
        for role in (DIRECTORY_SERVICE, ROUTER, TRACKER, AUDITOR, ADMIN):
            self._authority.service(role)
        if self.fresh:
            self._publish_directory()
        else:
            self._refresh_directory()
        for name in ("policy.toml", "quotas.toml"):
            if not (folder / name).exists():
                shutil.copyfile(resource("config", name), folder / name)
        edms = [self.installation.edms(body.code) for body in self._bodies if body is not ECHO]
        for path in (folder / "logs", folder / "spool", *edms):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def tls(self) -> ClusterTls:
        """The identities of the embedded broker and its administrator."""
        authority = self._authority
        return ClusterTls(authority.broker(), authority.service(ADMIN), authority.transport_root)

    def write_settings(self, bootstrap: str, running: Collection[str] = (), *, ours: bool = True) -> None:
        """Write every process's configuration for the cluster at `bootstrap`.

        Args:
            bootstrap: where the cluster is.
            running: roles that keep their ports.
            ours: whether the cluster's rights and quotas are made what the directory says.
        """
        ports = self._ports(running)
        kafka = {name: self._kafka(name, bootstrap) for name in (DIRECTORY_SERVICE, ROUTER, TRACKER, ADMIN, AUDITOR)}
        store = table_text("store", url="sqlite:///tracker.sqlite")
        policy = table_text("policy", file="policy.toml")
        copies = {"replication": SHAPE.replication, "min_insync": SHAPE.min_insync}
        quotas = table_text("quotas", file="quotas.toml")
        clock = table_text("clock", key=self._relative(self._authority.directory.clock))
        cluster = table_text("cluster", **copies, apply=ours)
        self._write("directory", kafka[DIRECTORY_SERVICE], clock, cluster, quotas, _observe(ports["directory"]))
        self._write("router", kafka[ROUTER], policy, _observe(ports["router"]))
        self._write("tracker", kafka[TRACKER], store, _observe(ports["tracker"]))
        self._write("operator", kafka[ADMIN], store, table_text("cluster", **copies), quotas)
        self._write("auditor", kafka[AUDITOR], store)
        for body in self._bodies:
            role = role_of(body.code)
            kafka_of_body = self._kafka(body.code, bootstrap)
            self._write(role, kafka_of_body, policy, *self._agent(body, role), _observe(ports[role]))

    def _ports(self, running: Collection[str]) -> dict[str, int]:
        """The saved port of each role, another one where somebody else has taken it meanwhile."""
        saved = {role: _saved_port(self.installation.config(role)) for role in self.installation.roles}
        kept = {role: port for role, port in saved.items() if port and (role in running or is_free(port))}
        missing = [role for role in saved if role not in kept]
        folder = self.installation.folder / "observe"
        return kept | dict(zip(missing, choose_ports(len(missing), folder, kept.values()), strict=True))

    def _kafka(self, principal: str, bootstrap: str) -> str:
        authority = self._authority
        service = principal.startswith("svc-")
        files = authority.service(principal) if service else authority.body(principal).transport
        ca, key, certificate = map(self._relative, (authority.transport_root, files.key, files.certificate))
        return table_text("kafka", bootstrap=bootstrap, ca=ca, certificate=certificate, key=key)

    def _agent(self, body: DemoBody, role: str) -> tuple[str, ...]:
        statement = self._authority.body(body.code).statement
        values = {
            "code": body.code,
            "key": self._relative(statement.key),
            "certificate": self._relative(statement.certificate),
            "format": body.format,
        }
        edms = {} if body is ECHO else {"folder": self._relative(self.installation.edms(body.code))}
        return (table_text("spool", folder=f"spool/{role}"), table_text("[body]", **values, **edms))

    def _write(self, role: str, *tables: str) -> None:
        follows = self._served and role in self._agents
        root, folder = self._relative(self._authority.directory.root), f"copies/{role}" if follows else "directory"
        directory = table_text("directory", folder=folder, root=root, **({"follow": True} if follows else {}))
        text = "\n".join([f"# {role} of a throw-away installation.\n", *tables, directory])
        write_atomically(self.installation.config(role), text.encode())

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.installation.folder))

    def _publish_directory(self) -> None:
        """Version 1; later versions are the operators' own."""
        keys = self._authority.directory
        folder = DirectoryFolder(self.installation.folder / "directory", keys.found(self._now))
        issuer = load_certificate(self._authority.statement_root).public_bytes(Encoding.DER)
        first = Directory(
            exchange=folder.exchange,
            version=1,
            digest=ZERO_DIGEST,
            previous=ZERO_DIGEST,
            issued=self._now,
            lanes=SHAPE.lanes,
            journal_partitions=SHAPE.journal_partitions,
            issuers=(issuer,),
            bodies={body.code: self._listed(body) for body in self._bodies},
        )
        DirectoryPublisher(folder).publish(first, keys.publishing(), self._now)

    def _refresh_directory(self) -> None:
        """Vouch for the newest version again, when that is due; list bodies that the installation did not have."""
        keys = self._authority.directory
        folder = DirectoryFolder.at(self.installation.folder / "directory", keys.root)
        latest, publisher = folder.latest(), DirectoryPublisher(folder)
        missing = {body.code: self._listed(body) for body in self._bodies if body.code not in latest.bodies}
        if missing:
            after = successor(latest, {**latest.bodies, **missing}, self._now)
            publisher.publish(after, keys.publishing(), self._now)
        elif self._now > folder.newest().fresh_until:
            publisher.stamp(keys.publishing().clock, self._now)

    def _listed(self, body: DemoBody) -> Body:
        files = self._authority.body(body.code)
        certificates = (
            _listed(files.statement, CertificateUse.STATEMENT),
            _listed(files.transport, CertificateUse.TRANSPORT),
        )
        return Body(body.code, body.names, body.kind, BodyStatus.CONNECTED, body.uids, body.soate, certificates)


def _listed(files: KeyFiles, use: CertificateUse) -> ListedCertificate:
    return ListedCertificate(load_certificate(files.certificate).public_bytes(Encoding.DER), use)


def _saved_port(config: Path) -> int:
    """The port in a configuration of ours, 0 before there is one."""
    if not config.exists():
        return 0
    return int(tomllib.loads(config.read_text(encoding="utf-8"))["observe"]["port"])


def _observe(port: int) -> str:
    return table_text("observe", host=HOST, port=port)
