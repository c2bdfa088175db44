"""The HTTP connector in a profile."""

from pathlib import Path

import pytest

from adapters.connectors.web.connector import HttpConnector
from adapters.connectors.web.plugin import HTTP, HttpOptions, url_of
from adapters.ports import Machine, Place
from adapters.profile import read_profile
from exchange.domain.errors import ConfigurationError
from tests.adapters.connectors.contract.web import PAGE, SECRET
from tests.adapters.support import NOW


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Beside a profile, with a secret."""
    (tmp_path / "edms-secret").write_text(f"{SECRET}\n", encoding="ascii")
    (tmp_path / "edms-secret").chmod(0o600)
    return Place(tmp_path, "mfa", Machine(lambda: NOW, bytes, {"CREDENTIALS_DIRECTORY": str(tmp_path)}))


def test_the_pages_profile_opens(place: Place) -> None:
    """Its staging folder is made beside it; nothing is asked yet."""
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].partition("```")[0]
    (place.folder / "edms.toml").write_text(text.replace('ca = "edms-root.crt.pem"', ""), encoding="utf-8")
    connector = read_profile(place.folder / "edms.toml").open_connector("mfa", place.machine)
    assert isinstance(connector, HttpConnector)
    connector.close()
    assert (place.folder / "staging").is_dir()


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://edms.example/{body}/in", False),
        ("http://localhost:8080/in", False),
        ("http://127.1.2.3/in", False),
        ("http://[::1]/in", False),
        ("http://edms.example/in", True),
        ("http://10.0.0.1/in", True),
        ("ftp://edms.example/in", True),
        ("https:///in", True),
        ("https://user:p@ss@edms.example/in", True),
        ("https://edms.example/in?token=s3cret", True),
        ("https://edms.example/in#x", True),
        ("https://edms.example:port/in", True),
    ],
)
def test_only_what_keeps_letters_secret_is_a_url(place: Place, url: str, *, refused: bool) -> None:
    """Nothing is sent in the clear over a network, and no secret stands in a URL."""
    if not refused:
        assert str(url_of(url, place)) == url.replace("{body}", "mfa")
        return
    with pytest.raises(ConfigurationError) as caught:
        url_of(url, place)
    assert caught.value.code == "http-url-invalid"
    assert "s3cret" not in str(caught.value)
    assert "p@ss" not in str(caught.value)


def test_somebody_must_be_known(place: Place) -> None:
    """Neither secret nor certificate."""
    with pytest.raises(ConfigurationError) as caught:
        HTTP.open(HttpOptions("https://edms.example/in", "staging"), place)
    assert caught.value.code == "http-unauthenticated"
