"""Secrets that profiles name: where they are is told, what they are never."""

from pathlib import Path

import pytest

from adapters.connectors.credentials import given_file, secret
from adapters.ports import Machine, Place
from exchange.domain.errors import ConfigurationError
from tests.adapters.support import NOW


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Beside a profile, with a credential of systemd's and a variable."""
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"), "SECRET": "from outside"}
    (tmp_path / "credentials").mkdir()
    write(tmp_path / "credentials" / "edms", b"given\n")
    write(tmp_path / "mfa.secret", b"beside\r\n")
    return Place(tmp_path, "mfa", Machine(lambda: NOW, bytes, environ))


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """A file with rights."""
    path.write_bytes(data)
    path.chmod(mode)


def test_a_secret_is_where_its_name_says(place: Place) -> None:
    """File, credential, variable; the body's code may be part of a path."""
    assert secret("{body}.secret", place) == "beside"
    assert secret("credential:edms", place) == "given"
    assert secret("environment:SECRET", place) == "from outside"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("none.secret", "secret-missing"),
        ("environment:NONE", "secret-missing"),
        ("credential:", "credential-missing"),
        ("credential:../mfa.secret", "credential-missing"),
        ("open.secret", "secret-unusable"),
        ("binary.secret", "secret-unusable"),
        ("lines.secret", "secret-unusable"),
        ("empty.secret", "secret-unusable"),
        ("large.secret", "secret-unusable"),
        ("credentials", "secret-unusable"),
    ],
)
def test_what_is_no_secret_is_refused(place: Place, named: str, code: str) -> None:
    """Missing, readable by everybody, not one line of text, too large, a folder."""
    write(place.folder / "open.secret", b"s3cret", 0o604)
    write(place.folder / "binary.secret", b"s3cret\xff")
    write(place.folder / "lines.secret", b"s3cret\ns3cret")
    write(place.folder / "empty.secret", b"\n")
    write(place.folder / "large.secret", b"s3cret" * 3000)
    with pytest.raises(ConfigurationError) as caught:
        secret(named, place)
    assert caught.value.code == code
    assert "s3cret" not in str(caught.value)


def test_without_systemd_there_is_no_credential(place: Place) -> None:
    """The message says what to add to the service."""
    with pytest.raises(ConfigurationError, match="LoadCredential=edms") as caught:
        given_file("credential:edms", Place(place.folder, "mfa", Machine(lambda: NOW, bytes, {})))
    assert caught.value.code == "credential-missing"
