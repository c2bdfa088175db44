"""An archive's file: [kafka] [directory] [archive] [log] [serve] [publish] [timestamps] [speaking] [observe].

[archive]
folder = "archive"                the logs, what finds entries, and contents; of this process alone

[log]
key = "log.key.pem"               made by `exchange log key`; with passphrase_file when it is encrypted
policy = "log.policy"             whose signatures count, and where witnesses are

[serve]                           without it the logs are read from the folder alone
port = 9106
host = "10.1.2.3"                 127.0.0.1 when left out; any other needs the two below
certificate = "archive.crt.pem"
key = "archive.key.pem"           and passphrase_file, when it is encrypted
client_ca = "callers.crt.pem"     callers must have a certificate
entries = true                    the journal's entries too, which tell who wrote to whom; else hashes alone

[publish]                         without it nothing is put into an object store
url = "s3://exchange-log/2026"    or gs://, az://, file:///; nothing else is kept under it
store = "store.toml"              its address and keys, see `exchange.settings.object_store`; else the environment's
entries = true                    as under [serve]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.bus.connection import KafkaSettings
from exchange.security.keys import KeyFiles
from exchange.settings.object_store import read_store_file, store_address
from exchange.settings.speaking import SpeakingSettings, speaking_settings
from exchange.settings.tables import (
    LOCK,
    DirectorySettings,
    ObserveSettings,
    read_directory,
    read_kafka,
    read_observe,
)
from exchange.settings.timestamps import TimestampSettings, timestamp_settings
from exchange.settings.toml import Table, given_file, opened


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The log's key, file of its passphrase or None, and the policy."""

    key: Path
    passphrase: Path | None
    policy: Path


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where the logs are served.

    Attributes:
        host: an address of this machine.
        port: 0 takes any free one.
        entries: whether entries of the journal are served, and not their hashes only.
        files: key and certificate of TLS; None serves plain HTTP, on this machine only.
        client_ca: who issues callers' certificates; None when they need none.
    """

    host: str
    port: int
    entries: bool
    files: KeyFiles | None = None
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Where the logs are put.

    Attributes:
        url: of a place in an object store.
        store: file with its address and keys; None: the environment has them.
        entries: whether entries of the journal are put, and not their hashes only.
    """

    url: str
    store: Path | None
    entries: bool


@dataclass(frozen=True, slots=True)
class ArchiveServiceSettings:
    """An archive's process.

    Attributes:
        folder: of the archive.
        serve: None where nobody reads the logs over HTTP.
        timestamps: None where no authority stamps checkpoints.
        speaking: None where what people do on this machine does not come to the journal.
        publish: None where nothing is put into an object store.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    folder: Path
    log: LogSettings
    observe: ObserveSettings
    serve: ServeSettings | None = None
    timestamps: TimestampSettings | None = None
    speaking: SpeakingSettings | None = None
    publish: PublishSettings | None = None


def archive_settings(file: Path, environ: Mapping[str, str]) -> ArchiveServiceSettings:
    """Read an archive's file.

    Raises:
        ConfigurationError: as `exchange.settings.router_settings`.
    """
    with opened(file) as top:
        with top.table("archive") as table:
            folder = table.path("folder")
        with top.table("log") as table:
            key, policy = given_file(table, "key", environ), table.path("policy")
            passphrase = given_file(table, LOCK, environ) if table.has(LOCK) else None
        kafka, directory = read_kafka(top, environ), read_directory(top)
        log, serve = LogSettings(key, passphrase, policy), _serve(top, environ)
        stamps, speaking = timestamp_settings(top), speaking_settings(top, environ)
        publish, observe = _publish(top, environ), read_observe(top)
        return ArchiveServiceSettings(kafka, directory, folder, log, observe, serve, stamps, speaking, publish)


def _publish(top: Table, environ: Mapping[str, str]) -> PublishSettings | None:
    if not top.has("publish"):
        return None
    with top.table("publish") as publish:
        store = read_store_file(publish, environ)
        return PublishSettings(store_address(publish), store, publish.flag("entries", default=False))


def _serve(top: Table, environ: Mapping[str, str]) -> ServeSettings | None:
    if not top.has("serve"):
        return None
    with top.table("serve") as serve:
        host, port = serve.text("host", "127.0.0.1"), serve.number("port", least=0, most=65535)
        entries = serve.flag("entries", default=False)
        if not any([serve.has("certificate"), serve.has("key")]):
            return ServeSettings(host, port, entries)
        key, certificate = given_file(serve, "key", environ), given_file(serve, "certificate", environ)
        passphrase = given_file(serve, LOCK, environ) if serve.has(LOCK) else None
        client_ca = serve.path("client_ca") if serve.has("client_ca") else None
        return ServeSettings(host, port, entries, KeyFiles(key, certificate, passphrase), client_ca)
