"""Which JSON a body's systems speak at the API."""

from pathlib import Path

import pytest

from adapters.profile import read_profile
from exchange.security.keys import KeyFiles
from exchange.settings.bodies import BodySettings
from exchange.wiring.api import json_format

KEYS = KeyFiles(Path("key"), Path("certificate"))


@pytest.mark.parametrize(
    ("named", "spoken"),
    [("e-kyzmat-1", "e-kyzmat-1"), ("json-1", "json-1"), ("medo-2.6", "json-1")],
)
def test_the_profile_s_own_where_it_is_json(named: str, spoken: str, tmp_path: Path) -> None:
    """Records of staff come as such to who has them in the profile."""
    profile = tmp_path / "edms.toml"
    profile.write_text(f'format = "{named}"\n[connector]\nkind = "folder"\npath = "edms"\n', encoding="utf-8")
    assert json_format(BodySettings("mfa", KEYS, read_profile(profile))).name == spoken


def test_a_body_without_a_document_system() -> None:
    """Speaks the exchange's own profile."""
    assert json_format(BodySettings("mfa", KEYS, None)).name == "json-1"
