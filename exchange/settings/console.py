"""The file of the operators' console.

[console]
port = 9180
tokens = "console-tokens"             of programs; made by `exchange console token`
public_url = "https://exchange.example.kg"   how browsers reach it; http(s)://host:port when left out
trusted_proxies = ["127.0.0.1"]       whose word about callers' addresses is taken: addresses or networks of our proxies
host = "10.1.2.3"                     127.0.0.1 when left out; any other needs the two below
certificate = "console.crt.pem"
key = "console.key.pem"               and passphrase_file, when it is encrypted

[desk]
url = "postgresql://console@host/desk"    accounts, sessions, tasks, notes; beside the tracker's tables when left out

[archive]
folder = "/srv/exchange-archive"      where packages of evidence are taken from; then [log] policy, too, and
                                      [timestamps] where they are to be stamped (`exchange.settings.timestamps`)

Beside these [kafka] [directory] [store] [observe], as the tracker has them, [speaking] (`exchange.settings.speaking`),
without which nobody can sign in, for that must stand in the journal, and [console.oidc] (`exchange.settings.oidc`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from exchange.bus.connection import KafkaSettings
from exchange.domain.address import web_address
from exchange.security.keys import KeyFiles
from exchange.settings.oidc import OidcSettings, oidc_settings
from exchange.settings.speaking import SpeakingSettings, speaking_settings
from exchange.settings.tables import (
    LOCK,
    DirectorySettings,
    LogSettings,
    ObserveSettings,
    read_directory,
    read_kafka,
    read_log,
    read_observe,
    read_store,
)
from exchange.settings.timestamps import TimestampSettings, timestamp_settings
from exchange.settings.toml import Table, given_file, opened

_PUBLIC = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,255}")


@dataclass(frozen=True, slots=True)
class Served:
    """Where the console is served.

    Attributes:
        host: an address of this machine.
        port: 0 takes any free one.
        public_url: how browsers reach it, without a path; empty: by host and port.
        tokens: the file of the tokens' digests.
        files: key and certificate of TLS; None without it.
        proxies: addresses and networks that say in `X-Forwarded-For` whose requests they bring; of all others the
            address counts from which they come.
    """

    host: str
    port: int
    public_url: str
    tokens: Path
    files: KeyFiles | None = None
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """A console process.

    Attributes:
        store: the tracker's database, as a URL of SQLAlchemy.
        desk: the database of accounts, sessions, tasks and notes; it may be the same.
        speaking: how it says what people do; None: then people do nothing.
        oidc: the identity provider; None without one.
        log: where evidence is taken from; None: none is given here.
        timestamps: who stamps it; None: nobody.
    """

    kafka: KafkaSettings
    directory: DirectorySettings
    store: str
    desk: str
    served: Served
    observe: ObserveSettings
    speaking: SpeakingSettings | None = None
    oidc: OidcSettings | None = None
    log: LogSettings | None = None
    timestamps: TimestampSettings | None = None


def console_settings(file: Path, environ: Mapping[str, str]) -> ConsoleSettings:
    """Read the console's file; raises as `exchange.settings.router_settings`."""
    with opened(file) as top:
        kafka, directory = read_kafka(top, environ), read_directory(top)
        with top.table("console") as table:
            served, oidc = _served(table, environ), oidc_settings(table, environ)
        store = read_store(top)
        desk = read_store(top, "desk") if top.has("desk") else store
        speaking = speaking_settings(top, environ)
        observe, log, timestamps = read_observe(top), read_log(top, environ), timestamp_settings(top)
        return ConsoleSettings(kafka, directory, store, desk, served, observe, speaking, oidc, log, timestamps)


def _served(table: Table, environ: Mapping[str, str]) -> Served:
    host, port = table.text("host", "127.0.0.1"), table.number("port", least=0, most=65535)
    url = table.text("public_url", "")
    if url and not (_PUBLIC.fullmatch(url) and web_address(url)):
        raise table.wrong("public_url", 'must be http:// or https:// with a host, and no path: "https://host"')
    tokens = table.path("tokens")
    files = None
    if any([table.has("certificate"), table.has("key")]):
        key, certificate = given_file(table, "key", environ), given_file(table, "certificate", environ)
        files = KeyFiles(key, certificate, given_file(table, LOCK, environ) if table.has(LOCK) else None)
    return Served(host, port, url, tokens, files, _proxies(table))


def _proxies(table: Table) -> tuple[str, ...]:
    """Networks; nobody may say for everybody whose a request is."""
    given = table.texts("trusted_proxies")
    try:
        networks = [ip_network(each) for each in given]
    except ValueError as error:
        raise table.wrong(
            "trusted_proxies", f"must be addresses or networks ({error}): 10.1.2.3, 10.1.0.0/16"
        ) from error
    if any(not network.prefixlen for network in networks):
        raise table.wrong("trusted_proxies", "must be your proxies: whoever is trusted may call himself by any address")
    return given
