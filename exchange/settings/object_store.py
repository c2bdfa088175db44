"""An object store: its place, and the file with its address and keys.

url = "s3://exchange-log/2026"    gs://bucket/prefix, az://account/container/prefix, file:///folder

endpoint = "https://s3.example.kg"    in a file of its own: of a store that is not its maker's
region = "kg-1"
access_key_id = "…"
secret_access_key = "…"
ca = "store-ca.pem"                   who else vouches for its certificate; beside the file

What the file does not say the environment may, by the store's own names: `AWS_REGION`, `AZURE_STORAGE_ACCOUNT_KEY`, …
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from exchange.domain.errors import ConfigurationError
from exchange.settings.toml import Table, given_file, opened

SCHEMES = ("s3", "gs", "az", "file")
KEYS = (
    "endpoint",
    "region",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "account_name",
    "account_key",
    "tenant_id",
    "client_id",
    "client_secret",
    "service_account",
)
FLAGS = ("skip_signature", "virtual_hosted_style_request")
_CHARACTERS = 500


def store_address(table: Table) -> str:
    """The key `url` of a table."""
    url = table.text("url")
    if not _is_place(url):
        problem = f"must be a place in an object store, beginning with {', '.join(f'{each}://' for each in SCHEMES)}"
        raise table.wrong("url", problem)
    return url.rstrip("/")


def read_store_file(table: Table, environ: Mapping[str, str]) -> Path | None:
    """The file that the key `store` of a table names, if it does."""
    return given_file(table, "store", environ) if table.has("store") else None


def store_options(file: Path | None) -> dict[str, str]:
    """What a store's own file says.

    Raises:
        ConfigurationError: as all settings; `configuration-missing`: the certificates are not there.
    """
    if file is None:
        return {}
    with opened(file) as top:
        said = {key: top.text(key) for key in KEYS if top.has(key)}
        said |= {key: "true" for key in FLAGS if top.has(key) and top.flag(key, default=False)}
        if top.has("ca"):
            said["ca"] = _read(top.path("ca"))
        return said


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} holds no certificates in PEM that can be read: name them under `ca`"
        raise ConfigurationError(message, code="configuration-missing") from error


def _is_place(url: str) -> bool:
    if len(url) > _CHARACTERS or not url.isprintable() or not url.isascii():
        return False
    try:
        parts = urlsplit(url)
        plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.port)
    except ValueError:
        return False
    named = bool(parts.netloc) if parts.scheme != "file" else not parts.netloc and parts.path.startswith("/")
    return parts.scheme in SCHEMES and plain and named
