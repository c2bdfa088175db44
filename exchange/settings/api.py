"""The [api] table of an agent's file: where its HTTP API is served, and whose tokens open it.

[api]
port = 9105
tokens = "api-tokens"             made by `exchange body token`
host = "10.1.2.3"                 127.0.0.1 when left out; any other needs the two below
certificate = "api.crt.pem"
key = "api.key.pem"               and passphrase_file, when it is encrypted
client_ca = "callers.crt.pem"     callers must have a certificate too
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.security.keys import KeyFiles
from exchange.settings.toml import Table, given_file


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """An agent's HTTP API.

    Attributes:
        host: an address of this machine.
        port: 0 takes any free one.
        tokens: the file of the tokens' digests.
        files: key and certificate of TLS; None without it.
        client_ca: who issues callers' certificates; None when they need none.
    """

    host: str
    port: int
    tokens: Path
    files: KeyFiles | None = None
    client_ca: Path | None = None


def api_settings(top: Table, environ: Mapping[str, str]) -> ApiSettings | None:
    """The table, when there is one; raises as `exchange.settings.agent.agent_settings`."""
    if not top.has("api"):
        return None
    with top.table("api") as api:
        host, port = api.text("host", "127.0.0.1"), api.number("port", least=0, most=65535)
        tokens = api.path("tokens")
        if not any([api.has("certificate"), api.has("key")]):
            return ApiSettings(host, port, tokens)
        key, certificate = given_file(api, "key", environ), given_file(api, "certificate", environ)
        passphrase = given_file(api, "passphrase_file", environ) if api.has("passphrase_file") else None
        client_ca = api.path("client_ca") if api.has("client_ca") else None
        return ApiSettings(host, port, tokens, KeyFiles(key, certificate, passphrase), client_ca)
