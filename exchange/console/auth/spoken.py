"""Acts said to the journal by the console's own body."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from exchange.agent.drafts import DraftCommand
from exchange.console.auth.acts import Act
from exchange.console.auth.errors import AccessRefused
from exchange.domain.errors import ExchangeError
from exchange.services.speaking import command_key

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""Who did what nobody is known to have done: a command names somebody."""
WORDS = 1000
AGAIN_SECONDS = 30


class Says(Protocol):
    """What is asked of `exchange.services.speaking.Speaker`; see there for its promises."""

    async def say(self, key: str, draft: DraftCommand) -> bool:
        """Keep a command to be said; on the disk when this returns."""
        ...


class SpokenActs:
    """Keeps acts in the speaker's spool, from where they go to the journal. For the speaker's event loop."""

    def __init__(self, speaker: Says, new_id: Callable[[], str]) -> None:
        """Args: new_id: a random id, for acts that are part of no task."""
        self._speaker = speaker
        self._new_id = new_id

    async def record(self, act: Act) -> None:
        """Keep an act on the disk; the exchange has it as soon as it can be reached.

        Raises:
            AccessRefused: `act-not-kept`, retriable.
        """
        task = act.task or self._new_id()
        draft = DraftCommand(
            action=act.action,
            task=task,
            person=act.person or UNKNOWN,
            second=act.second,
            reason=act.reason[:WORDS],
            detail=act.detail[:WORDS],
            letter=act.letter,
            recipient=act.recipient,
        )
        try:
            await self._speaker.say(command_key(act.action, task, act.letter, act.recipient), draft)
        except ExchangeError as error:
            log.error("an act could not be kept, so it is not done: %s: %s", error.code, error)  # noqa: TRY400 - its words say all
            message = (
                f"'{act.action}' must stand in the journal and could not be kept: see the console's disk, try again"
            )
            raise AccessRefused(
                message, code="act-not-kept", status=HTTPStatus.SERVICE_UNAVAILABLE, wait_seconds=AGAIN_SECONDS
            ) from error
