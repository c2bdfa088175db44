"""Tables that several processes' files share: where the cluster, the directory and the database are, and the like."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.archive.addresses import ArchiveAddress, ArchivePlace, StoreAddress
from exchange.bus.connection import KafkaSettings
from exchange.bus.line import LINES
from exchange.domain.address import web_address
from exchange.resources import resource
from exchange.security.keys import KeyFiles
from exchange.settings.object_store import SCHEMES, read_store_file, store_address, store_options
from exchange.settings.toml import Table, given_file

LOCK = "passphrase_file"
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


def read_copies(cluster: Table) -> tuple[int, int]:
    """Copies that every topic must have, and how many must be written before a record counts as taken."""
    replication = cluster.number("replication", least=1, most=9)
    return replication, cluster.number("min_insync", least=1, most=replication)


def read_quotas(top: Table) -> Path:
    """The quotas file; the one that comes with the exchange when none is named."""
    with top.table("quotas", optional=True) as table:
        return table.path("file") if table.has("file") else resource("config", "quotas.toml")


def read_kafka(top: Table, environ: Mapping[str, str]) -> KafkaSettings:
    """The [kafka] table, and what the environment says instead."""
    with top.table("kafka", optional="EXCHANGE_KAFKA_BOOTSTRAP" in environ) as kafka:
        kafka.has("bootstrap")
        bootstrap = environ.get("EXCHANGE_KAFKA_BOOTSTRAP") or kafka.text("bootstrap")
        ca, certificate, key = (_kafka_file(kafka, name, environ) for name in ("ca", "certificate", "key"))
        encrypted = kafka.has(LOCK) or _kafka_variable(LOCK) in environ
        lock = _kafka_file(kafka, LOCK, environ) if encrypted else None
        line = kafka.text("line", "ordinary")
        if line not in LINES:
            raise kafka.wrong("line", f"must be one of {', '.join(LINES)}")
        return KafkaSettings(bootstrap, ca, certificate, key, lock, LINES[line])


def _kafka_file(kafka: Table, name: str, environ: Mapping[str, str]) -> Path:
    kafka.has(name)
    given = environ.get(_kafka_variable(name))
    return Path(given).expanduser().absolute() if given else given_file(kafka, name, environ)


def _kafka_variable(name: str) -> str:
    return f"EXCHANGE_KAFKA_{name.upper()}"


def read_directory(top: Table) -> DirectorySettings:
    """The [directory] table."""
    with top.table("directory") as directory:
        follow = directory.flag("follow", default=False)
        return DirectorySettings(directory.path("folder"), directory.path("root"), follow)


def read_policy(top: Table) -> Path:
    """The file that [policy] names."""
    with top.table("policy") as policy:
        return policy.path("file")


def read_crl(top: Table) -> CrlSettings | None:
    """The [crl] table, when there is one."""
    if not top.has("crl"):
        return None
    with top.table("crl") as crl:
        return CrlSettings(crl.path("folder"), crl.texts("urls"))


def read_documents(top: Table) -> Path | None:
    """The file that [documents] names, when there is the table."""
    if not top.has("documents"):
        return None
    with top.table("documents") as documents:
        return documents.path("trust")


def read_store(top: Table, name: str = "store") -> str:
    """A table's database URL; SQLite's files are relative to the configuration like every path."""
    with top.table(name) as store:
        url = store.text("url")
        prefix = "sqlite:///"
        if not url.startswith(prefix) or url.removeprefix(prefix).startswith((":", "/")):
            return url
        return f"{prefix}{store.beside(url.removeprefix(prefix))}"


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where a tracker puts old letters away.

    Attributes:
        folder: the same for all trackers of a database.
        keep_months: finished deliveries stay in the tables for so many whole months.
    """

    folder: Path
    keep_months: int


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The archive's logs, as who verifies them reads them.

    Attributes:
        place: the archive's folder; the address where it is served, or that of an object store, and as whom we ask.
        policy: file that says whose word about the log counts.
    """

    place: ArchivePlace
    policy: Path


def read_log(top: Table, environ: Mapping[str, str]) -> LogSettings | None:
    """The tables [archive], with `folder` or `url`, and [log], with `policy`; None without them.

    Beside `url` there may be `ca`, and `certificate` and `key`, with `passphrase_file` when it is encrypted; beside
    that of an object store, `store`: see `exchange.settings.object_store`.
    """
    if not top.has("archive"):
        return None
    with top.table("archive") as archive:
        place = archive.path("folder") if archive.has("folder") else _address(archive, environ)
    with top.table("log") as log:
        return LogSettings(place, log.path("policy"))


def _address(archive: Table, environ: Mapping[str, str]) -> ArchiveAddress | StoreAddress:
    url = archive.text("url")
    if url.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)):
        return StoreAddress(store_address(archive), store_options(read_store_file(archive, environ)))
    if web_address(url) is None:
        raise archive.wrong("url", "must be the address where the archive serves its logs, with https:// or http://")
    ca = archive.path("ca") if archive.has("ca") else None
    if not any([archive.has("certificate"), archive.has("key")]):
        return ArchiveAddress(url, ca)
    if not url.startswith("https:"):
        raise archive.wrong("url", "must begin with https://: a certificate is shown over TLS alone")
    key, certificate = given_file(archive, "key", environ), given_file(archive, "certificate", environ)
    lock = given_file(archive, LOCK, environ) if archive.has(LOCK) else None
    return ArchiveAddress(url, ca, KeyFiles(key, certificate, lock))


def read_archive(top: Table) -> ArchiveSettings | None:
    """The [archive] table; without it everything stays in the tables."""
    if not top.has("archive"):
        return None
    with top.table("archive") as archive:
        return ArchiveSettings(archive.path("folder"), archive.number("keep_months", least=1, most=1200))


def read_observe(top: Table) -> ObserveSettings:
    """The [observe] table; without it any free port of this machine."""
    with top.table("observe", optional=True) as observe:
        host = observe.text("host", "127.0.0.1")
        return ObserveSettings(host, observe.number("port", least=0, most=65535, default=0))
