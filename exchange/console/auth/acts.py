"""What people did, kept where nobody can take it out again: in the journal."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from exchange.console.auth.errors import AccessRefused


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did, as the journal will have it; never content of a letter.

    Attributes:
        action: a lower-case name: `sign-in`, `view-content`, `export`.
        person: sign-in of who did it.
        second: sign-in of who approved it, else empty.
        task: the task that it is part of, else empty.
        reason: why, in a person's words.
        detail: what exactly: a filter, a count, a file's number.
        letter: digest of the letter concerned, if any.
        recipient: code of the body concerned, if any.
    """

    action: str
    person: str
    second: str = ""
    task: str = ""
    reason: str = ""
    detail: str = ""
    letter: bytes | None = None
    recipient: str = ""


class Acts(Protocol):
    """Where acts are kept. For one event loop; any number of tasks."""

    async def record(self, act: Act) -> None:
        """Keep an act; when this returns it is durable, and it comes into the journal sooner or later.

        Raises:
            ExchangeError: it could not be kept; what was to be done must not be done.
        """
        ...


class Unkept:
    """Keeps nothing, so nothing that must be kept can be done: for who has no journal to write to."""

    async def record(self, act: Act) -> None:
        """Refuse.

        Raises:
            AccessRefused: `act-not-kept`.
        """
        message = f"'{act.action}' must stand in the journal, and there is none here: ask the console's own process"
        raise AccessRefused(message, code="act-not-kept", status=HTTPStatus.SERVICE_UNAVAILABLE)
