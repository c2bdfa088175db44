"""Tokens by which a body's own systems are known to its agent, as `token_file` keeps them.

<body> <SHA-256 of the token, hex> <when it was made> <what it is for>
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange.domain.ids import is_body_code
from exchange.security.token_file import TokenFile, new_token, token_digest

PREFIX = "xagent_"
COMMAND = "exchange body token"


@dataclass(frozen=True, slots=True)
class Grant:
    """A line of the file: what is known of one token."""

    body: str
    digest: bytes
    made: date
    purpose: str

    def line(self) -> str:
        """As the file has it."""
        return f"{self.body} {self.digest.hex()} {self.made.isoformat()} {self.purpose}".rstrip()


def make_token(body: str, made: date, purpose: str, random: Callable[[int], bytes]) -> tuple[str, Grant]:
    """A new token, which is shown once, and what is kept of it.

    Args:
        body: whose letters it opens.
        made: today.
        purpose: what it is for, for people; on one line.
        random: so many random bytes, fit for keys.
    """
    token = new_token(PREFIX, random)
    return token, Grant(body, token_digest(token), made, " ".join(purpose.split()))


def add_grant(file: Path, grant: Grant) -> None:
    """Add a line to the file; raises as `TokenFile.add`."""
    TokenFile(file, _grant, COMMAND).add(grant)


class Tokens:
    """Who a token belongs to, by the file as it is now."""

    def __init__(self, file: Path) -> None:
        """Read the file; raises as `TokenFile.lines`."""
        self._file = TokenFile(file, _grant, COMMAND)
        self._file.lines()

    def body_of(self, token: str) -> str | None:
        """The body that a token opens; None when it opens none. Raises as `TokenFile.lines`."""
        found = self._file.find(token)
        return None if found is None else found.body


def _grant(line: str) -> Grant:
    body, hexadecimal, made, purpose = (*line.split(maxsplit=3), "", "", "", "")[:4]
    if not is_body_code(body):
        message = "is no body code"
        raise ValueError(message)
    return Grant(body, bytes.fromhex(hexadecimal), date.fromisoformat(made), purpose)
