"""Passwords of local accounts, by Argon2id (RFC 9106)."""

import asyncio
import base64
import unicodedata
from http import HTTPStatus

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.secret import Random

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2
"""Each takes 64 MB for a twentieth of a second: a crowd at the door must not take the machine."""
TEMPORARY_BYTES = 15


class Passwords:
    """Makes and checks what is kept of passwords. For one event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Args: hasher: with RFC 9106's parameters for little memory when None."""
        self._hasher = PasswordHasher() if hasher is None else hasher
        self._nobody = self._hasher.hash("nobody has this password")
        self._places = asyncio.Semaphore(AT_ONCE)

    async def keep(self, password: str) -> str:
        """What is kept of a password."""
        async with self._places:
            return await asyncio.to_thread(kept_password, password, self._hasher)

    async def is_right(self, password: str, kept: str) -> bool:
        """Whether this is the password; where none is kept, as much work is done for nothing."""
        async with self._places:
            return await asyncio.to_thread(self._verify, password[:LONGEST], kept)

    def _verify(self, password: str, kept: str) -> bool:
        try:
            self._hasher.verify(kept or self._nobody, _plain(password))
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)


def kept_password(password: str, hasher: PasswordHasher | None = None) -> str:
    """What is kept of a password; takes a twentieth of a second of a whole processor."""
    return (PasswordHasher() if hasher is None else hasher).hash(_plain(password))


def temporary_password(random: Random) -> str:
    """A password that somebody reads out to somebody: 120 random bits, without letters that look alike."""
    text = base64.b32encode(random(TEMPORARY_BYTES)).decode().lower()
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def require_good(password: str, login: str) -> None:
    """Refuse a password that is guessed too easily (NIST SP 800-63B: length, not signs).

    Raises:
        AccessRefused: `password-weak`, 422.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST or len(password) > LONGEST or login in plain.casefold() or len(set(plain)) < SHORTEST // 2:
        message = (
            f"the password must have {SHORTEST} to {LONGEST} characters, not the same few again and again, "
            "and not hold the sign-in: take several words"
        )
        raise AccessRefused(message, code="password-weak", status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _plain(password: str) -> str:
    """The same on every keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
