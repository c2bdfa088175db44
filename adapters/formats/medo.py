"""MEDO 2.6 (IEDMS): the format of interdepartmental exchange. Documents of 2.2 are read as well.

A package is `document.xml` with the files that it names. Facts and losses: docs/formats/medo.md.
"""

from datetime import datetime

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.letters import as_draft
from adapters.formats.medo_parse import open_message, read_message
from adapters.formats.medo_render import write_letter, write_receipt
from adapters.formats.medo_words import DOCUMENT, FORMAT, TRANSPORT_FILES
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.directory import Directory
from exchange.wire.xml import serialise


class MedoFormat:
    """Reads and writes MEDO packages.

    Attributes:
        name: `medo-2.6`.
    """

    name = FORMAT

    def __init__(self, encoding: str = "utf-8") -> None:
        """Write documents in `encoding`: `utf-8`, or `windows-1251` for systems that know no other."""
        self._encoding = encoding

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        main = main_document(package, DOCUMENT)
        attachments = Attachments(package, main, TRANSPORT_FILES)
        root = open_message(package.files[main], main)
        draft = read_message(root, main, Bodies(directory), attachments)
        attachments.finish()
        return draft

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`.

        Raises:
            DocumentError: the card cannot be written as MEDO (a forged file name, an empty id).
        """
        draft = as_draft(arrived, recipient, Bodies(directory))
        return self.write(draft, arrived.letter.head.created, directory, f"letter-from-{arrived.sender}")

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        root = write_receipt(arrived, recipient, Bodies(directory))
        if root is None:
            return None
        return Package(f"{arrived.event}-from-{arrived.actor}", {DOCUMENT: serialise(root, self._encoding)})

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package that an EDMS would write to send `draft`; `parse` gives it back."""
        root, files = write_letter(draft, created, Bodies(directory))
        return Package(name, {DOCUMENT: serialise(root, self._encoding), **files})
