"""GOST R 53898-2013 ("СЭВ"): exchange of documents between records management systems.

A package is `DocInfo.xml` or `Report.xml` with the files that its resource list names. Facts and
losses: docs/formats/gost53898.md.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.gost53898.letter_reader import LetterReader
from adapters.formats.gost53898.letter_writer import write_letter
from adapters.formats.gost53898.receipts import read_receipt, write_receipt
from adapters.formats.gost53898.words import (
    FORMAT,
    LETTER_DOCUMENT,
    NAMES,
    RECEIPT_DOCUMENT,
    SCHEMA,
)
from adapters.formats.letters import as_draft, own_extras
from adapters.formats.tree import Document, Reader, extra_value
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.wire.xml import parse, place_of, schema, serialise


class GostOptions(Options, frozen=True):
    """How the document system writes."""

    encoding: Annotated[
        Literal["utf-8", "windows-1251"],
        msgspec.Meta(description="Of documents written for it; what it writes itself is read in either"),
    ] = "utf-8"


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
        root = _open_message(package.files[main], main)
        draft = _read_message(root, main, Bodies(directory), attachments)
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


GOST = FormatPlugin(FORMAT, GostOptions, lambda options: GostFormat(options.encoding))
"""As profiles name it."""


def _open_message(data: bytes, name: str) -> Element:
    """Parse and validate a message.

    Raises:
        DocumentError: no XML, another vocabulary (`document-namespace`), or a fault that the schema
            finds.
    """
    root = parse(data, name)
    if root.tag not in {NAMES.tag("DocInfo"), NAMES.tag("Report")}:
        message = f"the root is neither 'DocInfo' nor 'Report' of {NAMES.namespace}: only GOST R 53898 is read here"
        raise DocumentError(message, code="document-namespace", place=place_of(root, name))
    schema(SCHEMA).check(root, name)
    return root


def _read_message(root: Element, name: str, bodies: Bodies, attachments: Attachments) -> DraftLetter | DraftReceipt:
    """What a validated message says.

    Raises:
        DocumentError: a field or file is missing, an addressee is unknown, a kind of message is not
            carried (`document-kind-unsupported`).
    """
    document = Document(name, NAMES)
    if root.tag == NAMES.tag("DocInfo"):
        return LetterReader(document, root, bodies, attachments).letter()
    addressed = Reader(document, root).at("Header/Recipient/Contact/Organization").attr("UID")
    return replace(read_receipt(document, root), addressee=bodies.find(addressed))
