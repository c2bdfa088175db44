"""Bearer tokens (RFC 6750) whose digests stand in a file, one line for each.

A token is 32 random bytes, so guessing is hopeless and its SHA-256 gives nothing away: the file holds
digests only and may lie in a backup. Whoever takes a line out has withdrawn that token; the file is read
again when it changes.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from exchange.domain.errors import ConfigurationError
from exchange.security.files import PRIVATE, write_atomically

TOKEN_BYTES = 32
FILE_BYTES = 1024 * 1024


class Line(Protocol):
    """What is known of one token."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the token."""

    def line(self) -> str:
        """As the file has it."""


Known = TypeVar("Known", bound=Line)


def new_token(prefix: str, random: Callable[[int], bytes]) -> str:
    """A token to be shown once.

    Args:
        prefix: lets scanners that look for leaked secrets find one.
        random: so many random bytes, fit for keys.
    """
    return prefix + base64.urlsafe_b64encode(random(TOKEN_BYTES)).rstrip(b"=").decode()


def token_digest(token: str) -> bytes:
    """What is kept of a token, whatever text it is."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class TokenFile(Generic[Known]):
    """The lines of a file, by what it holds now."""

    def __init__(self, path: Path, parse: Callable[[str], Known], command: str) -> None:
        """Nothing is read yet.

        Args:
            path: of the file.
            parse: one line; raises ValueError for what is none.
            command: what makes such lines, for people.
        """
        self._path = path
        self._parse = parse
        self._command = command
        self._seen: tuple[int, int, int] | None = None
        self._lines: tuple[Known, ...] = ()

    def add(self, line: Known) -> None:
        """Add a line to the file, which is made when missing, mode 0600.

        Raises:
            ConfigurationError: `tokens-invalid`: it holds something else, or cannot be read or written.
        """
        before = self._text() if self._path.exists() else ""
        self._parsed(before)
        ended = before if before.endswith("\n") or not before else f"{before}\n"
        try:
            write_atomically(self._path, f"{ended}{line.line()}\n".encode(), mode=PRIVATE)
        except OSError as error:
            problem = f"{self._path} cannot be written ({error.strerror}): give the right to write its folder"
            raise _invalid(problem) from error

    def lines(self) -> tuple[Known, ...]:
        """The lines in the file's order; it is read when it changed.

        Raises:
            ConfigurationError: `tokens-invalid`.
        """
        if (seen := self._look()) != self._seen or seen is None:
            self._lines, self._seen = self._parsed(self._text()), seen
        return self._lines

    def find(self, token: str) -> Known | None:
        """The line of a token; None when there is none. Raises as `lines`.

        Every line is compared, each in constant time: how long it takes says nothing about any token.
        """
        presented, found = token_digest(token), None
        for line in self.lines():
            if hmac.compare_digest(line.digest, presented):
                found = line
        return found

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None  # reading it says what is wrong
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def _text(self) -> str:
        try:
            with self._path.open("rb") as opened:
                data = opened.read(FILE_BYTES + 1)
            if len(data) > FILE_BYTES:
                problem = f"{self._path} has more than {FILE_BYTES} bytes: remove lines whose tokens nobody uses"
                raise _invalid(problem)
            return data.decode()
        except OSError as error:
            problem = f"{self._path} cannot be read ({error.strerror}): make it with `{self._command}`, or give the"
            raise _invalid(f"{problem} right") from error
        except UnicodeDecodeError as error:
            raise _invalid(f"{self._path} is no UTF-8: make it anew with `{self._command}`") from error

    def _parsed(self, text: str) -> tuple[Known, ...]:
        lines = enumerate(text.splitlines(), start=1)
        return tuple(self._line(number, line) for number, line in lines if line.strip() and not line.startswith("#"))

    def _line(self, number: int, line: str) -> Known:
        foreign = f"{self._path}, line {number}: is none of `{self._command}`: remove it"
        try:
            known = self._parse(line)
        except ValueError as error:
            raise _invalid(foreign) from error
        if len(known.digest) != hashlib.sha256().digest_size:
            raise _invalid(foreign)
        return known


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(message, code="tokens-invalid")
