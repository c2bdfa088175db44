"""A whole throw-away installation in one folder: for `exchange demo`, `exchange dev` and tests.

    <folder>/authority/              certificate authority, certificates of bodies and services
    <folder>/directory/              the signed directory
    <folder>/policy.toml             what the router decides by
    <folder>/quotas.toml             how much of the brokers each may use
    <folder>/{directory,router,tracker,archive,witness,operator,auditor}.toml
    <folder>/log/, archive/, witness/, tsa/    the transparency log, and who stamps it: see `log_keeping`
    <folder>/console.toml, desk.sqlite   the operators' console, where there is one, and its own state
    <folder>/agent-<body>.toml       the agent of the body, and of those whom it carries if it is a gateway
    <folder>/echo.toml               the echo, where there is one
    <folder>/edms/<body>/            where the body's document system leaves and finds files
    <folder>/spool/, tracker.sqlite  state
    <folder>/copies/agent-<body>/    the agent's own copy of the directory, when a service hands it on
    <folder>/kafka/, logs/           the broker, and what each process says

Everything is made once and used again; only what names the broker's address is written each time, unless somebody
took its first line away to keep what he changed there.
"""

import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from exchange.bus.access import (
    ARCHIVE,
    AUDITOR,
    CONSOLE,
    DIRECTORY_SERVICE,
    ROUTER,
    TRACKER,
    Grant,
    body_grants,
    service_grants,
)
from exchange.bus.topics import ClusterShape, TopicSpec, inbox_topic, service_topics
from exchange.domain.errors import ConfigurationError
from exchange.domain.own_bodies import ARCHIVE_BODY, CONSOLE_BODY, TRACKER_BODY
from exchange.embedded.demo_bodies import ECHO, DemoBody
from exchange.embedded.demo_directory import DemoDirectory
from exchange.embedded.installed import Installation, agents, role_of
from exchange.embedded.log_keeping import POLICY, LogKeeping, has_tsa, prepare_tsa, reader_tables
from exchange.embedded.ports import HOST, choose_ports, is_free, saved_port
from exchange.embedded.speakers import SERVICES, speaking_table
from exchange.embedded.tls import ClusterTls
from exchange.resources import resource
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.files import write_atomically
from exchange.security.validity import Validity
from exchange.settings.bodies import BODY
from exchange.settings.toml import table_text

ADMIN = "svc-admin"
AUDITOR_TOKEN = "auditor.token"  # noqa: S105  # a file's name
_BEGUN = timedelta(days=30)
"""For how long certificates that are about to expire have been good."""
_DESK = "sqlite:///desk.sqlite"
TICK_SECONDS = 2
"""Of the router: who tries the exchange out need not wait for what is late."""
SHAPE = ClusterShape(lanes=4, journal_partitions=4, replication=1, min_insync=1)


def topics(bodies: Sequence[str], shape: ClusterShape = SHAPE) -> tuple[TopicSpec, ...]:
    """Every topic of an exchange with these bodies; who speaks for a service has an inbox, too."""
    return (*service_topics(shape), *(inbox_topic(code, shape) for code in (*bodies, *SERVICES)))


def grants(bodies: Sequence[str]) -> tuple[Grant, ...]:
    """Every right in an exchange with these bodies."""
    return (*service_grants(), *(grant for code in bodies for grant in body_grants(code)))


class Installer:
    """Makes an installation, or completes one."""

    def __init__(
        self,
        folder: Path,
        bodies: Sequence[DemoBody],
        now: datetime,
        *,
        served: bool = False,
        console: bool = False,
        expiring: Mapping[str, timedelta] = MappingProxyType({}),
        tick_seconds: int = TICK_SECONDS,
    ) -> None:
        """Make or reuse the authority and everything that does not depend on a running broker.

        Args:
            folder: of the installation.
            bodies: whom it has.
            now: present time (UTC).
            served: whether the directory's service runs: agents then have copies of their own, which follow it.
            console: whether the operators' console is set up, too.
            expiring: how long the certificates of these bodies, by code, are good from now; a year where none is named.
            tick_seconds: of the router.

        Raises:
            KeyRefused, DirectoryRefused: what is there was altered; remove the folder.
            ConfigurationError: `installation-outdated`.
            OSError: the folder cannot be written.
        """
        self._bodies = tuple(bodies)
        self._served = served
        self._tick_seconds = tick_seconds
        self._running: Collection[str] = ()
        self.installation = Installation(folder, agents(bodies), console=console)
        self._refuse_outdated()
        self._authority = Authority(folder / "authority", now=now)
        self.fresh = not (folder / "directory" / TIMESTAMP).exists()
        """Whether this made the exchange: then no cluster can hold letters of it yet."""
        for role in (DIRECTORY_SERVICE, ROUTER, TRACKER, ARCHIVE, CONSOLE, AUDITOR, ADMIN):
            self._authority.service(role)
        directory = DemoDirectory(folder / "directory", self._authority, self._bodies, now)
        if self.fresh:
            for code, left in expiring.items():
                self._authority.body(code, validity=Validity(now - _BEGUN, now + left))
            directory.publish(SHAPE)
        else:
            directory.refresh()
        for name in ("policy.toml", "quotas.toml"):
            if not (folder / name).exists():
                shutil.copyfile(resource("config", name), folder / name)
        prepare_tsa(folder, now)
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
        self._running = frozenset(running)
        ports = self._ports()
        kafka = {name: self._kafka(name, bootstrap) for name in (DIRECTORY_SERVICE, ROUTER, TRACKER, ADMIN, AUDITOR)}
        store = table_text("store", url="sqlite:///tracker.sqlite")
        policy = table_text("policy", file="policy.toml")
        copies = {"replication": SHAPE.replication, "min_insync": SHAPE.min_insync}
        folder = self.installation.folder
        quotas = table_text("quotas", file="quotas.toml")
        clock = table_text("clock", key=self._relative(self._authority.directory.clock))
        cluster = table_text("cluster", **copies, apply=ours)
        self._write("directory", kafka[DIRECTORY_SERVICE], clock, cluster, quotas, _observe(ports["directory"]))
        ticks = table_text("router", tick_seconds=self._tick_seconds)
        self._write("router", kafka[ROUTER], policy, ticks, _observe(ports["router"]))
        speaking = speaking_table(self._authority, TRACKER_BODY, folder)
        self._write("tracker", kafka[TRACKER], policy, store, speaking, _observe(ports["tracker"]))
        stamping = self._write_log(bootstrap, ports)
        if self.installation.console:
            self._write("console", *self._console(bootstrap), store, _observe(ports["console"]))
        desk = [table_text("desk", url=_DESK)] if self.installation.console else []
        cluster = table_text("cluster", **copies)
        self._write("operator", kafka[ADMIN], store, *desk, cluster, quotas, *reader_tables())
        self._write("auditor", kafka[AUDITOR], store, *reader_tables(), *stamping, *self._console_of_auditor())
        for body in self._bodies:
            if body.gateway:
                continue
            role = role_of(body.code)
            kafka_of_body = self._kafka(body.code, bootstrap)
            self._write(role, kafka_of_body, policy, *self._agent(body, role), _observe(ports[role]))

    def _write_log(self, bootstrap: str, ports: Mapping[str, int]) -> tuple[str, ...]:
        """Configurations of the archive and its witness, and the policy that names both; who stamps is returned."""
        folder = self.installation.folder
        exchange = DirectoryFolder.at(folder / "directory", self._authority.directory.root).exchange
        tsa = self._port("tsa", "authority") if has_tsa(folder) else None
        log = LogKeeping(folder, exchange, self._port("archive", "serve"), self._port("witness", "listen"), tsa)
        log.write_policy()
        joined = self._kafka(ARCHIVE, bootstrap), self._directory("archive")
        speaking = speaking_table(self._authority, ARCHIVE_BODY, folder)
        self._write_file("archive", *log.archive_tables(), speaking, _observe(ports["archive"]), *joined)
        self._write_file("witness", *log.witness_tables(), _observe(ports["witness"]))
        if tsa is not None:
            self._write_file("tsa", log.tsa_table(), _observe(ports["tsa"]))
        return log.stamping_tables()

    def _kept_port(self, role: str, table: str = "observe") -> int:
        """The saved port of a role's table; 0 before there is one, or where somebody else has taken it meanwhile."""
        saved = saved_port(self.installation.config(role), table)
        return saved if saved and (role in self._running or is_free(saved)) else 0

    def _port(self, role: str, table: str) -> int:
        """The port of a role's table, a new one where none is kept."""
        return self._kept_port(role, table) or choose_ports(1, self.installation.folder / role)[0]

    def _ports(self) -> dict[str, int]:
        """The port at which each role is observed, a new one where none is kept."""
        roles = self.installation.roles
        kept = {role: port for role in roles if (port := self._kept_port(role))}
        missing = [role for role in roles if role not in kept]
        chosen = choose_ports(len(missing), self.installation.folder / "observe", kept.values())
        return kept | dict(zip(missing, chosen, strict=True))

    def _console(self, bootstrap: str) -> tuple[str, ...]:
        folder = self.installation.folder
        web = table_text("console", port=self._port("console", "console"), tokens="console-tokens")
        desk = table_text("desk", url=_DESK)
        speaking = speaking_table(self._authority, CONSOLE_BODY, folder)
        return self._kafka(CONSOLE, bootstrap), speaking, desk, web, *reader_tables()

    def _console_of_auditor(self) -> tuple[str, ...]:
        """Who keeps what auditors do, where there is a console; whoever shows the console makes the token."""
        if not self.installation.console:
            return ()
        port = saved_port(self.installation.config("console"), "console")
        return (table_text("console", url=f"http://{HOST}:{port}", token=AUDITOR_TOKEN),)

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
        }
        edms = {} if body is ECHO else {"edms": self._relative(self._profile(body))}
        own = table_text("spool", folder=f"spool/{role}"), table_text("log", policy=POLICY)
        tables = (*own, table_text("[body]", **values, **edms))
        if all(other.gateway != body.code for other in self._bodies):
            return tables
        keys = self._relative(statement.key.parent.with_name(BODY))
        return (*tables, table_text("gateway", body=body.code, keys=keys, **edms))

    def _profile(self, body: DemoBody) -> Path:
        """How the body's document system is connected: a copy of the ready profile, for all that have it."""
        file = self.installation.folder / f"{body.profile}.toml"
        if not file.exists():
            shutil.copyfile(resource("config", "agents", file.name), file)
        return file

    def _write(self, role: str, *tables: str) -> None:
        self._write_file(role, *tables, self._directory(role))

    def _directory(self, role: str) -> str:
        follows = self._served and role in map(role_of, self.installation.agents)
        root, folder = self._relative(self._authority.directory.root), f"copies/{role}" if follows else "directory"
        return table_text("directory", folder=folder, root=root, **({"follow": True} if follows else {}))

    def _write_file(self, role: str, *tables: str) -> None:
        file, ours = self.installation.config(role), f"# {role} of a throw-away installation"
        if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(ours):
            return
        head = f"{ours}, written anew at each start: remove this line, and the file stays as you change it.\n"
        write_atomically(file, "\n".join([head, *tables]).encode())

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.installation.folder))

    def _refuse_outdated(self) -> None:
        """A body that had an agent has letters in its spool, which no gateway reads."""
        for body in self._bodies:
            if body.gateway and self.installation.config(role_of(body.code)).exists():
                message = (
                    f"{self.installation.folder} was made by an earlier version, where {body.code} had an agent of "
                    "its own: remove it, `exchange dev down --remove`, and start anew"
                )
                raise ConfigurationError(message, code="installation-outdated")


def _observe(port: int) -> str:
    return table_text("observe", host=HOST, port=port)
