"""A witness's file: its key, where it listens, what it remembers, and the logs that it cosigns.

[witness]
name = "witness.justice.example"      as it was given to `exchange log key --witness`
key = "witness.key.pem"               with passphrase_file when it is encrypted
state = "state"                       a folder of its own, which is never put back from a copy

[listen]
port = 7380
host = "10.1.2.3"                     127.0.0.1 when left out; any other needs the two below
certificate = "witness.crt.pem"
key = "witness-tls.key.pem"           and passphrase_file, when it is encrypted

[[log]]
key = "exchange/5f…+6a0c1d2e+AX…"     what the log's holder gave: NAME+ID+KEY
tiles = "https://archive.example"     where the archive's folder is served; without it only the log of heads is checked
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.domain.address import web_address
from exchange.security.keys import KeyFiles
from exchange.settings.tables import LOCK, ObserveSettings, read_observe
from exchange.settings.toml import Table, given_file, opened
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import Kind, Verifier


@dataclass(frozen=True, slots=True)
class WatchedSettings:
    """A log's key, and where its tiles are read; empty when nowhere."""

    key: Verifier
    tiles: str = ""


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """A witness process.

    Attributes:
        name: what it signs as.
        key: file of its private key.
        passphrase: file of that key's passphrase, None when it is not encrypted.
        state: its folder.
        host: an address of this machine.
        port: 0 takes any free one.
        files: key and certificate of TLS; None without it.
        logs: by name.
        observe: where metrics and health are served.
    """

    name: str
    key: Path
    passphrase: Path | None
    state: Path
    host: str
    port: int
    files: KeyFiles | None
    logs: Mapping[str, WatchedSettings]
    observe: ObserveSettings


def witness_settings(file: Path, environ: Mapping[str, str]) -> WitnessSettings:
    """Read a witness's file.

    Raises:
        ConfigurationError: what is wrong with it, and where.
    """
    with opened(file) as top:
        with top.table("witness") as table:
            name, key, state = table.text("name"), given_file(table, "key", environ), table.path("state")
            lock = given_file(table, LOCK, environ) if table.has(LOCK) else None
        with top.table("listen") as listen:
            host, port = listen.text("host", "127.0.0.1"), listen.number("port", least=0, most=65535)
            files = _tls(listen, environ) if listen.has("certificate") or listen.has("key") else None
        logs = _logs(top.tables("log"))
        return WitnessSettings(name, key, lock, state, host, port, files, logs, read_observe(top))


def _tls(listen: Table, environ: Mapping[str, str]) -> KeyFiles:
    key, certificate = given_file(listen, "key", environ), given_file(listen, "certificate", environ)
    return KeyFiles(key, certificate, given_file(listen, LOCK, environ) if listen.has(LOCK) else None)


def _logs(tables: list[Table]) -> dict[str, WatchedSettings]:
    logs: dict[str, WatchedSettings] = {}
    for table in tables:
        with table:
            try:
                key = Verifier.parse(table.text("key"))
            except LogRefused as error:
                raise table.refused("key", f": {error}", error.code) from error
            if key.kind is not Kind.NOTE or key.name in logs:
                raise table.wrong("key", "must be the key of a log, each log once")
            tiles = table.text("tiles", "")
            if tiles and web_address(tiles) is None:
                raise table.wrong("tiles", "must be an address of http or https")
            logs[key.name] = WatchedSettings(key, tiles)
    return logs
