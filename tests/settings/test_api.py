"""The [api] table of an agent's file."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles
from exchange.settings.api import ApiSettings, api_settings
from exchange.settings.toml import opened

LEAST = '[api]\nport = 9105\ntokens = "tokens"\n'
TLS = 'certificate = "api.crt.pem"\nkey = "api.key.pem"\n'


def read(folder: Path, text: str) -> ApiSettings | None:
    """The table of a file with this text."""
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    with opened(file) as top:
        return api_settings(top, {})


def test_no_table_no_api(tmp_path: Path) -> None:
    """An agent serves none unless it is told to."""
    assert read(tmp_path, "") is None


def test_from_the_least_to_the_whole(tmp_path: Path) -> None:
    """Loopback without TLS; else certificate and key, a passphrase, and an issuer of callers."""
    assert read(tmp_path, LEAST) == ApiSettings("127.0.0.1", 9105, tmp_path / "tokens")
    files = KeyFiles(tmp_path / "api.key.pem", tmp_path / "api.crt.pem")
    assert read(tmp_path, f'{LEAST}host = "10.1.2.3"\n{TLS}') == ApiSettings(
        "10.1.2.3", 9105, tmp_path / "tokens", files
    )
    whole = read(tmp_path, f'{LEAST}{TLS}passphrase_file = "word"\nclient_ca = "ca.pem"\n')
    assert whole is not None
    assert (whole.files, whole.client_ca) == (
        KeyFiles(tmp_path / "api.key.pem", tmp_path / "api.crt.pem", tmp_path / "word"),
        tmp_path / "ca.pem",
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[api]\ntokens = "tokens"\n', "configuration-key-missing"),
        ("[api]\nport = 9105\n", "configuration-key-missing"),
        (f'{LEAST}key = "api.key.pem"\n', "configuration-key-missing"),
        (f'{LEAST}client_ca = "ca.pem"\n', "configuration-key-unknown"),
        (f"{LEAST}tls = true\n", "configuration-key-unknown"),
        (LEAST.replace("9105", "70000"), "configuration-value-invalid"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, code: str) -> None:
    """Half of a pair, callers' certificates without TLS, what nobody reads."""
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert refused.value.code == code
