"""An archive's file."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings.archive import PublishSettings, archive_settings
from exchange.settings.object_store import store_options

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


def test_an_object_store(tmp_path: Path) -> None:
    """Its place, and the file with its keys; without one the environment has them."""
    file = tmp_path / "archive.toml"
    file.write_text(WHOLE + '[publish]\nurl = "s3://exchange-log/main/"\n')
    assert archive_settings(file, {}).publish == PublishSettings("s3://exchange-log/main", None, entries=False)
    file.write_text(WHOLE + '[publish]\nurl = "gs://exchange-log"\nstore = "credential:store"\nentries = true\n')
    wanted = PublishSettings("gs://exchange-log", Path("/run/store"), entries=True)
    assert archive_settings(file, {"CREDENTIALS_DIRECTORY": "/run"}).publish == wanted
    assert archive_settings(file.parent / file.name, {"CREDENTIALS_DIRECTORY": "/run"}).serve is None


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.example/bucket",
        "s3://",
        "s3://key:secret@bucket/",
        "s3://bucket/?a=b",
        "file://folder",
        "memory:///",
        "/srv",
        "s3://buc ket\\n",
        "s3://[",
    ],
)
def test_what_is_no_place_in_an_object_store(tmp_path: Path, url: str) -> None:
    """Keys do not stand in addresses, where everybody reads them."""
    file = tmp_path / "archive.toml"
    file.write_text(f'{WHOLE}[publish]\nurl = "{url}"\n')
    with pytest.raises(ConfigurationError) as refused:
        archive_settings(file, {})
    assert refused.value.code == "configuration-value-invalid"
    assert "[publish] url" in str(refused.value)


def test_the_file_of_an_object_store(tmp_path: Path) -> None:
    """Its keys by the store's own names, and who vouches for it."""
    file = tmp_path / "store.toml"
    assert store_options(None) == {}
    (tmp_path / "ca.pem").write_text("-----BEGIN")
    file.write_text('region = "kg-1"\nca = "ca.pem"\nskip_signature = true\nvirtual_hosted_style_request = false\n')
    assert store_options(file) == {"region": "kg-1", "ca": "-----BEGIN", "skip_signature": "true"}
    for text, code in (
        ('secret = "x"\n', "configuration-key-unknown"),
        ('ca = "other.pem"\n', "configuration-missing"),
        ("region = 5\n", "configuration-value-invalid"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigurationError) as refused:
            store_options(file)
        assert refused.value.code == code
