"""MEDO documents up to 2.6, written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import delivered_names, extension
from adapters.formats.letters import Remarks, is_plain_signature, own_extras, pages_of, remark_of
from adapters.formats.medo.envelope import ENVELOPES
from adapters.formats.medo.message import add_destinations, begin, destinations_of, message_extras
from adapters.formats.medo.parts import write_addressee, write_clause, write_link, write_number, write_person
from adapters.formats.medo.remarks import file_remarks, say_signature, say_what_medo_lacks
from adapters.formats.medo.versions import Version
from adapters.formats.medo.words import (
    ACCESS_WORDS,
    ANNOTATION_CHARACTERS,
    DOCUMENT,
    GROUP_OF,
    LETTER_TYPE,
    MADE,
    NUMBER_CHARACTERS,
    PERSONAL_DATA,
    REMARKS_FILE,
    URGENCY_WORDS,
)
from adapters.formats.tree import Writer, apply_extras, extra_value
from adapters.formats.values import access_of, annotation_of, urgency_of, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import FileInfo, FileRole, Person
from exchange.wire.xml import legal_text

_NUMBER = re.compile(r"[0-9]{1,9}")


def write_letter(
    draft: DraftLetter, created: datetime, bodies: Bodies, version: Version
) -> tuple[Element, dict[str, bytes]]:
    """A letter as a validated message and its files by name."""
    writer = _LetterWriter(draft, bodies, version)
    root = writer.message(created)
    root = apply_extras(root, message_extras(draft.card, version), version.names, version.schema, MADE)
    version.schema.check(root, DOCUMENT)
    return root, writer.files


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A file of the letter: what the card says of it, and its name and number here."""

    info: FileInfo
    name: str
    local_id: str
    listed: bool


class _LetterWriter:
    """Writes one letter. `files` is what travels beside the message."""

    def __init__(self, draft: DraftLetter, bodies: Bodies, version: Version) -> None:
        self._draft = draft
        self._card = draft.card
        self._bodies = bodies
        self._version = version
        self._extras = own_extras(draft.card, *version.kin)
        self._remarks = Remarks()
        self._delivered = list(_deliver(draft, version))
        self._names = {file.info.name: file.name for file in self._delivered}
        self.files = {file.name: data for file, data in zip(self._delivered, draft.files, strict=True)}

    def message(self, created: datetime) -> Element:
        card, draft = self._card, self._draft
        root, _ = begin(self._version, LETTER_TYPE, draft.message_id, write_time(created), card.sender)
        ident = {"uid": card.document_id or draft.message_id, "id": card.local_id}
        document = root.add("document", attributes=ident)
        self._requisites(document)
        self._people(document)
        self._content(document)
        remarks = document.add("comment")
        files = root.add("files")
        for file in self._delivered:
            if file.listed:
                self._list_file(files, file)
        remarks.element.text = legal_text(self._comment(files))
        remarks.prune()
        add_destinations(root, destinations_of(draft, self._bodies), self._local_ids())
        return root.element

    def _requisites(self, document: Writer) -> None:
        card = self._card
        access, urgency = ACCESS_WORDS[self._draft.access], URGENCY_WORDS[self._draft.urgency]
        # The sender's own word, unless it says something else than the signed statement.
        if access_of(word := extra_value(self._extras, "document/classification")) is self._draft.access:
            access = word or access
        if urgency_of(word := extra_value(self._extras, "document/urgency")) is self._draft.urgency:
            urgency = word or urgency
        document.maybe("type", card.purpose)
        document.maybe("kind", card.kind)
        write_number(
            document, self._remarks.fit("Номер", card.reg_number, NUMBER_CHARACTERS), write_date(card.reg_date)
        )
        document.maybe("classification", access)
        document.maybe("urgency", urgency)
        document.maybe("specialMark", PERSONAL_DATA if card.personal_data else "")
        say_what_medo_lacks(self._draft, self._remarks)

    def _people(self, document: Writer) -> None:
        card = self._card
        signatories = document.add("signatories")
        for person in card.signatories or (Person(organization=card.sender.name),):
            signatory = signatories.add("signatory")
            write_person(signatory, person)
            signatory.maybe("signed", write_date(person.signed))
        addressees = document.add("addressees")
        for party in card.addressees:
            uid = self._bodies.uid(party.body, party.uid) if party.body else party.uid
            # Without uids a recipient is found by its name, so each must have one.
            name = "" if self._version.linked or not party.body else self._bodies.name(party.body)
            entry = addressees.add("addressee", attributes={"uid": uid if self._version.linked else ""})
            write_addressee(entry, party, party.name or name)

    def _content(self, document: Writer) -> None:
        card = self._card
        annotation = annotation_of(card.title, card.annotation)
        pages = extra_value(self._extras, "document/pages") or str(pages_of(card.files))
        document.add("pages", pages)
        document.add("annotation", self._remarks.fit("Аннотация", annotation, ANNOTATION_CHARACTERS))
        links = document.add("links")
        for link in card.links:
            write_link(links, link, self._remarks)
        links.prune()
        clauses = document.add("clauses")
        for task in card.tasks:
            write_clause(clauses, task, self._remarks)
        clauses.prune()
        if card.executor is not None:
            write_person(document.add("executor"), card.executor)
        document.maybe("files", self._local_ids() if self._version.linked else "")

    def _list_file(self, files: Writer, file: _Delivered) -> None:
        attributes = {"localName": file.name, "localId": file.local_id, "type": extension(file.name)}
        entry = files.add("file", attributes=attributes)
        role = file.info.role
        entry.add("group", GROUP_OF[role if self._version.linked or role is FileRole.MAIN else FileRole.ANNEX])
        entry.maybe("description", file.info.description)
        entry.maybe("pages", str(file.info.pages) if file.info.pages else "")
        own = [signature for signature in self._card.signatures if signature.file_id == file.info.id]
        if not self._version.linked:
            for signature in own:
                say_signature(file.name, signature, self._remarks)
            return
        signed = entry.add("signedData")
        for signature in own:
            if signature.signature_file not in self._names:
                continue
            signed.set({"localName": file.name})
            info = signed.add("signerInfo", attributes={"signature": self._names[signature.signature_file]})
            info.maybe("digestTime", write_time(signature.time))
            signer = info.add("signer")
            write_person(signer, signature.signer)
            signer.prune()
        signed.prune()

    def _comment(self, files: Writer) -> str:
        """Remarks, or where they are too long a file with them and its name."""
        text, whole = file_remarks(self._remarks.text(remark_of(self._card)))
        if whole:
            local_id = str(max((int(file.local_id) for file in self._delivered if file.listed), default=-1) + 1)
            attributes = {"localName": REMARKS_FILE, "localId": local_id, "type": extension(REMARKS_FILE)}
            data = FileRole.DATA if self._version.linked else FileRole.ANNEX
            files.add("file", attributes=attributes).add("group", GROUP_OF[data])
            self.files[REMARKS_FILE] = whole
        return text

    def _local_ids(self) -> str:
        return " ".join(file.local_id for file in self._delivered if file.listed)


def _deliver(draft: DraftLetter, version: Version) -> Iterator[_Delivered]:
    """Names and numbers for the files: the sender's where they serve here."""
    files, signatures = draft.card.files, draft.card.signatures
    listed = [not (version.linked and is_plain_signature(file, signatures)) for file in files]
    ids = [file.id for file, is_listed in zip(files, listed, strict=True) if is_listed]
    keep = len(set(ids)) == len(ids) and all(_NUMBER.fullmatch(ident) for ident in ids)
    names = delivered_names(files, (DOCUMENT, REMARKS_FILE, *ENVELOPES))
    for index, (file, name) in enumerate(zip(files, names, strict=True)):
        yield _Delivered(file, name, file.id if keep and listed[index] else str(index), listed[index])
