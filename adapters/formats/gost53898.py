"""GOST R 53898-2013 ("СЭВ"): exchange of documents between records management systems.

A package is `DocInfo.xml` or `Report.xml` with the files that its resource list names. Facts and
losses: docs/formats/gost53898.md.
"""

from datetime import datetime

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.gost53898_parse import open_message, read_message
from adapters.formats.gost53898_render import write_letter, write_receipt
from adapters.formats.gost53898_words import FORMAT, LETTER_DOCUMENT, RECEIPT_DOCUMENT
from adapters.formats.letters import as_draft, own_extras
from adapters.formats.tree import extra_value
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.directory import Directory
from exchange.wire.xml import serialise


class GostFormat:
    """Reads and writes GOST R 53898 packages.

    Attributes:
        name: `gost53898`.
    """

    name = FORMAT

    def __init__(self, encoding: str = "utf-8") -> None:
        """Write documents in `encoding`: `utf-8`, or `windows-1251` for systems that know no other."""
        self._encoding = encoding

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        main = main_document(package, LETTER_DOCUMENT, RECEIPT_DOCUMENT)
        attachments = Attachments(package, main)
        root = open_message(package.files[main], main)
        draft = read_message(root, main, Bodies(directory), attachments)
        attachments.finish()
        return draft

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`.

        The EDMS returns in its reports the message id, by which the exchange knows the letter; the
        sender's own ReturnID stands in the receipts that go back to it.

        Raises:
            DocumentError: the card cannot be written as GOST (a forged file name, an empty id).
        """
        bodies = Bodies(directory)
        draft = as_draft(arrived, recipient, bodies)
        root, files = write_letter(draft, arrived.letter.head.created, bodies, draft.message_id)
        name = f"letter-from-{arrived.sender}"
        return Package(name, {LETTER_DOCUMENT: serialise(root, self._encoding), **files})

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        root = write_receipt(arrived, recipient, Bodies(directory))
        if root is None:
            return None
        return Package(f"{arrived.event}-from-{arrived.actor}", {RECEIPT_DOCUMENT: serialise(root, self._encoding)})

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package that an EDMS would write to send `draft`; `parse` gives it back."""
        return_id = extra_value(own_extras(draft.card, FORMAT), "Header/@ReturnID") or draft.message_id
        root, files = write_letter(draft, created, Bodies(directory), return_id)
        return Package(name, {LETTER_DOCUMENT: serialise(root, self._encoding), **files})
