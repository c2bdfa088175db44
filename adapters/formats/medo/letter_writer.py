"""MEDO 2.6 documents, written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import delivered_names, extension
from adapters.formats.letters import (
    Remarks,
    is_plain_signature,
    own_extras,
    pages_of,
    remark_of,
)
from adapters.formats.medo.parts import write_addressee, write_clause, write_link, write_number, write_person
from adapters.formats.medo.words import (
    ACCESS_WORDS,
    ANNOTATION_CHARACTERS,
    COMMENT_CHARACTERS,
    DOCUMENT,
    FORMAT,
    GROUP_OF,
    LETTER_TYPE,
    MADE,
    NAMES,
    NUMBER_CHARACTERS,
    REMARKS_FILE,
    SCHEMA,
    TRANSPORT_FILES,
    URGENCY_WORDS,
    VERSION,
)
from adapters.formats.tree import Writer, apply_extras, extra_value
from adapters.formats.values import access_of, annotation_of, cut, urgency_of, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import FileInfo, Party, Person
from exchange.wire.xml import legal_text, schema

_NUMBER = re.compile(r"[0-9]{1,9}")


def write_letter(draft: DraftLetter, created: datetime, bodies: Bodies) -> tuple[Element, dict[str, bytes]]:
    """A letter as a validated message and its files by name."""
    writer = _LetterWriter(draft, bodies)
    root = writer.message(created)
    root = apply_extras(root, own_extras(draft.card, FORMAT), NAMES, schema(SCHEMA), MADE)
    schema(SCHEMA).check(root, DOCUMENT)
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

    def __init__(self, draft: DraftLetter, bodies: Bodies) -> None:
        self._draft = draft
        self._card = draft.card
        self._bodies = bodies
        self._remarks = Remarks()
        self._delivered = list(_deliver(draft))
        self.files = {file.name: data for file, data in zip(self._delivered, draft.files, strict=True)}

    def message(self, created: datetime) -> Element:
        card, draft = self._card, self._draft
        root = Writer.root(NAMES, "communication", {"version": VERSION})
        attributes = {"type": LETTER_TYPE, "uid": draft.message_id, "created": write_time(created)}
        source = root.add("header", attributes=attributes).add("source", attributes={"uid": card.sender.uid})
        source.add("organization", card.sender.name)
        ident = {"uid": card.document_id or draft.message_id, "id": card.local_id}
        document = root.add("document", attributes=ident)
        self._requisites(document)
        self._people(document)
        self._content(document)
        remarks = document.add("comment")
        self._list_files(root.add("files"))
        remarks.element.text = legal_text(self._comment(root))
        remarks.prune()
        self._destinations(root)
        return root.element

    def _requisites(self, document: Writer) -> None:
        card = self._card
        extras = own_extras(card, FORMAT)
        access, urgency = ACCESS_WORDS[self._draft.access], URGENCY_WORDS[self._draft.urgency]
        # The sender's own word, unless it says something else than the signed statement.
        if access_of(word := extra_value(extras, "document/classification")) is self._draft.access:
            access = word or access
        if urgency_of(word := extra_value(extras, "document/urgency")) is self._draft.urgency:
            urgency = word or urgency
        document.maybe("type", card.purpose)
        document.maybe("kind", card.kind)
        write_number(
            document, self._remarks.fit("Номер", card.reg_number, NUMBER_CHARACTERS), write_date(card.reg_date)
        )
        document.maybe("classification", access)
        document.maybe("urgency", urgency)
        self._remarks.say("Срок ответа", write_date(self._draft.reply_due))
        self._remarks.say("Основание ограничения доступа", card.access_basis)
        self._remarks.say("Доступ ограничен до", write_date(card.access_until))

    def _people(self, document: Writer) -> None:
        card = self._card
        signatories = document.add("signatories")
        for person in card.signatories or (Person(organization=card.sender.name),):
            signatory = signatories.add("signatory")
            write_person(signatory, person)
            signatory.maybe("signed", write_date(person.signed))
        addressees = document.add("addressees")
        for party in card.addressees:
            write_addressee(addressees.add("addressee", attributes={"uid": self._uid(party)}), party)

    def _content(self, document: Writer) -> None:
        card = self._card
        annotation = annotation_of(card.title, card.annotation)
        pages = extra_value(own_extras(card, FORMAT), "document/pages") or str(pages_of(card.files))
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
        document.maybe("files", self._local_ids())

    def _list_files(self, files: Writer) -> None:
        for file in self._delivered:
            if file.listed:
                self._list_file(files, file)

    def _list_file(self, files: Writer, file: _Delivered) -> None:
        attributes = {"localName": file.name, "localId": file.local_id, "type": extension(file.name)}
        entry = files.add("file", attributes=attributes)
        entry.add("group", GROUP_OF[file.info.role])
        entry.maybe("description", file.info.description)
        entry.maybe("pages", str(file.info.pages) if file.info.pages else "")
        names = {other.info.name: other.name for other in self._delivered}
        own = [signature for signature in self._card.signatures if signature.file_id == file.info.id]
        signed = entry.add("signedData")
        for signature in own:
            if signature.signature_file not in names:
                continue
            signed.set({"localName": file.name})
            info = signed.add("signerInfo", attributes={"signature": names[signature.signature_file]})
            info.maybe("digestTime", write_time(signature.time))
            signer = info.add("signer")
            write_person(signer, signature.signer)
            signer.prune()
        signed.prune()

    def _comment(self, root: Writer) -> str:
        """Remarks, or where they are too long a file with them and its name."""
        text = self._remarks.text(remark_of(self._card))
        if len(text) <= COMMENT_CHARACTERS:
            return text
        entry = root.element.find(NAMES.tag("files"))
        local_id = str(max((int(file.local_id) for file in self._delivered if file.listed), default=-1) + 1)
        if entry is not None:
            attributes = {"localName": REMARKS_FILE, "localId": local_id, "type": extension(REMARKS_FILE)}
            Writer(NAMES, entry).add("file", attributes=attributes).add("group", "Данные")
        self.files[REMARKS_FILE] = text.encode()
        note = f"Полностью в файле {REMARKS_FILE}"
        return f"{cut(text, COMMENT_CHARACTERS - len(note) - 1)}\n{note}"

    def _destinations(self, root: Writer) -> None:
        index = root.add("deliveryIndex")
        for code, party in zip(self._draft.recipients, self._card.addressees, strict=False):
            destination = index.add("destination")
            partner = destination.add("destination", attributes={"uid": self._bodies.uid(code, party.uid)})
            partner.add("organization", party.name or self._bodies.name(code))
            destination.maybe("files", self._local_ids())

    def _local_ids(self) -> str:
        return " ".join(file.local_id for file in self._delivered if file.listed)

    def _uid(self, party: Party) -> str:
        return self._bodies.uid(party.body, party.uid) if party.body else party.uid


def _deliver(draft: DraftLetter) -> Iterator[_Delivered]:
    """Names and numbers for the files: the sender's where they serve here."""
    files, signatures = draft.card.files, draft.card.signatures
    listed = [not is_plain_signature(file, signatures) for file in files]
    ids = [file.id for file, is_listed in zip(files, listed, strict=True) if is_listed]
    keep = len(set(ids)) == len(ids) and all(_NUMBER.fullmatch(ident) for ident in ids)
    names = delivered_names(files, (DOCUMENT, REMARKS_FILE, *TRANSPORT_FILES))
    for index, (file, name) in enumerate(zip(files, names, strict=True)):
        yield _Delivered(file, name, file.id if keep and listed[index] else str(index), listed[index])
