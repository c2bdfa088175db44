"""Transport containers of MEDO 2.7 and 2.7.1, written."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.archive import pack
from adapters.formats.bodies import Bodies
from adapters.formats.files import delivered_names, file_info
from adapters.formats.letters import Remarks, remark_of
from adapters.formats.medo.message import (
    add_destinations,
    begin,
    destinations_of,
    message_extras,
    passport_extras,
)
from adapters.formats.medo.parts import write_link
from adapters.formats.medo.passport import write_addressee, write_person
from adapters.formats.medo.remarks import file_remarks, say_what_medo_lacks, say_what_passports_lack
from adapters.formats.medo.versions import PASSPORTS, Version, passport_schema
from adapters.formats.medo.words import (
    ACCESS_WORDS,
    APPROVING,
    CONTAINER,
    CONTAINER_TYPE,
    DOCUMENT,
    MADE,
    MADE_IN_PASSPORT,
    NO_NUMBER,
    PASSPORT,
    PASSPORT_NUMBER_CHARACTERS,
    PASSPORT_VERSION,
    REMARKS_FILE,
)
from adapters.formats.tree import Writer, apply_extras
from adapters.formats.values import access_of, annotation_of, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, FileInfo, FileRole, Person
from exchange.wire.xml import serialise

_TEXT_FILE = "document.txt"


def write_container(
    draft: DraftLetter, created: datetime, bodies: Bodies, version: Version, encoding: str
) -> tuple[Element, dict[str, bytes]]:
    """A letter as a validated message and the container that it names."""
    names = version.passport or PASSPORTS[0]
    writer = _PassportWriter(draft, bodies, version)
    passport = writer.passport()
    passport = apply_extras(passport, writer.extras, names, passport_schema(names), MADE_IN_PASSPORT)
    for signed in passport.iter(names.tag("documentSignature")):
        if names.key("type") not in signed.attrib:
            signed.set(names.key("type"), APPROVING)
    passport_schema(names).check(passport, PASSPORT)
    root, header = begin(version, CONTAINER_TYPE, draft.message_id, write_time(created), draft.card.sender)
    header.maybe("comment", writer.comment)
    root.add("container").add("body", CONTAINER)
    add_destinations(root, destinations_of(draft, bodies))
    extras = message_extras(draft.card, version)
    message = apply_extras(root.element, extras, version.names, version.schema, MADE)
    version.schema.check(message, DOCUMENT)
    return message, {CONTAINER: pack({PASSPORT: serialise(passport, encoding), **writer.files})}


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A file of the letter: what the card says of it, and its name here."""

    info: FileInfo
    name: str


class _PassportWriter:
    """Writes one passport.

    Attributes:
        extras: those that the passport gets back.
        files: what lies beside it in the container.
        comment: what it has no field for.
    """

    def __init__(self, draft: DraftLetter, bodies: Bodies, version: Version) -> None:
        self.extras = passport_extras(draft.card, version)
        self._draft = draft
        self._card = draft.card
        self._bodies = bodies
        self._version = version
        names = delivered_names(draft.card.files, (PASSPORT, REMARKS_FILE, _TEXT_FILE))
        self._delivered = [_Delivered(info, name) for info, name in zip(draft.card.files, names, strict=True)]
        self.files = dict(zip(names, draft.files, strict=True))
        self._by_name = {file.info.name: file.name for file in self._delivered}
        idents = {file.info.id for file in self._delivered}
        self._signing = {each.signature_file for each in draft.card.signatures if each.file_id in idents}
        self._signatures: dict[str, list[DocumentSignature]] = {}
        for signature in draft.card.signatures:
            self._signatures.setdefault(signature.file_id, []).append(signature)
        self._said = {extra.path: extra.value for extra in self.extras}
        self._used: set[str] = set()
        self._stamps: set[str] = set()
        self.comment = ""

    def passport(self) -> Element:
        card, draft = self._card, self._draft
        names = self._version.passport or PASSPORTS[0]
        ident = {"uid": card.document_id or draft.message_id, "version": PASSPORT_VERSION}
        root = Writer.root(names, "container", ident)
        remarks = Remarks()
        say_what_medo_lacks(draft, remarks)
        say_what_passports_lack(draft, remarks)
        self._requisites(root.add("requisites"), remarks)
        main = self._main()
        number = remarks.fit("Номер", card.reg_number, PASSPORT_NUMBER_CHARACTERS) or NO_NUMBER
        self._authors(root.add("authors"), main.info, number)
        addressees = root.add("addressees")
        for party in card.addressees:
            name = party.name or (self._bodies.name(party.body) if party.body else "")
            write_addressee(addressees.add("addressee"), party, name)
        document = root.add("document", attributes={"localName": main.name})
        document.maybe("pagesQuantity", str(main.info.pages) if main.info.pages else "")
        self._attachments(root.add("attachments"), remarks)
        return root.element

    def _requisites(self, requisites: Writer, remarks: Remarks) -> None:
        access = ACCESS_WORDS[self._draft.access]
        # The sender's own word, unless it says something else than the signed statement.
        if access_of(word := self._said.get("requisites/classification", "")) is self._draft.access:
            access = word or access
        requisites.maybe("documentKind", self._card.kind)
        requisites.maybe("classification", access)
        requisites.maybe("annotation", annotation_of(self._card.title, self._card.annotation))
        links = requisites.add("links")
        for link in self._card.links:
            write_link(links, link, remarks, PASSPORT_NUMBER_CHARACTERS)
        links.prune()

    def _main(self) -> _Delivered:
        """The file that is the document: the first of that role, else the first; a letter without has its text."""
        candidates = [file for file in self._delivered if file.info.name not in self._signing]
        candidates.sort(key=lambda file: file.info.role is not FileRole.MAIN)
        if candidates:
            self._used.add(candidates[0].name)
            return candidates[0]
        text = annotation_of(self._card.title, self._card.annotation) or self._card.kind or NO_NUMBER
        self.files[_TEXT_FILE] = text.encode(errors="replace")
        return _Delivered(file_info("", _TEXT_FILE, self.files[_TEXT_FILE], FileRole.MAIN), _TEXT_FILE)

    def _authors(self, authors: Writer, main: FileInfo, number: str) -> None:
        """An author for each signatory, who repeats the registration, as systems of 2.7 write it."""
        card = self._card
        signs = _signs(card.signatories, self._signatures.get(main.id, []))
        for place, (person, signatures) in enumerate(signs or [(None, [])], 1):
            author, path = authors.add("author"), _indexed("authors/author", place)
            organization = (person.organization if person else "") or card.sender.name
            author.add("organization").add("title", organization)
            registration = author.add("registration")
            registration.add("number", number)
            registration.maybe("date", write_date(card.reg_date))
            self._stamp(registration, "registrationStamp", f"{path}/registration")
            if person is None:
                return
            sign = author.add("sign")
            write_person(sign.add("person"), person)
            for index, signature in enumerate(signatures, 1):
                signed = self._signature(sign, "documentSignature", signature)
                if signed is not None:
                    self._stamp(signed, "signatureStamp", _indexed(f"{path}/sign/documentSignature", index))

    def _stamp(self, parent: Writer, name: str, path: str) -> None:
        """A stamp that the sender's EDMS put there, when its picture came along; its position is among the extras."""
        picture = self._by_name.get(self._said.get(f"{path}/{name}/@localName", ""), "")
        if picture and (picture in self._stamps or picture not in self._used):
            self._used.add(picture)
            self._stamps.add(picture)
            parent.add(name, attributes={"localName": picture})

    def _signature(self, parent: Writer, name: str, signature: DocumentSignature) -> Writer | None:
        file = self._by_name.get(signature.signature_file)
        if file is None:
            return None
        self._used.add(file)
        return parent.add(name, attributes={"localName": file})

    def _attachments(self, attachments: Writer, remarks: Remarks) -> None:
        """All other files, those that only sign last: a signature of what is no file of the letter signs nothing."""
        order = 0
        for file in sorted(self._delivered, key=lambda each: each.info.name in self._signing):
            if file.name not in self._used:
                self._used.add(file.name)
                entry = _attachment(attachments, file.name, order, file.info.description)
                for signature in self._signatures.get(file.info.id, []):
                    self._signature(entry, "signature", signature)
                order += 1
        self.comment, whole = file_remarks(remarks.text(remark_of(self._card)))
        if whole:
            _attachment(attachments, REMARKS_FILE, order)
            self.files[REMARKS_FILE] = whole
        attachments.prune()


Sign = tuple[Person | None, list[DocumentSignature]]
"""Who signed, and by which signatures; nobody where no one is said to have."""


def _signs(signatories: Iterable[Person], signatures: Iterable[DocumentSignature]) -> list[Sign]:
    """Who signed, each with the signatures; a signer who is no signatory becomes one, having no other place."""
    signs: list[Sign] = []
    free: dict[Person | str, deque[list[DocumentSignature]]] = defaultdict(deque)

    def add(person: Person) -> list[DocumentSignature]:
        own: list[DocumentSignature] = []
        signs.append((person, own))
        free[person].append(own)
        free[person.name].append(own)
        return own

    for person in signatories:
        add(person)
    for signature in signatures:
        alike = free.get(signature.signer) or free.get(signature.signer.name)
        (alike[0] if alike else add(signature.signer)).append(signature)
        if alike:
            alike.rotate(-1)  # two of one name take turns
    return signs


def _attachment(attachments: Writer, name: str, order: int, description: str = "") -> Writer:
    entry = attachments.add("attachment", attributes={"localName": name})
    entry.add("order", str(order))
    entry.maybe("description", description)
    return entry


def _indexed(path: str, number: int) -> str:
    """A path of extras, which leave the number of the first out."""
    return path if number == 1 else f"{path}[{number}]"
