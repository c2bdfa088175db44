"""Another format with its receipts mapped as one agency wants them."""

from collections.abc import Mapping
from dataclasses import replace

from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Format, Package
from exchange.domain.directory import Directory
from exchange.domain.event import Event

NOTHING = "nothing"
"""How a profile writes that an event is not told."""


class MappedFormat:
    """A format that tells its document system of events by other words, and takes its words for other events.

    Attributes:
        name: of the format below.
    """

    def __init__(self, below: Format, told: Mapping[Event, Event | None], understood: Mapping[Event, Event]) -> None:
        """Map receipts on their way to the document system by `told` (None: not told), from it by `understood`."""
        self.name = below.name
        self._below = below
        self._told = told
        self._understood = understood

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        draft = self._below.parse(package, directory)
        if isinstance(draft, DraftReceipt):
            return replace(draft, event=self._understood.get(draft.event, draft.event))
        return draft

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`."""
        return self._below.render_letter(arrived, recipient, directory)

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        event = self._told.get(arrived.event, arrived.event)
        return (
            None if event is None else self._below.render_receipt(replace(arrived, event=event), recipient, directory)
        )
