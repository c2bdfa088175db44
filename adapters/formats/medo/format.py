"""MEDO (IEDMS): the format of interdepartmental exchange, 2.2 to 2.7.1.

Every version is read, whichever it is opened as; one is written. A package is `document.xml` with the
files that it names; since 2.7 these are in a container. Facts and losses: docs/formats/medo.md.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import Attachments, main_document
from adapters.formats.languages import apart, together
from adapters.formats.letters import as_draft, own_extras
from adapters.formats.medo.container_reader import read_container
from adapters.formats.medo.container_writer import write_container
from adapters.formats.medo.envelope import ENVELOPES, SUBJECT, mailed_name, open_envelope, subject_of, write_envelope
from adapters.formats.medo.letter_reader import read_document
from adapters.formats.medo.letter_writer import write_letter
from adapters.formats.medo.message import Message, destinations_of, open_message
from adapters.formats.medo.receipts import read_acknowledgment, read_notice, write_receipt
from adapters.formats.medo.versions import MEDO_2_6, VERSIONS, Version
from adapters.formats.medo.words import (
    ACKNOWLEDGMENT_TYPE,
    CONTAINER_TYPE,
    DOCUMENT,
    LETTER_TYPE,
    NOTICE_TYPE,
)
from adapters.formats.tree import Document, extra_value
from adapters.ports import FormatPlugin, Options
from exchange.agent.ports import ArrivedLetter, ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.wire.xml import serialise

_KINDS: dict[str, tuple[str, Callable[[Message], DraftLetter | DraftReceipt]]] = {
    LETTER_TYPE: ("document", read_document),
    CONTAINER_TYPE: ("container", read_container),
    NOTICE_TYPE: ("notification", read_notice),
    ACKNOWLEDGMENT_TYPE: ("acknowledgment", read_acknowledgment),
}
"""By `header/@type`: the element that it announces, and what reads it."""


class MedoOptions(Options, frozen=True):
    """How the document system writes."""

    encoding: Annotated[
        Literal["utf-8", "windows-1251"],
        msgspec.Meta(description="Of documents written for it; what it writes itself is read in either"),
    ] = "utf-8"
    envelope: Annotated[
        Literal["", "envelope.ini", "envelope.ltr"],
        msgspec.Meta(description="Name of the mail's envelope in packages written for it; none where it is empty"),
    ] = ""
    two_languages: Annotated[
        bool, msgspec.Meta(description="Whether annotations hold Kyrgyz and Russian, a blank line between them")
    ] = False


class MedoFormat:
    """Reads all versions of MEDO and writes one.

    Attributes:
        name: `medo-` and the number of the version.
    """

    def __init__(
        self, version: Version = MEDO_2_6, *, encoding: str = "utf-8", envelope: str = "", two_languages: bool = False
    ) -> None:
        """Write documents of `version`.

        Args:
            version: one of `versions.VERSIONS`.
            encoding: `utf-8`, or `windows-1251` for systems that know no other.
            envelope: `envelope.ini` or `envelope.ltr` for systems that expect the mail's envelope in a package.
            two_languages: whether an annotation holds two, see `adapters.formats.languages`.
        """
        self.name = version.format
        self._version = version
        self._encoding = encoding
        self._envelope = envelope
        self._two_languages = two_languages

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `exchange.agent.ports.Format`."""
        main = main_document(package, DOCUMENT)
        attachments = Attachments(package, main, ENVELOPES)
        root, version = open_message(package.files[main], main)
        document, bodies = Document(main, version.names), Bodies(directory)
        draft = _read(Message(document, root, version, bodies, attachments, open_envelope(package)))
        attachments.finish()
        return apart(draft) if self._two_languages and isinstance(draft, DraftLetter) else draft

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `exchange.agent.ports.Format`.

        Raises:
            DocumentError: the card cannot be written as MEDO (a forged file name, an empty id).
        """
        draft = as_draft(arrived, recipient, Bodies(directory))
        return self.write(draft, arrived.letter.head.created, directory, f"letter-from-{arrived.sender}")

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `exchange.agent.ports.Format`."""
        bodies = Bodies(directory)
        root = write_receipt(arrived, recipient, bodies, self._version)
        if root is None:
            return None
        address = bodies.uid(recipient, arrived.about.sender.uid)
        subject = subject_of(arrived.about.reg_number, arrived.about.reg_date)
        return self._package(f"{arrived.event}-from-{arrived.actor}", root, {}, subject, [address], arrived.at)

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package that an EDMS would write to send `draft`; `parse` gives it back."""
        bodies, version = Bodies(directory), self._version
        draft = together(draft) if self._two_languages else draft
        if version.passport:
            root, files = write_container(draft, created, bodies, version, self._encoding)
        else:
            root, files = write_letter(_mailed(draft) if self._envelope else draft, created, bodies, version)
        card = draft.card
        subject = extra_value(own_extras(card, *version.kin), SUBJECT)
        subject = subject or subject_of(card.reg_number, card.reg_date)
        addresses = [party.uid for party in destinations_of(draft, bodies)]
        return self._package(name, root, files, subject, addresses, created)

    def _package(
        self, name: str, root: Element, files: dict[str, bytes], subject: str, addresses: list[str], at: datetime
    ) -> Package:
        whole = {DOCUMENT: serialise(root, self._encoding), **files}
        if self._envelope:
            whole[self._envelope] = write_envelope(subject, addresses, [*files, DOCUMENT], at)
        return Package(name, whole)


def _plugin(version: Version) -> FormatPlugin[MedoFormat]:
    def opened(options: MedoOptions) -> MedoFormat:
        return MedoFormat(
            version, encoding=options.encoding, envelope=options.envelope, two_languages=options.two_languages
        )

    return FormatPlugin(version.format, MedoOptions, opened)


MEDO = tuple(map(_plugin, VERSIONS.values()))
"""All versions, as profiles name them."""


def _read(message: Message) -> DraftLetter | DraftReceipt:
    """What a validated message says.

    Raises:
        DocumentError: type and content differ, a field or file is missing, an addressee is unknown.
    """
    top = message.top
    top.attr("version")
    header = top.at("header")
    header.attr("created")
    kind = header.attr("type")
    expected, read = _KINDS[kind]
    if not top.at(expected):
        fault = f"the header says '{kind}', but there is no '{expected}': correct header/@type"
        raise DocumentError(fault, place=header.place)
    draft = read(message)
    if isinstance(draft, DraftLetter):
        return draft
    return replace(draft, addressee=message.bodies.find(top.at("deliveryIndex/destination/destination").attr("uid")))


def _mailed(draft: DraftLetter) -> DraftLetter:
    """The letter with files that an envelope can list; a signature's id is its name, so ids go along."""
    card = draft.card
    files = tuple(replace(file, id=mailed_name(file.id), name=mailed_name(file.name)) for file in card.files)
    signatures = tuple(
        replace(each, file_id=mailed_name(each.file_id), signature_file=mailed_name(each.signature_file))
        for each in card.signatures
    )
    return replace(draft, card=replace(card, files=files, signatures=signatures))
