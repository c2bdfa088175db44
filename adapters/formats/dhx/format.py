"""DHX: the capsule 2.1 of document exchange over X-Road, as a file.

A package is `capsule.xml`, which holds its files, or `receipt.xml`, which is this project's own: DHX answers a
capsule within the call that brings it. The envelope of that call, `sendDocument.xml`, may lie beside the capsule.
Facts and losses: docs/formats/dhx.md.
"""

from dataclasses import replace
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.dhx.letter_reader import LetterReader
from adapters.formats.dhx.letter_writer import write_letter
from adapters.formats.dhx.receipts import read_receipt, write_receipt
from adapters.formats.dhx.send_document import consignment_of
from adapters.formats.dhx.words import (
    CALL_DOCUMENT,
    FORMAT,
    LETTER_DOCUMENT,
    NAMES,
    OWN_NAMES,
    OWN_SCHEMA,
    RECEIPT_DOCUMENT,
    SCHEMA,
)
from adapters.formats.files import Attachments, main_document
from adapters.formats.letters import as_draft
from adapters.formats.tree import Document, Reader, renumbered
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import Extra, LetterCard
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.wire.xml import parse, place_of, schema, serialise

CAPSULE_BYTES = 8 * 1024 * 1024
"""Of a capsule: more than one whose files fit into a letter of the exchange ever has."""


class DhxOptions(Options, frozen=True):
    """None: a capsule is UTF-8."""


class DhxFormat:
    """Reads and writes DHX capsules.

    Attributes:
        name: `dhx-2.1`.
    """

    name = FORMAT

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        main = main_document(package, LETTER_DOCUMENT, RECEIPT_DOCUMENT)
        Attachments(package, main, (CALL_DOCUMENT,)).finish()
        root = _open_message(package.files[main], main)
        document = Document(main, NAMES)
        if root.tag == NAMES.tag("DecContainer"):
            call = package.files.get(CALL_DOCUMENT)
            consignment = "" if call is None else consignment_of(call, CALL_DOCUMENT)
            return LetterReader(document, root, Bodies(directory), consignment).letter()
        document = Document(main, OWN_NAMES)
        addressed = Reader(document, root).at("Recipient").attr("OrganisationCode")
        return replace(read_receipt(document, root), addressee=Bodies(directory).find(addressed))

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`.

        Raises:
            DocumentError: the card cannot be written as a capsule (a forged file name).
        """
        draft = as_draft(arrived, recipient, Bodies(directory))
        own = replace(draft, card=replace(draft.card, extras=_extras_for(recipient, arrived.card)))
        return self.write(own, arrived.letter.head.created, directory, f"letter-from-{arrived.sender}")

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        root = write_receipt(arrived, recipient, Bodies(directory))
        return Package(f"{arrived.event}-from-{arrived.actor}", {RECEIPT_DOCUMENT: serialise(root)})

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package that an EDMS would write to send `draft`; `parse` gives it back."""
        return Package(name, {LETTER_DOCUMENT: serialise(write_letter(draft, created, Bodies(directory)))})


DHX = FormatPlugin(FORMAT, DhxOptions, lambda _options: DhxFormat())
"""As profiles name it."""


def _extras_for(recipient: str, card: LetterCard) -> tuple[Extra, ...]:
    """What was said of each addressee stays with that one: `as_draft` puts the recipient first."""
    places = [place for place, party in enumerate(card.addressees, 1) if party.body == recipient]
    others = [place for place, party in enumerate(card.addressees, 1) if party.body != recipient]
    numbers = dict.fromkeys(places[:1], 1) | {place: new for new, place in enumerate(others, 2)}
    extras = renumbered(card.extras, "Transport/DecRecipient", dict.fromkeys(places[:1], 1))
    return tuple(renumbered(extras, "Recipient", numbers))


def _open_message(data: bytes, name: str) -> Element:
    """Parse and validate a capsule or a receipt.

    Raises:
        DocumentError: no XML, another vocabulary (`document-namespace`), or a fault that the schema finds.
    """
    root = parse(data, name, limit=CAPSULE_BYTES)
    schemas = {NAMES.tag("DecContainer"): SCHEMA, OWN_NAMES.tag("Receipt"): OWN_SCHEMA}
    if root.tag not in schemas:
        message = f"the root is neither 'DecContainer' of {NAMES.namespace} nor a 'Receipt': only DHX 2.1 is read here"
        raise DocumentError(message, code="document-namespace", place=place_of(root, name))
    schema(schemas[str(root.tag)]).check(root, name)
    return root
