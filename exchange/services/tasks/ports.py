"""What tasks ask of who speaks for the console's own body."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from exchange.agent.drafts import DraftCommand
from exchange.journal.commands import REDRIVE
from exchange.services.speaking import Said, command_key
from exchange.store.desk.items import Item


class Commands(Protocol):
    """What is asked of `exchange.services.speaking.Speaker`; see there for its promises."""

    async def say(self, key: str, draft: DraftCommand) -> bool:
        """Keep a command to be said, once for each key; whether it is new.

        Raises:
            DraftRefused: the exchange would refuse it.
            SpoolError: it could not be kept; retriable when that may pass.
        """
        ...

    async def all_said(self, keys: Sequence[str]) -> Mapping[str, Said]:
        """What became of these; those that were never said are left out.

        Raises:
            SpoolError: it cannot be known now.
        """
        ...


def key_of(item: Item) -> str:
    """What makes the command about an item one and the same, however often it is said."""
    return command_key(REDRIVE, item.task, item.letter, item.recipient)
