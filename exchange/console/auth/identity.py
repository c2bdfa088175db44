"""Who somebody is: by a login, or by an identity provider's word."""

import re
from dataclasses import dataclass

from exchange.domain.user import User

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person whom an identity provider vouches for.

    Attributes:
        issuer: the provider.
        subject: as whom it knows the person, for ever.
        user: who that is here.
        id_token: by which the provider's session can be ended.
    """

    issuer: str
    subject: str
    user: User
    id_token: str


def plain_login(text: str) -> str:
    """A sign-in as accounts have it; empty when it can be none's."""
    login = text.strip().lower()
    return login if _LOGIN.fullmatch(login) else ""
