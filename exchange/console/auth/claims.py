"""What an identity provider says of a person, and whom that makes here."""

from collections.abc import Mapping
from typing import Any

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.identity import plain_login
from exchange.domain.ids import is_body_code
from exchange.domain.user import Role, User
from exchange.settings.oidc import OidcSettings

_NAME_LONGEST = 200


def user_by(claims: Mapping[str, Any], settings: OidcSettings) -> User:
    """Who the claims make somebody; what they do not say, nobody is.

    Raises:
        AccessRefused: `claims-unusable`: no login can be made of them; `role-missing`: they give no role.
    """
    login = plain_login(_text(claims.get(settings.login_claim)))
    if not login:
        message = (
            f"the identity provider's claim '{settings.login_claim}' is no login (a-z, 0-9 and '._@-'): "
            "have it give one, or set login_claim in [console.oidc]"
        )
        raise AccessRefused(message, code="claims-unusable")
    roles = frozenset(
        settings.roles[value] for value in _texts(claims.get(settings.roles_claim)) if value in settings.roles
    )
    body = _text(claims.get(settings.body_claim)) if settings.body_claim else ""
    if Role.BODY_ADMINISTRATOR not in roles or not is_body_code(body):
        roles, body = roles - {Role.BODY_ADMINISTRATOR}, ""
    if not roles:
        message = (
            f"the identity provider's claim '{settings.roles_claim}' gives '{login}' no role here: "
            "ask its administrator to be put into a group that [console.oidc.roles] names"
        )
        raise AccessRefused(message, code="role-missing")
    name = "".join(char for char in _text(claims.get("name")) if char.isprintable())[:_NAME_LONGEST]
    return User(login, name or login, roles, body)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    given = value if isinstance(value, list) else [value]
    return [each for each in given if isinstance(each, str)]
