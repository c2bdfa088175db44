"""DHX capsules, written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.dhx.addition import Addition, FileDetails, write_addition
from adapters.formats.dhx.contents import pack
from adapters.formats.dhx.foreign import write_foreign
from adapters.formats.dhx.parts import (
    day_of,
    guid_of,
    is_guid,
    write_day,
    write_mailbox,
    write_participant,
    write_party,
)
from adapters.formats.dhx.words import (
    ACCESS_CODES,
    ADDITIONS,
    BASIS_LINK,
    FORMAT,
    LETTER_DOCUMENT,
    MADE,
    MAX_PAGES,
    NAMES,
    NEEDED,
    REPLY_LINK,
    SCHEMA,
    TEXT_FILE,
)
from adapters.formats.files import delivered_names
from adapters.formats.letters import ANSWERING, own_extras, remark_of
from adapters.formats.tree import Writer, apply_extras, extra_value
from adapters.formats.values import title_of, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, Extra, FileInfo, FileRole, Link, Party, Person
from exchange.domain.event import Event
from exchange.domain.statement import Access, LetterKind
from exchange.wire.xml import legal_text, schema


def write_letter(draft: DraftLetter, created: datetime, bodies: Bodies) -> Element:
    """A letter as a validated capsule.

    Raises:
        DocumentError: the card cannot be written as a capsule (a forged file name).
    """
    extras = own_extras(draft.card, FORMAT)
    writer = _LetterWriter(draft, created, bodies, extras)
    root = writer.capsule()
    own = [extra for extra in extras if extra.path.partition("/")[0] != ADDITIONS]
    root = apply_extras(root, own, NAMES, schema(SCHEMA), MADE, NEEDED)
    for additions in root.findall(NAMES.tag(ADDITIONS)):
        writer.fill(Writer(NAMES, additions))
    schema(SCHEMA).check(root, LETTER_DOCUMENT)
    return root


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A file of the letter: what the card says of it; its id, its GUID and its name here."""

    info: FileInfo
    ident: str
    guid: str
    name: str


class _LetterWriter:
    """Writes one letter."""

    def __init__(self, draft: DraftLetter, created: datetime, bodies: Bodies, extras: tuple[Extra, ...]) -> None:
        self._draft = draft
        self._card = draft.card
        self._bodies = bodies
        self._extras = extras
        self._delivered = tuple(_deliver(draft))
        self._reply, self._basis = _native_links(draft.card.links)
        registered = self._time("RecordMetadata/RecordDateRegistered", draft.card.reg_date)
        self._registered = registered or write_time(created)

    def capsule(self) -> Element:
        root = Writer.root(NAMES, "DecContainer", {})
        self._transport(root)
        self._initiator(root)
        if self._card.executor is not None:
            write_participant(root.add("RecordCreator"), self._card.executor)
        self._dispatcher(root)
        for number, party in enumerate(self._card.addressees, 1):
            self._recipient(root, party, first=number == 1)
        self._record(root)
        self._access(root)
        for person in self._card.signatories:
            root.add("SignatureMetadata").maybe("Signer", person.name)
        self._files(root)
        root.add(ADDITIONS)
        return root.element

    def fill(self, additions: Writer) -> None:
        """Write what the capsule itself cannot say, ours and others'."""
        addition = write_addition(self._addition())
        if addition is not None:
            additions.element.append(addition)
        write_foreign(additions.element, self._extras)
        additions.prune()

    def _own(self, path: str) -> str:
        """What the sender's EDMS wrote at a path where the card says less."""
        return extra_value(self._extras, path)

    def _code(self, party: Party) -> str:
        return self._bodies.uid(party.body, party.uid) if party.body else party.uid

    def _transport(self, root: Writer) -> None:
        sender, transport = self._card.sender, root.add("Transport")
        write_mailbox(transport.add("DecSender"), self._code(sender), sender.unit)
        for code, party in zip(self._draft.recipients, self._card.addressees, strict=False):
            write_mailbox(transport.add("DecRecipient"), self._bodies.uid(code, party.uid), party.unit)

    def _initiator(self, root: Writer) -> None:
        """The record that this one goes back to."""
        if self._basis is not None:
            entry = root.add("Initiator")
            entry.maybe("InitiatorRecordOriginalIdentifier", self._basis.number)
            entry.maybe("InitiatorRecordDate", self._time("Initiator/InitiatorRecordDate", self._basis.dated))
            entry.add("ContactData")

    def _dispatcher(self, root: Writer) -> None:
        sender = self._card.sender
        person = sender.person or Person()
        within = replace(person, organization=sender.name, department=person.department or sender.unit)
        write_participant(root.add("RecordSenderToDec"), within, self._code(sender))

    def _recipient(self, root: Writer, party: Party, *, first: bool) -> None:
        """An addressee; the first is told which of its records is answered, and what other formats call a remark."""
        entry = root.add("Recipient")
        if first and self._reply is not None:
            entry.maybe("RecipientRecordGuid", self._reply.document_id)
            entry.maybe("RecipientRecordOriginalIdentifier", self._reply.number)
        if first:
            entry.maybe("MessageForRecipient", remark_of(self._card))
        write_party(entry, party, self._code(party))

    def _record(self, root: Writer) -> None:
        card, record = self._card, root.add("RecordMetadata")
        record.add("RecordGuid", self._record_guid())
        record.add("RecordType", card.kind)
        record.add("RecordOriginalIdentifier", card.reg_number)
        record.add("RecordDateRegistered", self._registered)
        record.add("RecordTitle", card.title or title_of(card.annotation))
        record.maybe("RecordLanguage", self._own("RecordMetadata/RecordLanguage") or card.language)
        record.maybe("RecordAbstract", card.annotation)
        record.maybe("ReplyDueDate", write_date(self._draft.reply_due))

    def _record_guid(self) -> str:
        return guid_of(self._card.document_id or self._draft.message_id)

    def _time(self, path: str, day: date | None) -> str:
        """The time that the sender's EDMS wrote for a day, else its midnight; empty without a day."""
        own = self._own(path)
        return own if own and day_of(own) == write_date(day) else write_day(day)

    def _access(self, root: Writer) -> None:
        """Who may see it; a restriction is written where its end is known, which it must have."""
        card, entry = self._card, root.add("Access")
        entry.add("AccessConditionsCode", ACCESS_CODES[self._draft.access])
        if card.access_until is not None:
            path = "Access/AccessRestriction/"
            begun = self._own(path + "RestrictionBeginDate") or day_of(self._registered)
            restriction = entry.add("AccessRestriction")
            restriction.add("RestrictionBeginDate", begun)
            restriction.add("RestrictionEndDate", write_date(card.access_until))
            restriction.add("RestrictionBasis", card.access_basis)
            restriction.add("InformationOwner", self._own(path + "InformationOwner") or card.sender.name)

    def _files(self, root: Writer) -> None:
        """Every file with its bytes; a letter without any gets its own text as one."""
        for number, (file, data) in enumerate(zip(self._delivered, self._draft.files, strict=True), 1):
            index = f"[{number}]" if number > 1 else ""
            media_type = self._own(f"File{index}/MimeType") or file.info.media_type
            _write_file(root, file.guid, file.name, media_type, data, main=file.info.role is FileRole.MAIN)
        if not self._delivered:
            text = f"{self._card.title}\n{self._card.annotation}\n".encode("utf-8", "replace")
            _write_file(root, guid_of(f"{self._draft.message_id}\n"), TEXT_FILE, "text/plain", text, main=True)

    def _addition(self) -> Addition:
        """What the capsule has no element for."""
        draft, card, guid = self._draft, self._card, self._record_guid()
        native = tuple(link for link in (self._reply, self._basis) if link is not None)
        document_id = card.document_id or draft.message_id
        until_known = card.access_until is not None
        return Addition(
            message_id="" if draft.message_id == guid else draft.message_id,
            document_id="" if document_id == guid else document_id,
            consignment_id="" if draft.consignment_id == draft.message_id else draft.consignment_id,
            local_id=card.local_id,
            purpose=card.purpose,
            addition=draft.kind is LetterKind.ADDITION,
            confidential=draft.access is Access.CONFIDENTIAL,
            personal_data=card.personal_data,
            unregistered=card.reg_date is None,
            without_files=not self._delivered,
            restriction_basis="" if until_known else card.access_basis,
            system=card.sender.system,
            x_road_id=card.sender.x_road_id,
            soate=card.sender.soate,
            executor_signed=card.executor.signed if card.executor else None,
            urgency=draft.urgency,
            ack=draft.ack,
            wanted=tuple(event for event in draft.wanted if event in set(Event)),
            signatories={
                number: replace(person, name="")
                for number, person in enumerate(card.signatories, 1)
                if person != Person(name=person.name)
            },
            links=() if native == card.links else card.links,
            tasks=card.tasks,
            files={file.guid: details for file in self._delivered if (details := _details(file)) != FileDetails()},
            signatures=tuple(self._signatures()),
            translations=card.translations,
        )

    def _signatures(self) -> Iterator[DocumentSignature]:
        """Detached signatures, by the GUIDs of the files here and the names that they travel under."""
        guids = {file.info.id: file.guid for file in self._delivered}
        names = {file.info.name: file.name for file in self._delivered}
        for signature in self._card.signatures:
            if signature.file_id in guids and signature.signature_file in names:
                name = names[signature.signature_file]
                yield replace(signature, file_id=guids[signature.file_id], signature_file=name)


def _native_links(links: tuple[Link, ...]) -> tuple[Link | None, Link | None]:
    """The links that a capsule has elements for: the record answered, the record that this one goes back to."""
    reply = next((link for link in links if link.type in ANSWERING), None)
    basis = next((link for link in links if link.type == BASIS_LINK and (link.number or link.dated)), None)
    if reply is not None:
        reply = Link(REPLY_LINK, reply.document_id if is_guid(reply.document_id) else "", reply.number)
    return reply, basis and Link(BASIS_LINK, "", basis.number, basis.dated)


def _deliver(draft: DraftLetter) -> Iterator[_Delivered]:
    """Ids, GUIDs and names for the files: the sender's ids where they tell files apart."""
    files = draft.card.files
    names = delivered_names(files, (LETTER_DOCUMENT,))
    ids = [legal_text(file.id).strip() for file in files]
    keep = len(set(ids)) == len(ids) and all(ids)
    for number, (file, name) in enumerate(zip(files, names, strict=True), 1):
        ident = ids[number - 1] if keep else f"file-{number}"
        yield _Delivered(file, ident, ident if is_guid(ident) else guid_of(f"{draft.message_id}\n{ident}"), name)


def _details(file: _Delivered) -> FileDetails:
    info = file.info
    ident = "" if file.ident == file.guid else file.ident
    pages = info.pages if info.pages and 0 < info.pages <= MAX_PAGES else None
    return FileDetails(ident, info.role is FileRole.DATA, pages, info.description)


def _write_file(root: Writer, guid: str, name: str, media_type: str, data: bytes, *, main: bool) -> None:
    entry = root.add("File")
    entry.add("FileGuid", guid)
    entry.add("RecordMainComponent", "true" if main else "false")
    entry.add("FileName", name)
    entry.add("MimeType", media_type)
    entry.add("FileSize", str(len(data)))
    entry.add("ZipBase64Content", pack(data))
