"""Settings of each process: frozen, read from one small TOML file, checked to the last key.

A file holds the tables that its process needs and nothing else: what nobody reads is refused, so a
misspelt key is never silently without effect. Relative paths are relative to the file.

    router      [kafka] [directory] [policy] [crl] [router] [telemetry] [observe]
    tracker     [kafka] [directory] [policy] [store] [archive] [speaking] [observe]
    console     [kafka] [directory] [store] [console] [observe]     see `exchange.settings.console`
    agent       [kafka] [directory] [policy] [spool] [[body]] [gateway] [api] [documents] [log] [telemetry] [observe]
    canary      as an agent, and [canary]                          see `exchange.settings.agent`, as for agents
    directory   [kafka] [directory] [clock] [cluster] [quotas] [observe]
    witness     [witness] [listen] [[log]] [observe]               see `exchange.settings.witness`
    operator    [kafka] [directory] [store] [desk] [cluster] [quotas] [console] [archive] [log]    doctor, letters, …
    auditor     [kafka] [directory] [store] [archive] [log] [timestamps] [console]    audit, evidence

Where the cluster is, and who we are there, may also come from the environment, which then wins:
`EXCHANGE_KAFKA_BOOTSTRAP`, `EXCHANGE_KAFKA_CA`, `EXCHANGE_KAFKA_CERTIFICATE`, `EXCHANGE_KAFKA_KEY`,
`EXCHANGE_KAFKA_PASSPHRASE_FILE`. A key, certificate or passphrase file that systemd gives (`LoadCredential=`)
is named `credential:<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.bus.connection import KafkaSettings
from exchange.bus.topics import ClusterShape
from exchange.settings.console_access import ConsoleAccess, console_access
from exchange.settings.speaking import SpeakingSettings, speaking_settings
from exchange.settings.tables import (
    LOCK,
    ArchiveSettings,
    CrlSettings,
    DirectorySettings,
    LogSettings,
    ObserveSettings,
    read_archive,
    read_copies,
    read_crl,
    read_directory,
    read_kafka,
    read_log,
    read_observe,
    read_policy,
    read_quotas,
    read_store,
)
from exchange.settings.telemetry import TelemetrySettings, read_telemetry
from exchange.settings.timestamps import TimestampSettings, timestamp_settings
from exchange.settings.toml import given_file, opened

TICK_SECONDS = 30
"""How often a lane ticks when its router's file does not say it."""
MOST_TICK_SECONDS = 300
"""The shortest deadline that ships with the policy; whoever ticks more rarely learns of it too late to act."""


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """A router process.

    Attributes:
        policy: the policy file.
        crl: None where only the directory says what is revoked.
        tick_seconds: how often each lane says in the journal how far it has come.
        telemetry: None where nobody is told of traces.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    policy: Path
    observe: ObserveSettings
    crl: CrlSettings | None = None
    tick_seconds: int = TICK_SECONDS
    telemetry: TelemetrySettings | None = None


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """A tracker process.

    Attributes:
        policy: the policy file, which says what is due when.
        store: a database URL of SQLAlchemy.
        speaking: None where it says no deadlines.
        archive: None where old letters stay in the tables.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    policy: Path
    store: str
    observe: ObserveSettings
    speaking: SpeakingSettings | None = None
    archive: ArchiveSettings | None = None


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """What operators' commands need.

    Attributes:
        replication: copies that every topic must have.
        min_insync: copies that must be written before a record counts as taken.
        quotas: the quotas file; see `exchange.settings.quotas`.
        desk: the console's own database, where tasks are kept; it may be the same as `store`.
        console: the console that letters are asked of; None: the database is asked itself.
        log: the archive's logs, which are then looked at ourselves; None: they are not within reach.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    store: str
    replication: int
    min_insync: int
    quotas: Path
    desk: str
    console: ConsoleAccess | None = None
    log: LogSettings | None = None

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
    """What an auditor's commands need.

    Attributes:
        kafka: the journal; for replay and export. None: these read the archive's log.
        directory: the auditor's own copy, and root file.
        store: the tracker's, only to compare with it; empty: there is none.
        log: the archive's logs; None: they are not within reach.
        timestamps: who stamps evidence; None: nobody.
        console: keeps in the journal what the auditor does; None: nobody does.
    """

    kafka: KafkaSettings | None
    directory: DirectorySettings
    store: str
    log: LogSettings | None
    timestamps: TimestampSettings | None
    console: ConsoleAccess | None = None


def router_settings(file: Path, environ: Mapping[str, str]) -> RouterSettings:
    """Read a router's file.

    Raises:
        ConfigurationError: `configuration-missing`, `configuration-unreadable`,
            `configuration-key-missing`, `configuration-key-unknown`, `configuration-value-invalid`;
            each names file, table, key and the next step. The same holds for the other readers.
    """
    with opened(file) as top:
        with top.table("router", optional=True) as router:
            tick_seconds = router.number("tick_seconds", least=1, most=MOST_TICK_SECONDS, default=TICK_SECONDS)
        kafka, directory = read_kafka(top, environ), read_directory(top)
        policy, crl, telemetry = read_policy(top), read_crl(top), read_telemetry(top)
        return RouterSettings(kafka, directory, policy, read_observe(top), crl, tick_seconds, telemetry)


def tracker_settings(file: Path, environ: Mapping[str, str]) -> TrackerSettings:
    """Read a tracker's file."""
    with opened(file) as top:
        kafka, directory, policy = read_kafka(top, environ), read_directory(top), read_policy(top)
        speaking = speaking_settings(top, environ)
        store, archive = read_store(top), read_archive(top)
        return TrackerSettings(kafka, directory, policy, store, read_observe(top), speaking, archive)


def operator_settings(file: Path, environ: Mapping[str, str]) -> OperatorSettings:
    """Read an operator's file."""
    with opened(file) as top:
        with top.table("cluster") as cluster:
            replication, min_insync = read_copies(cluster)
        kafka, directory, store = read_kafka(top, environ), read_directory(top), read_store(top)
        desk = read_store(top, "desk") if top.has("desk") else store
        console, log = console_access(top), read_log(top, environ)
        return OperatorSettings(kafka, directory, store, replication, min_insync, read_quotas(top), desk, console, log)


def directory_settings(file: Path, environ: Mapping[str, str]) -> DirectoryServiceSettings:
    """Read the file of the directory's service."""
    with opened(file) as top:
        with top.table("clock") as table:
            clock = given_file(table, "key", environ)
            passphrase = given_file(table, LOCK, environ) if table.has(LOCK) else None
        with top.table("cluster") as cluster:
            replication, min_insync = read_copies(cluster)
            apply = cluster.flag("apply", default=True)
        return DirectoryServiceSettings(
            kafka=read_kafka(top, environ),
            directory=read_directory(top),
            clock=clock,
            clock_passphrase=passphrase,
            replication=replication,
            min_insync=min_insync,
            quotas=read_quotas(top),
            apply=apply,
            observe=read_observe(top),
        )


def auditor_settings(file: Path, environ: Mapping[str, str]) -> AuditorSettings:
    """Read an auditor's file."""
    with opened(file) as top:
        kafka = read_kafka(top, environ) if top.has("kafka") else None
        directory, store = read_directory(top), read_store(top) if top.has("store") else ""
        log, timestamps = read_log(top, environ), timestamp_settings(top)
        return AuditorSettings(kafka, directory, store, log, timestamps, console_access(top))
