"""An archive's file."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings.archive import archive_settings

WHOLE = """
[kafka]
bootstrap = "127.0.0.1:1"
ca = "ca.pem"
certificate = "crt.pem"
key = "key.pem"
[directory]
folder = "directory"
root = "1.root.json"
[archive]
folder = "archive"
[log]
key = "log.key.pem"
policy = "log.policy"
"""
SERVE = """
[serve]
host = "10.1.2.3"
port = 9106
certificate = "serve.crt.pem"
key = "serve.key.pem"
client_ca = "callers.pem"
entries = true
"""


def test_it_is_read_whole(tmp_path: Path) -> None:
    """Paths begin at the file; without [serve] nobody reads over HTTP."""
    file = tmp_path / "archive.toml"
    file.write_text(WHOLE)
    settings = archive_settings(file, {})
    assert (settings.folder, settings.log.policy) == (tmp_path / "archive", tmp_path / "log.policy")
    assert (settings.serve, settings.timestamps, settings.log.passphrase) == (None, None, None)
    file.write_text(WHOLE.replace("[log]", '[log]\npassphrase_file = "word"') + SERVE)
    settings = archive_settings(file, {})
    assert settings.serve is not None
    assert settings.serve.files is not None
    assert (settings.serve.entries, settings.serve.client_ca) == (True, tmp_path / "callers.pem")
    assert settings.log.passphrase == tmp_path / "word"
    file.write_text(WHOLE + "[serve]\nport = 0\n")
    plain = archive_settings(file, {}).serve
    assert plain is not None
    assert (plain.host, plain.files, plain.entries) == ("127.0.0.1", None, False)


@pytest.mark.parametrize("missing", ['folder = "archive"', 'policy = "log.policy"', "[log]"])
def test_what_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    """Table and key."""
    file = tmp_path / "archive.toml"
    file.write_text(WHOLE.replace(missing, ""))
    with pytest.raises(ConfigurationError) as refused:
        archive_settings(file, {})
    assert refused.value.code in {"configuration-key-missing", "configuration-key-unknown"}
