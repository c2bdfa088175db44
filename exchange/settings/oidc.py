"""The table [console.oidc]: the identity provider by which people sign in.

[console.oidc]
issuer = "https://id.example.kg"       as its discovery document names itself
client = "exchange-console"            as which the console is registered there
secret_file = "oidc-secret"            or credential:<name>
scopes = ["profile", "groups"]         beside openid
login_claim = "preferred_username"     sub when left out; must name a person for ever
roles_claim = "groups"                 a text or a list of texts
body_claim = "body"                    code of the body that a body administrator looks after; may be left out
ca = "government-ca.pem"               who vouches for the provider's TLS; the machine's own list when left out

[console.oidc.roles]                   which of the claim's values give which role
operator = ["exchange-operators"]
auditor = ["exchange-auditors"]
body-administrator = ["body-administrators"]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.domain.address import web_address
from exchange.domain.user import Role
from exchange.settings.toml import Table, given_file

_ISSUER = re.compile(
    r"https://[!-~]{1,250}|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?(?:/[!-~]{0,200})?"
)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An identity provider, and what its claims mean here.

    Attributes:
        issuer: its identifier; https, or this machine's own loopback.
        client: our id there.
        secret_file: holds our secret there.
        scopes: asked for beside `openid`.
        login_claim: the claim that becomes the login.
        roles_claim: the claim with groups or roles.
        body_claim: the claim with a body's code; empty when there is none.
        roles: the role that each value of the claim gives.
        ca: PEM file of who vouches for its TLS certificate; None for the machine's list.
    """

    issuer: str
    client: str
    secret_file: Path
    scopes: tuple[str, ...]
    login_claim: str
    roles_claim: str
    body_claim: str
    roles: Mapping[str, Role]
    ca: Path | None = None


def oidc_settings(console: Table, environ: Mapping[str, str]) -> OidcSettings | None:
    """Read the table; None when there is none. Raises as `exchange.settings.router_settings`."""
    if not console.has("oidc"):
        return None
    with console.table("oidc") as table:
        issuer = table.text("issuer")
        if not (_ISSUER.fullmatch(issuer) and web_address(issuer)):
            raise table.wrong("issuer", "must be an https address, as the provider's discovery document names itself")
        return OidcSettings(
            issuer=issuer,
            client=table.text("client"),
            secret_file=given_file(table, "secret_file", environ),
            scopes=table.texts("scopes"),
            login_claim=table.text("login_claim", "sub"),
            roles_claim=table.text("roles_claim"),
            body_claim=table.text("body_claim", ""),
            roles=_roles(table),
            ca=given_file(table, "ca", environ) if table.has("ca") else None,
        )


def _roles(table: Table) -> dict[str, Role]:
    found: dict[str, Role] = {}
    with table.table("roles") as roles:
        for role in Role:
            for value in roles.texts(role.value) if roles.has(role.value) else ():
                if value in found:
                    raise roles.wrong(role.value, f"'{value}' gives two roles: give each value one")
                found[value] = role
        if not found:
            raise table.wrong("roles", "gives nobody a role: name values of roles_claim for at least one role")
    return found
