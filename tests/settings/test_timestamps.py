"""The [timestamps] table."""

from datetime import timedelta
from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings.timestamps import TimestampSettings, timestamp_settings
from exchange.settings.toml import opened


def read(folder: Path, text: str) -> TimestampSettings | None:
    """The table of a file."""
    file = folder / "archive.toml"
    file.write_text(text)
    with opened(file) as top:
        return timestamp_settings(top)


def test_a_table(tmp_path: Path) -> None:
    """With and without an interval; and none."""
    text = '[timestamps]\nurl = "https://tsa.example.kg/tsa"\nroots = "roots.pem"\n'
    assert read(tmp_path, text) == TimestampSettings(
        "https://tsa.example.kg/tsa", tmp_path / "roots.pem", timedelta(hours=1)
    )
    found = read(tmp_path, text + 'interval_minutes = 10\ndigest = "sha512"\n')
    assert found is not None
    assert found.digest == "sha512"
    assert found.interval == timedelta(minutes=10)
    assert read(tmp_path, "") is None


@pytest.mark.parametrize(
    "url", ["tsa.example.kg", "ftp://tsa.example.kg/", "https:///tsa", "http://tsa:99999/", "http://[tsa/"]
)
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match=r"\[timestamps\] url"):
        read(tmp_path, f'[timestamps]\nurl = "{url}"\nroots = "roots.pem"\n')


def test_a_digest_that_is_none(tmp_path: Path) -> None:
    """As those that were broken."""
    with pytest.raises(ConfigurationError, match=r"\[timestamps\] digest"):
        read(tmp_path, '[timestamps]\nurl = "http://tsa/"\nroots = "roots.pem"\ndigest = "sha1"\n')
