"""Settings of each process: frozen, read from one small TOML file, checked to the last key.

A file holds the tables that its process needs and nothing else: what nobody reads is refused, so a
misspelt key is never silently without effect. Relative paths are relative to the file.

    router      [kafka] [directory] [policy] [crl] [observe]
    tracker     [kafka] [directory] [store] [observe]
    agent       [kafka] [directory] [policy] [spool] [[body]] [observe]
    directory   [kafka] [directory] [clock] [cluster] [quotas] [observe]
    operator    [kafka] [directory] [store] [cluster] [quotas]     doctor, directory, track, letters
    auditor     [kafka] [directory] [store]                        audit replay, audit export

Where the cluster is, and who we are there, may also come from the environment, which then wins:
`EXCHANGE_KAFKA_BOOTSTRAP`, `EXCHANGE_KAFKA_CA`, `EXCHANGE_KAFKA_CERTIFICATE`, `EXCHANGE_KAFKA_KEY`,
`EXCHANGE_KAFKA_LOCK_FILE`. A key, certificate or passphrase file that systemd gives (`LoadCredential=`)
is named `credential:<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.bus.connection import KafkaSettings
from exchange.bus.topics import ClusterShape
from exchange.domain.ids import is_body_code
from exchange.resources import resource
from exchange.security.keys import KeyFiles
from exchange.settings.toml import Table, opened

_LOCK = "passphrase_file"
"""The key that names the file of an encrypted key's passphrase."""


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """Where the signed directory lies, and the exchange's first root file, which vouches for it.

    Attributes:
        folder: the directory, or this process's own copy of it.
        root: the exchange's first root file.
        follow: whether the folder is a copy that this process keeps new from Kafka.
    """

    folder: Path
    root: Path
    follow: bool


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    """Where metrics and health are served; port 0 takes any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class CrlSettings:
    """Where issuers' revocation lists lie; `urls` to fetch them from, none: those that certificates name."""

    folder: Path
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """A router process; `policy` is the policy file, `crl` None where only the directory says what is revoked."""

    kafka: KafkaSettings
    directory: DirectorySettings
    policy: Path
    observe: ObserveSettings
    crl: CrlSettings | None = None


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """A tracker process; `store` is a database URL of SQLAlchemy."""

    kafka: KafkaSettings
    directory: DirectorySettings
    store: str
    observe: ObserveSettings


@dataclass(frozen=True, slots=True)
class BodySettings:
    """A body that an agent speaks for.

    Attributes:
        code: the body's code.
        statement: key and certificate that sign its statements.
        format: name of its EDMS's format.
        folder: where its EDMS's files come and go; None for a body that is served by the client alone.
    """

    code: str
    statement: KeyFiles
    format: str
    folder: Path | None


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """An agent process; `spool` is the folder of its only state, `policy` the policy file."""

    kafka: KafkaSettings
    directory: DirectorySettings
    policy: Path
    spool: Path
    bodies: tuple[BodySettings, ...]
    observe: ObserveSettings


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """What operators' commands need.

    Attributes:
        replication: copies that every topic must have.
        min_insync: copies that must be written before a record counts as taken.
        quotas: the quotas file; see `exchange.settings.quotas`.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    store: str
    replication: int
    min_insync: int
    quotas: Path

    def shape(self, lanes: int, journal_partitions: int) -> ClusterShape:
        """The cluster as it must be, with what the directory says about partitions."""
        return ClusterShape(lanes, journal_partitions, self.replication, self.min_insync)


@dataclass(frozen=True, slots=True)
class DirectoryServiceSettings:
    """The directory's service.

    Attributes:
        clock: file of the key that signs timestamps.
        clock_passphrase: file with that key's passphrase, None when it is not encrypted.
        replication: copies that every topic must have.
        min_insync: copies that must be written before a record counts as taken.
        quotas: the quotas file; see `exchange.settings.quotas`.
        apply: whether topics, rights and quotas are made what each version says; not where others own the cluster.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    clock: Path
    clock_passphrase: Path | None
    replication: int
    min_insync: int
    quotas: Path
    apply: bool
    observe: ObserveSettings

    def shape(self, lanes: int, journal_partitions: int) -> ClusterShape:
        """The cluster as it must be, with what the directory says about partitions."""
        return ClusterShape(lanes, journal_partitions, self.replication, self.min_insync)


@dataclass(frozen=True, slots=True)
class AuditorSettings:
    """What an auditor's commands need; `store` only to compare with it, may be empty."""

    kafka: KafkaSettings
    directory: DirectorySettings
    store: str


def router_settings(file: Path, environ: Mapping[str, str]) -> RouterSettings:
    """Read a router's file.

    Raises:
        ConfigurationError: `configuration-missing`, `configuration-unreadable`,
            `configuration-key-missing`, `configuration-key-unknown`, `configuration-value-invalid`;
            each names file, table, key and the next step. The same holds for the other readers.
    """
    with opened(file) as top:
        return RouterSettings(_kafka(top, environ), _directory(top), _policy(top), _observe(top), _crl(top))


def tracker_settings(file: Path, environ: Mapping[str, str]) -> TrackerSettings:
    """Read a tracker's file."""
    with opened(file) as top:
        return TrackerSettings(_kafka(top, environ), _directory(top), _store(top), _observe(top))


def agent_settings(file: Path, environ: Mapping[str, str]) -> AgentSettings:
    """Read an agent's file; it names at least one body, and each once."""
    with opened(file) as top:
        with top.table("spool") as spool:
            folder = spool.path("folder")
        bodies = tuple(_body(table, environ) for table in top.tables("body"))
        if len({body.code for body in bodies}) != len(bodies):
            raise top.wrong("body", "names a body twice: give each code one [[body]] table")
        kafka, directory = _kafka(top, environ), _directory(top)
        return AgentSettings(kafka, directory, _policy(top), folder, bodies, _observe(top))


def operator_settings(file: Path, environ: Mapping[str, str]) -> OperatorSettings:
    """Read an operator's file."""
    with opened(file) as top:
        with top.table("cluster") as cluster:
            replication, min_insync = _copies(cluster)
        quotas = _quotas(top)
        return OperatorSettings(_kafka(top, environ), _directory(top), _store(top), replication, min_insync, quotas)


def directory_settings(file: Path, environ: Mapping[str, str]) -> DirectoryServiceSettings:
    """Read the file of the directory's service."""
    with opened(file) as top:
        with top.table("clock") as table:
            clock = _given_file(table, "key", environ)
            passphrase = _given_file(table, _LOCK, environ) if table.has(_LOCK) else None
        with top.table("cluster") as cluster:
            replication, min_insync = _copies(cluster)
            apply = cluster.flag("apply", default=True)
        return DirectoryServiceSettings(
            kafka=_kafka(top, environ),
            directory=_directory(top),
            clock=clock,
            clock_passphrase=passphrase,
            replication=replication,
            min_insync=min_insync,
            quotas=_quotas(top),
            apply=apply,
            observe=_observe(top),
        )


def auditor_settings(file: Path, environ: Mapping[str, str]) -> AuditorSettings:
    """Read an auditor's file."""
    with opened(file) as top:
        return AuditorSettings(_kafka(top, environ), _directory(top), _store(top))


def _copies(cluster: Table) -> tuple[int, int]:
    replication = cluster.number("replication", least=1, most=9)
    return replication, cluster.number("min_insync", least=1, most=replication)


def _quotas(top: Table) -> Path:
    """The quotas file; the one that comes with the exchange when none is named."""
    with top.table("quotas", optional=True) as table:
        return table.path("file") if table.has("file") else resource("config", "quotas.toml")


def _kafka(top: Table, environ: Mapping[str, str]) -> KafkaSettings:
    """The [kafka] table, and what the environment says instead."""
    with top.table("kafka", optional="EXCHANGE_KAFKA_BOOTSTRAP" in environ) as kafka:
        kafka.has("bootstrap")
        bootstrap = environ.get("EXCHANGE_KAFKA_BOOTSTRAP") or kafka.text("bootstrap")
        ca, certificate, key = (_kafka_file(kafka, name, environ) for name in ("ca", "certificate", "key"))
        encrypted = kafka.has(_LOCK) or _kafka_variable(_LOCK) in environ
        return KafkaSettings(bootstrap, ca, certificate, key, _kafka_file(kafka, _LOCK, environ) if encrypted else None)


def _kafka_file(kafka: Table, name: str, environ: Mapping[str, str]) -> Path:
    kafka.has(name)
    given = environ.get(_kafka_variable(name))
    return Path(given).expanduser().absolute() if given else _given_file(kafka, name, environ)


def _kafka_variable(name: str) -> str:
    return f"EXCHANGE_KAFKA_{name.upper()}"


def _given_file(table: Table, name: str, environ: Mapping[str, str]) -> Path:
    """A file by its path, or by the name under which systemd gives it to the service."""
    prefix, _, credential = table.text(name).partition(":")
    if prefix != "credential":
        return table.path(name)
    if not credential or "/" in credential:
        raise table.wrong(name, "names no credential: write credential: and the name that LoadCredential= gives it")
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        problem = f"is a credential, and systemd gave none: add LoadCredential={credential}:<file> to the service"
        raise table.refused(name, problem, code="credential-missing")
    return Path(folder, credential)


def _directory(top: Table) -> DirectorySettings:
    with top.table("directory") as directory:
        follow = directory.flag("follow", default=False)
        return DirectorySettings(directory.path("folder"), directory.path("root"), follow)


def _policy(top: Table) -> Path:
    with top.table("policy") as policy:
        return policy.path("file")


def _crl(top: Table) -> CrlSettings | None:
    if not top.has("crl"):
        return None
    with top.table("crl") as crl:
        return CrlSettings(crl.path("folder"), crl.texts("urls"))


def _store(top: Table) -> str:
    """A database URL; SQLite's files are relative to the configuration like every path."""
    with top.table("store") as store:
        url = store.text("url")
        prefix = "sqlite:///"
        if not url.startswith(prefix) or url.removeprefix(prefix).startswith((":", "/")):
            return url
        return f"{prefix}{store.beside(url.removeprefix(prefix))}"


def _observe(top: Table) -> ObserveSettings:
    with top.table("observe", optional=True) as observe:
        host = observe.text("host", "127.0.0.1")
        return ObserveSettings(host, observe.number("port", least=0, most=65535, default=0))


def _body(table: Table, environ: Mapping[str, str]) -> BodySettings:
    with table as body:
        code = body.text("code")
        if not is_body_code(code):
            raise body.wrong("code", "is no body code: 1-63 of a-z, 0-9 and '-', not starting with 'svc-'")
        key, certificate = (_given_file(body, name, environ) for name in ("key", "certificate"))
        keys = KeyFiles(key, certificate, _given_file(body, _LOCK, environ) if body.has(_LOCK) else None)
        folder = body.path("folder") if body.has("folder") else None
        return BodySettings(code, keys, body.text("format"), folder)
