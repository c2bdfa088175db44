"""The table [console.oidc]."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.domain.user import Role
from exchange.settings.oidc import OidcSettings, oidc_settings
from exchange.settings.toml import opened

WHOLE = """
[console.oidc]
issuer = "https://id.example.kg/realms/gov"
client = "exchange-console"
secret_file = "oidc-secret"
scopes = ["profile", "groups"]
login_claim = "preferred_username"
roles_claim = "groups"
body_claim = "body"

[console.oidc.roles]
operator = ["exchange-operators", "duty"]
auditor = ["exchange-auditors"]
"""


def read(folder: Path, text: str) -> OidcSettings | None:
    """The table in a file."""
    file = folder / "console.toml"
    file.write_text(text)
    with opened(file) as top, top.table("console") as console:
        return oidc_settings(console, {})


def test_the_whole_table(tmp_path: Path) -> None:
    """Every key; files lie beside the configuration."""
    found = read(tmp_path, WHOLE)
    assert found is not None
    assert found.secret_file == tmp_path / "oidc-secret"
    assert found.roles == {
        "exchange-operators": Role.OPERATOR,
        "duty": Role.OPERATOR,
        "exchange-auditors": Role.AUDITOR,
    }
    assert (found.login_claim, found.ca) == ("preferred_username", None)
    assert read(tmp_path, "[console]\n") is None


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("https://id.example.kg", "http://id.example.kg", "issuer"),
        ("https://id.example.kg", "http://127.0.0.1.evil.kg", "issuer"),
        ("https://id.example.kg", "https://[id.example.kg", "issuer"),
        ('["exchange-auditors"]', '["duty"]', "auditor"),
        ("auditor =", "minister =", "minister"),
        ('roles_claim = "groups"', "", "roles_claim"),
        ('operator = ["exchange-operators", "duty"]\nauditor = ["exchange-auditors"]', "", "roles"),
    ],
)
def test_what_cannot_be(tmp_path: Path, before: str, after: str, place: str) -> None:
    """Names the key: unsafe issuers, a group with two roles, roles that there are not, nobody with a role."""
    assert before in WHOLE
    with pytest.raises(ConfigurationError, match=place):
        read(tmp_path, WHOLE.replace(before, after))


def test_a_provider_on_this_machine(tmp_path: Path) -> None:
    """Without TLS on the loopback interface only."""
    assert read(tmp_path, WHOLE.replace("https://id.example.kg", "http://127.0.0.1:8080")) is not None
