"""The exchange's own JSON profile, for systems that have no format yet: every field, under its own name.

A package is `letter.json` or `receipt.json` with the files that it names, or with them inside. Facts
and losses: docs/formats/json.md.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.json_profile.documents import FORMAT, LETTER_FILE, RECEIPT_FILE
from adapters.formats.json_profile.letter_reader import LetterReader
from adapters.formats.json_profile.letter_writer import Writing, write_letter
from adapters.formats.json_profile.receipts import read_receipt, write_receipt
from adapters.formats.json_profile.source import Source, laid_out
from adapters.formats.letters import as_draft, vouched
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import Party
from exchange.domain.directory import Directory


class JsonOptions(Options, frozen=True):
    """How letters are handed over."""

    inline: Annotated[bool, msgspec.Meta(description="Files inside the document, in base64, instead of beside it")] = (
        False
    )


class JsonFormat:
    """Reads and writes packages of the profile.

    A format whose letters hold more than the profile's does more in `read_letter` and `write_letter`.

    Attributes:
        name: `json-1`.
    """

    name = FORMAT

    def __init__(self, *, inline: bool = False) -> None:
        """Write files into the document where `inline`, else beside it; both are read."""
        self._inline = inline

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        main = main_document(package, LETTER_FILE, RECEIPT_FILE, suffix="json")
        source, attachments = Source(package.files[main], main), Attachments(package, main)
        if source.tree.get("message_type") == "receipt" or main.casefold() == RECEIPT_FILE:
            attachments.finish()
            return read_receipt(source, Bodies(directory))
        return self.read_letter(source, attachments, directory)

    def read_letter(self, source: Source, attachments: Attachments, directory: Directory) -> DraftLetter:
        """The letter of a document.

        Raises:
            DocumentError: a field or file is wrong or missing.
        """
        return LetterReader(source, attachments, directory).letter()

    def write_letter(self, draft: DraftLetter, writing: Writing) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The document of a letter, as a tree, and the files beside it by name.

        Raises:
            DocumentError: the card holds what the profile cannot.
        """
        return write_letter(draft, writing)

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`.

        Raises:
            DocumentError: the card cannot be written (a forged file name, an empty id).
        """
        draft = _as_handed_over(arrived, recipient, Bodies(directory))
        writing = Writing(arrived.letter.head.created, arrived.digest.hex(), self._inline)
        return self._package(f"letter-from-{arrived.sender}", draft, writing)

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        tree = write_receipt(arrived, recipient, Bodies(directory))
        return Package(f"{arrived.event}-from-{arrived.actor}", {RECEIPT_FILE: laid_out(tree)})

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:  # noqa: ARG002 - codes need no directory
        """The package that an EDMS would write to send `draft`; `parse` gives it back."""
        return self._package(name, draft, Writing(created, inline=self._inline))

    def _package(self, name: str, draft: DraftLetter, writing: Writing) -> Package:
        tree, files = self.write_letter(draft, writing)
        return Package(name, {LETTER_FILE: laid_out(tree), **files})


JSON = FormatPlugin(FORMAT, JsonOptions, lambda options: JsonFormat(inline=options.inline))
"""As profiles name it."""


def _as_handed_over(arrived: ArrivedLetter, recipient: str, bodies: Bodies) -> DraftLetter:
    """An arrived letter for one recipient, its addressees in the sender's order, by which extras name them."""
    draft = as_draft(arrived, recipient, bodies)
    named = arrived.card.addressees
    if all(party.body != recipient for party in named):
        named = (*named, Party(body=recipient))
    addressees = tuple(vouched(party, recipient, bodies) if party.body == recipient else party for party in named)
    return replace(draft, card=replace(draft.card, addressees=addressees))
