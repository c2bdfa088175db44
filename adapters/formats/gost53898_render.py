"""GOST R 53898-2013 documents and reports, written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import delivered_names, extension
from adapters.formats.gost53898_words import (
    ACCESS_WORDS,
    CONTROLLED,
    EXPANSION,
    FORMAT,
    LETTER_DOCUMENT,
    MADE,
    MESSAGE_TYPES,
    NAMES,
    NOT_CONTROLLED,
    NOTICES,
    RECEIPT_DOCUMENT,
    SCHEMA,
    SUBSCRIPTIONS,
    TIME_ZONE,
    VERSION,
)
from adapters.formats.letters import (
    EXCHANGE,
    EXCHANGE_NAME,
    is_plain_signature,
    own_extras,
    reason_of,
    remark_of,
)
from adapters.formats.tree import Writer, apply_extras, extra_value
from adapters.formats.values import access_of, annotation_of, write_date, write_time
from exchange.agent.ports import ArrivedReceipt, DraftLetter
from exchange.domain.card import FileInfo, FileRole, Party, Person, Task
from exchange.domain.event import Event
from exchange.domain.statement import AckPolicy, Urgency
from exchange.wire.xml import schema

_OWN_RESOURCE = "0"


def write_letter(
    draft: DraftLetter, created: datetime, bodies: Bodies, return_id: str
) -> tuple[Element, dict[str, bytes]]:
    """A letter as a validated message and its files by name; reports shall name `return_id`."""
    writer = _LetterWriter(draft, bodies, return_id)
    root = writer.message(created)
    root = apply_extras(root, own_extras(draft.card, FORMAT), NAMES, schema(SCHEMA), MADE)
    main = root.find(f"{NAMES.tag('DocumentList')}/{NAMES.tag('Document')}")
    if main is not None and "Type" not in main.attrib:
        main.set("Type", "Created")
    schema(SCHEMA).check(root, LETTER_DOCUMENT)
    return root, writer.files


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A file of the letter: what the card says of it; its id, its name and its resource's number here."""

    info: FileInfo
    ident: str
    name: str
    resource: str
    listed: bool


class _LetterWriter:
    """Writes one letter. `files` is what travels beside the message."""

    def __init__(self, draft: DraftLetter, bodies: Bodies, return_id: str) -> None:
        self._draft = draft
        self._card = draft.card
        self._bodies = bodies
        self._return_id = return_id
        self._delivered = list(_deliver(draft))
        self.files = {file.name: data for file, data in zip(self._delivered, draft.files, strict=True)}

    def message(self, created: datetime) -> Element:
        root = Writer.root(NAMES, "DocInfo", {})
        self._header(root, created)
        documents = root.add("DocumentList")
        self._document(documents)
        self._linked(documents)
        tasks = root.add("TaskList")
        for task in self._card.tasks:
            _task(tasks, task)
        tasks.prune()
        self._subscriptions(root)
        self._expansion(root)
        return root.element

    def _header(self, root: Writer, created: datetime) -> None:
        card, draft = self._card, self._draft
        header = _header(root, draft.message_id, created, MESSAGE_TYPES[draft.kind], self._return_id)
        sender = header.add("Sender")
        _party(sender, card.sender, card.sender.uid)
        sender.maybe("EDMS", card.sender.system)
        for code, party in zip(draft.recipients, card.addressees, strict=False):
            named = Party(name=party.name or self._bodies.name(code))
            _party(header.add("Recipient"), named, self._bodies.uid(code, party.uid))
        resources = header.add("ResourceList")
        resources.add("Resource", attributes={"UID": _OWN_RESOURCE, "UniqueName": LETTER_DOCUMENT})
        for file in self._delivered:
            resources.add("Resource", attributes={"UID": file.resource, "UniqueName": file.name})

    def _document(self, documents: Writer) -> None:
        card, draft = self._card, self._draft
        ident = {
            "UID": card.document_id or draft.message_id,
            "DocumentID": card.local_id or "1",
            "MainDocument": "true",
        }
        document = documents.add("Document", attributes=ident)
        _registration(document, card.reg_number, write_date(card.reg_date))
        if draft.reply_due is not None:
            own_state = extra_value(own_extras(card, FORMAT), "DocumentList/Document/Control/@State")
            control = document.add("Control", attributes={"State": own_state or CONTROLLED})
            control.add("Deadline", write_date(draft.reply_due))
        document.maybe("Group", card.kind)
        document.add("Access", self._access())
        document.maybe("Annotation", annotation_of(card.title, card.annotation))
        document.maybe("Note", remark_of(card))
        for file in self._delivered:
            if file.listed:
                self._file(document, file)
        for person in card.signatories:
            _contact(document.add("Author"), person)
        for party in card.addressees:
            uid = self._bodies.uid(party.body, party.uid) if party.body else party.uid
            _party(document.add("Addressee"), party, uid)
        if card.executor is not None:
            _contact(document.add("Writer"), card.executor)
        for index, link in enumerate(card.links):
            document.add("Link", attributes={"DocumentID": _linked_id(index)}).add("LinkType", link.type)

    def _access(self) -> str:
        """The sender's own word, unless it says something else than the signed statement."""
        extras = own_extras(self._card, FORMAT)
        word = next((extra.value for extra in extras if extra.path.endswith("/Access")), "")
        return word if word and access_of(word) is self._draft.access else ACCESS_WORDS[self._draft.access]

    def _file(self, document: Writer, file: _Delivered) -> None:
        size = str(len(self.files[file.name]))
        attributes = {"UID": file.ident, "ResourceID": file.resource, "Size": size}
        entry = document.add("File", attributes=attributes)
        entry.maybe("Description", file.info.description)
        entry.maybe("Extension", extension(file.name))
        resources = {other.info.name: other.resource for other in self._delivered}
        for signature in self._card.signatures:
            if signature.file_id == file.info.id and signature.signature_file in resources:
                resource = resources[signature.signature_file]
                entry.add("EDS", signature.signer.name, {"ResourceID": resource, "Date": write_time(signature.time)})

    def _linked(self, documents: Writer) -> None:
        """Linked documents stand in the list, as far as they are known."""
        for index, link in enumerate(self._card.links):
            ident = {
                "UID": link.document_id,
                "DocumentID": _linked_id(index),
                "Type": "Incoming",
                "MainDocument": "false",
            }
            _registration(documents.add("Document", attributes=ident), link.number, write_date(link.dated))

    def _subscriptions(self, root: Writer) -> None:
        draft = self._draft
        if draft.ack is not AckPolicy.NONE and not draft.wanted:
            return
        subscriptions = root.add("Subscriptions")
        for name, event in SUBSCRIPTIONS.items():
            included = draft.ack is not AckPolicy.NONE and event.value in draft.wanted
            subscriptions.add(name, attributes={"Include": "true" if included else "false"})

    def _expansion(self, root: Writer) -> None:
        """What the card says and GOST has no field for."""
        expansion = root.add("Expansion")
        for name, of, value in _additions(self._draft, self._delivered):
            if value:
                expansion.set({"Organization": EXPANSION})
                expansion.add("Field", value, {"Name": name, "Of": of})
        expansion.prune()


def write_receipt(arrived: ArrivedReceipt, recipient: str, bodies: Bodies) -> Element | None:
    """A receipt as a validated message; None where GOST has no word for the event."""
    if arrived.event not in NOTICES:
        return None
    about, element = arrived.about, NOTICES[arrived.event]
    actor = Party(name=EXCHANGE_NAME)
    uid = EXCHANGE
    if arrived.actor != EXCHANGE:
        actor, uid = Party(name=bodies.name(arrived.actor)), bodies.uid(arrived.actor)
    root = Writer.root(NAMES, "Report", {})
    kind = element if element in {"Reception", "Failure"} else "Report"
    return_id = extra_value(own_extras(about, FORMAT), "Header/@ReturnID") or arrived.message_id
    header = _header(root, str(UUID(bytes=arrived.digest[:16])), arrived.at, kind, return_id)
    _party(header.add("Sender"), actor, uid)
    named = Party(name=about.sender.name or bodies.name(recipient))
    _party(header.add("Recipient"), named, bodies.uid(recipient, about.sender.uid))
    resources = header.add("ResourceList")
    resources.add("Resource", attributes={"UID": _OWN_RESOURCE, "UniqueName": RECEIPT_DOCUMENT})
    _notification(root, arrived, element)
    root_element = apply_extras(root.element, own_extras(arrived.card, FORMAT), NAMES, schema(SCHEMA), MADE)
    schema(SCHEMA).check(root_element, RECEIPT_DOCUMENT)
    return root_element


def _notification(root: Writer, arrived: ArrivedReceipt, element: str) -> None:
    """The notification, with the registered document behind it where there is one."""
    about, card = arrived.about, arrived.card
    notification = root.add("Notification")
    initial = notification.add("InitialDoc", attributes={"UID": about.document_id or arrived.message_id})
    initial.maybe("Number", about.reg_number)
    initial.maybe("Date", write_date(about.reg_date))
    initial.maybe("Group", about.kind)
    note, time = (card.note if card else ""), write_time(arrived.at)
    number, day = (card.reg_number, write_date(card.reg_date)) if card else ("", "")
    registered = "1" if number or day else ""
    match arrived.event:
        case Event.DELIVERED:
            notification.add(element, attributes={"SystemDate": time})
            notification.maybe("Note", note)
        case Event.REGISTERED:
            notification.add(element, attributes={"DocumentID": registered, "SystemDate": time})
            notification.maybe("Note", note)
        case _ if element == "Failure":
            own = any(extra.path.endswith("Failure/@Code") for extra in own_extras(card, FORMAT))
            notification.add(element, reason_of(arrived), {} if own else {"Code": arrived.reason})
            notification.maybe("Note", note)
        case _:
            said = notification.add(element, attributes={"DocumentID": registered, "SystemDate": time})
            if card and card.actor:
                _contact(said, card.actor)
            said.maybe("Text", note)
    if registered:
        ident = {"DocumentID": registered, "Type": "Incoming", "MainDocument": "true"}
        _registration(root.add("DocumentList").add("Document", attributes=ident), number, day)


def _header(root: Writer, message_id: str, time: datetime, kind: str, return_id: str) -> Writer:
    attributes = {
        "MessageID": message_id, "Version": VERSION, "TimeZone": TIME_ZONE, "Time": write_time(time),
        "MessageType": kind, "ReturnID": return_id, "ResourceID": _OWN_RESOURCE,
    }  # fmt: skip
    return root.add("Header", attributes=attributes)


def _deliver(draft: DraftLetter) -> Iterator[_Delivered]:
    """Ids, names and resource numbers for the files: the sender's ids where they tell files apart."""
    files = draft.card.files
    names = delivered_names(files, (LETTER_DOCUMENT, RECEIPT_DOCUMENT))
    ids = [file.id for file in files]
    keep = len(set(ids)) == len(ids) and all(ids)
    for number, (file, name) in enumerate(zip(files, names, strict=True), 1):
        ident = file.id if keep else f"file-{number}"
        yield _Delivered(file, ident, name, str(number), not is_plain_signature(file, draft.card.signatures))


def _additions(draft: DraftLetter, delivered: list[_Delivered]) -> Iterator[tuple[str, str, str]]:
    """Name, of what, value."""
    card = draft.card
    yield "purpose", "", card.purpose
    yield "urgency", "", "" if draft.urgency is Urgency.ROUTINE else draft.urgency.value
    yield "access-basis", "", card.access_basis
    yield "access-until", "", write_date(card.access_until)
    for index, file in enumerate(each for each in delivered if each.listed):
        role, info = (FileRole.ANNEX if index else FileRole.MAIN), file.info
        yield "file-role", file.ident, "" if info.role is role else info.role.value
        yield "file-pages", file.ident, str(info.pages) if info.pages else ""


def _linked_id(index: int) -> str:
    return f"link-{index + 1}"


def _registration(document: Writer, number: str, day: str) -> None:
    registration = document.add("RegistrationInfo")
    registration.maybe("Number", number)
    registration.maybe("Date", day)


def _party(entry: Writer, party: Party, uid: str) -> None:
    """A contact that is an organisation, perhaps with a unit and a person."""
    person = party.person or Person()
    within = Person(
        name=person.name, post=person.post, department=party.unit, organization=party.name,
        region=person.region, contact=person.contact,
    )  # fmt: skip
    _contact(entry, within, uid)


def _contact(entry: Writer, person: Person, uid: str = "") -> None:
    contact = entry.add("Contact")
    contact.add("Organization", attributes={"UID": uid}).maybe("ShortName", person.organization)
    if person.department:
        contact.add("Department").add("Name", person.department)
    official = contact.add("OfficialPerson")
    official.maybe("Name", person.name)
    official.maybe("Official", person.post)
    official.maybe("SignDate", write_date(person.signed))
    official.prune()
    if person.region:
        contact.add("Address").add("Region", person.region)
    contact.maybe("Econtact", person.contact)


def _task(tasks: Writer, task: Task) -> None:
    entry = tasks.add("Task", attributes={"UID": task.id, "TaskID": task.id})
    entry.maybe("Text", task.text)
    for executor in task.executors:
        _contact(entry.add("Executor", attributes={"Responsible": executor.role}), executor.who)
    state = CONTROLLED if task.controlled else NOT_CONTROLLED
    if task.controlled or task.deadline:
        entry.add("Control", attributes={"State": state}).maybe("Deadline", write_date(task.deadline))
    entry.add("IsProject", "false")
