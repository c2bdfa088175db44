"""MEDO 2.6 (IEDMS): the format of interdepartmental exchange. Documents of 2.2 are read as well.

A package is `document.xml` with the files that it names. Facts and losses: docs/formats/medo.md.
"""

from dataclasses import replace
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.letters import as_draft
from adapters.formats.medo.letter_reader import LetterReader
from adapters.formats.medo.letter_writer import write_letter
from adapters.formats.medo.receipts import read_acknowledgment, read_notice, write_receipt
from adapters.formats.medo.words import (
    ACKNOWLEDGMENT_TYPE,
    DOCUMENT,
    FORMAT,
    LETTER_TYPE,
    NAMES,
    NOTICE_TYPE,
    SCHEMA,
    TRANSPORT_FILES,
)
from adapters.formats.tree import Document, Reader
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.wire.xml import parse, place_of, schema, serialise


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
        root = _open_message(package.files[main], main)
        draft = _read_message(root, main, Bodies(directory), attachments)
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


def _open_message(data: bytes, name: str) -> Element:
    """Parse and validate a message.

    Raises:
        DocumentError: no XML, another vocabulary (`document-namespace`), a version or kind that is
            not read here (`document-kind-unsupported`), or a fault that the schema finds.
    """
    root = parse(data, name)
    if root.tag != NAMES.tag("communication"):
        message = f"the root is not 'communication' of {NAMES.namespace}: only MEDO 2.2 to 2.6 is read here"
        raise DocumentError(message, code="document-namespace", place=place_of(root, name))
    header = root.find(NAMES.tag("header"))
    kind = "" if header is None else header.get(NAMES.key("type"), "")
    if kind == "Транспортный контейнер":
        message = "a transport container of MEDO 2.7 is not read here: send the document in version 2.6"
        raise DocumentError(message, code="document-kind-unsupported", place=f"{name}, communication/header/@type")
    schema(SCHEMA).check(root, name)
    return root


def _read_message(root: Element, name: str, bodies: Bodies, attachments: Attachments) -> DraftLetter | DraftReceipt:
    """What a validated message says.

    Raises:
        DocumentError: type and content differ, a field or file is missing, an addressee is unknown.
    """
    document = Document(name, NAMES)
    message = Reader(document, root)
    message.attr("version")
    message.at("header").attr("created")
    kind = message.at("header").attr("type")
    expected = {LETTER_TYPE: "document", NOTICE_TYPE: "notification", ACKNOWLEDGMENT_TYPE: "acknowledgment"}[kind]
    if not message.at(expected):
        fault = f"the header says '{kind}', but there is no '{expected}': correct header/@type"
        raise DocumentError(fault, place=message.at("header").place)
    if kind == LETTER_TYPE:
        return LetterReader(document, root, bodies, attachments).letter()
    draft = read_notice(document, root) if kind == NOTICE_TYPE else read_acknowledgment(document, root)
    return replace(draft, addressee=bodies.find(message.at("deliveryIndex/destination/destination").attr("uid")))
