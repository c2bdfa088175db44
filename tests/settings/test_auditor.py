"""An auditor's file: where the archive is, and as whom it is asked."""

from pathlib import Path

import pytest

from exchange.archive.addresses import ArchiveAddress, ArchivePlace, StoreAddress
from exchange.domain.errors import ConfigurationError
from exchange.security.keys import KeyFiles
from exchange.settings import auditor_settings

BEFORE = (
    '[kafka]\nbootstrap = "127.0.0.1:9092"\nca = "ca.pem"\ncertificate = "me.crt.pem"\nkey = "me.key.pem"\n'
    '[directory]\nfolder = "directory"\nroot = "root.json"\n[store]\nurl = "sqlite://"\n[log]\npolicy = "log.policy"\n'
)
URL = 'url = "https://archive.example:9106"\n'


def place_of(folder: Path, archive: str) -> ArchivePlace:
    """What a file says of the archive."""
    file = folder / "auditor.toml"
    file.write_text(f"{BEFORE}[archive]\n{archive}")
    log = auditor_settings(file, {"CREDENTIALS_DIRECTORY": "/run/credentials"}).log
    assert log is not None
    return log.place


def test_where_the_archive_is(tmp_path: Path) -> None:
    """A folder, an address, an address where we show who we are."""
    assert place_of(tmp_path, 'folder = "archive"\n') == tmp_path / "archive"
    assert place_of(tmp_path, URL) == ArchiveAddress("https://archive.example:9106")
    whole = f'{URL}ca = "ca.pem"\ncertificate = "me.pem"\nkey = "credential:key"\npassphrase_file = "word"\n'
    files = KeyFiles(Path("/run/credentials/key"), tmp_path / "me.pem", tmp_path / "word")
    assert place_of(tmp_path, whole) == ArchiveAddress("https://archive.example:9106", tmp_path / "ca.pem", files)


def test_what_was_put_into_an_object_store(tmp_path: Path) -> None:
    """Its place, and how it is reached; keys are not shown where the address is."""
    assert place_of(tmp_path, 'url = "s3://exchange-log/main/"\n') == StoreAddress("s3://exchange-log/main")
    (tmp_path / "store.toml").write_text('secret_access_key = "s3cr3t"\n')
    place = place_of(tmp_path, 'url = "s3://exchange-log/main"\nstore = "store.toml"\n')
    assert place == StoreAddress("s3://exchange-log/main", {"secret_access_key": "s3cr3t"})
    assert "s3cr3t" not in repr(place) + str(place)


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        ('url = "s3://exchange-log"\nca = "ca.pem"\n', "configuration-key-unknown"),
        ('url = "s3://exchange-log?key=x"\n', "configuration-value-invalid"),
        ('url = "archive.example"\n', "configuration-value-invalid"),
        ('url = "http://[archive"\n', "configuration-value-invalid"),
        ('url = "http://127.0.0.1:9106"\ncertificate = "me.pem"\nkey = "key"\n', "configuration-value-invalid"),
        (f'{URL}certificate = "me.pem"\n', "configuration-key-missing"),
        (f'{URL}folder = "archive"\n', "configuration-key-unknown"),
        (f'{URL}password = "none"\n', "configuration-key-unknown"),
    ],
)
def test_what_is_refused(tmp_path: Path, archive: str, code: str) -> None:
    """Each names table and key."""
    with pytest.raises(ConfigurationError, match=r"\[archive\]") as caught:
        place_of(tmp_path, archive)
    assert caught.value.code == code
