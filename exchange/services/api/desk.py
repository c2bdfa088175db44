"""What the operations work with: the mailboxes of an agent's bodies, and the formats that they speak."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exchange.agent.feed import Feed
from exchange.agent.mailbox import Mailbox
from exchange.agent.ports import ArrivedLetter, DraftLetter, DraftReceipt, Format, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError, ExchangeError, fault
from exchange.services.api.polling import LongPolls

log = logging.getLogger(__name__)

DOCUMENT = "letter.json"
"""Name of the document in a package of the JSON format."""


@dataclass(frozen=True, slots=True)
class Box:
    """One body's letters, and the JSON format that its systems speak."""

    mailbox: Mailbox
    feed: Feed
    format: Format


@dataclass(frozen=True, slots=True)
class Desk:
    """All bodies of an agent.

    Attributes:
        boxes: by body.
        directory: the newest version known here.
        waiting_for: what keeps the agent from its work; empty when nothing does.
    """

    boxes: Mapping[str, Box]
    directory: Callable[[], Directory]
    waiting_for: Callable[[], str]
    polls: LongPolls

    async def parsed(self, body: str, package: Package) -> DraftLetter | DraftReceipt:
        """What a document of a body says; in a thread, for it may be large.

        Raises:
            DocumentError: as `Format.parse`.
        """
        try:
            return await asyncio.to_thread(self.boxes[body].format.parse, package, self.directory())
        except ExchangeError:
            raise
        except Exception as error:
            log.error("reading a document failed: %s", fault(error))  # noqa: TRY400 - its text may quote the letter
            message = f"the agent failed with {type(error).__name__}: report it, and send the letter in another way"
            raise DocumentError(message) from error

    async def rendered(self, arrived: ArrivedLetter, recipient: str) -> Package:
        """An arrived letter as a package of the format; raises as `Format.render_letter`."""
        return await asyncio.to_thread(self.boxes[recipient].format.render_letter, arrived, recipient, self.directory())
