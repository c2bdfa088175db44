"""A witness's file, and an auditor's log: addresses that would make a parser raise are named by their key."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings.tables import read_log
from exchange.settings.toml import opened
from exchange.settings.witness import witness_settings
from exchange.tlog.note import Kind, Signer
from tests.services.archive.stage import KEY

LOG = Signer("exchange/5f", Kind.NOTE, KEY).verifier
WHOLE = """
[witness]
name = "w.example"
key = "witness.key.pem"
state = "state"
[listen]
port = 0
[[log]]
key = "{key}"
tiles = "{tiles}"
"""


@pytest.mark.parametrize("tiles", ["http://[", "https://a:99999", "https://", "a.example"])
def test_tiles_at_no_address(tmp_path: Path, tiles: str) -> None:
    """Of a witness."""
    file = tmp_path / "witness.toml"
    file.write_text(WHOLE.format(key=LOG, tiles=tiles))
    with pytest.raises(ConfigurationError, match="tiles") as refused:
        witness_settings(file, {})
    assert refused.value.code == "configuration-value-invalid"


def test_tiles_and_none(tmp_path: Path) -> None:
    """Both may be."""
    file = tmp_path / "witness.toml"
    for tiles in ("https://archive.example", ""):
        file.write_text(WHOLE.format(key=LOG, tiles=tiles).replace('tiles = ""\n', ""))
        assert witness_settings(file, {}).logs[LOG.name].tiles == tiles


@pytest.mark.parametrize("url", ["http://[", "archive.example"])
def test_logs_at_no_address(tmp_path: Path, url: str) -> None:
    """Of an auditor."""
    file = tmp_path / "auditor.toml"
    file.write_text(f'[archive]\nurl = "{url}"\n[log]\npolicy = "log.policy"\n')
    with pytest.raises(ConfigurationError, match="url"), opened(file) as top:
        read_log(top, {})
