"""Tokens by which programs are known to the console, as `exchange.security.token_file` keeps them.

<login> <roles, between commas> <body, or -> <SHA-256 of the token, hex> <when it was made> <what it is for>
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange.domain.ids import is_body_code
from exchange.domain.user import Role, User
from exchange.security.token_file import TokenFile, new_token, token_digest

PREFIX = "xconsole_"
COMMAND = "exchange console token"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
_NO_BODY = "-"


@dataclass(frozen=True, slots=True)
class ConsoleGrant:
    """A line of the file: whose token it is, and what is known of it."""

    user: User
    digest: bytes
    made: date
    purpose: str

    def line(self) -> str:
        """As the file has it."""
        roles, body = ",".join(sorted(self.user.roles)), self.user.body or _NO_BODY
        return f"{self.user.login} {roles} {body} {self.digest.hex()} {self.made.isoformat()} {self.purpose}".rstrip()


def user_of(login: str, roles: frozenset[Role], body: str) -> User:
    """Somebody who is known by a token.

    Raises:
        ValueError: no login, no role, or a body administrator without a body.
    """
    if not _LOGIN.fullmatch(login):
        message = "a login has 1-63 of a-z, 0-9 and '._@-', and begins with a letter or digit"
        raise ValueError(message)
    if not roles or (Role.BODY_ADMINISTRATOR in roles) != bool(body):
        message = "name a role, and a body for a body-administrator only"
        raise ValueError(message)
    if body and not is_body_code(body):
        message = f"'{body[:63]}' is no body code"
        raise ValueError(message)
    return User(login, login, roles, body)


def make_console_token(
    user: User, made: date, purpose: str, random: Callable[[int], bytes]
) -> tuple[str, ConsoleGrant]:
    """A new token, which is shown once, and what is kept of it; see `exchange.security.tokens.make_token`."""
    token = new_token(PREFIX, random)
    return token, ConsoleGrant(user, token_digest(token), made, " ".join(purpose.split()))


class ConsoleTokens:
    """Who a token belongs to, by the file as it is now."""

    def __init__(self, file: Path) -> None:
        """Nothing is read yet: without a file no token opens anything."""
        self._path = file
        self._file = TokenFile(file, _grant, COMMAND)

    def add(self, grant: ConsoleGrant) -> None:
        """Keep a token; raises as `TokenFile.add`."""
        self._file.add(grant)

    def user_of(self, token: str) -> User | None:
        """Whose token it is; None when it is nobody's. Raises as `TokenFile.lines`."""
        if not self._path.exists():
            return None
        found = self._file.find(token)
        return None if found is None else found.user


def _grant(line: str) -> ConsoleGrant:
    login, roles, body, hexadecimal, made, purpose = (*line.split(maxsplit=5), *[""] * 6)[:6]
    named = frozenset(map(Role, roles.split(",")))
    user = user_of(login, named, "" if body == _NO_BODY else body)
    return ConsoleGrant(user, bytes.fromhex(hexadecimal), date.fromisoformat(made), purpose)
