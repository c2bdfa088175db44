"""GOST R 53898-2013 documents and reports, read."""

from dataclasses import replace
from datetime import date, timedelta, timezone, tzinfo

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments, file_info
from adapters.formats.gost53898_words import (
    ACCESS_WORDS,
    CONTROLLED,
    EVENTS,
    EXPANSION,
    FORMAT,
    KINDS,
    NAMES,
    NOT_CONTROLLED,
    SCHEMA,
    SUBSCRIPTIONS,
)
from adapters.formats.letters import answered, conversation_of
from adapters.formats.tree import Document, Reader
from adapters.formats.values import KYRGYZ_TIME, access_of, language_of, read_date, read_time, title_of
from exchange.agent.ports import DraftLetter, DraftReceipt
from exchange.domain.card import (
    DocumentSignature,
    Executor,
    FileInfo,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    ReceiptCard,
    Task,
)
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.reason import Reason
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency
from exchange.wire.xml import parse, place_of, schema

MAX_PAGES = 1_000_000
_ZONE_HOURS = 14


def open_message(data: bytes, name: str) -> Element:
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


def read_message(root: Element, name: str, bodies: Bodies, attachments: Attachments) -> DraftLetter | DraftReceipt:
    """What a validated message says.

    Raises:
        DocumentError: a field or file is missing, an addressee is unknown, a kind of message is not
            carried (`document-kind-unsupported`).
    """
    document = Document(name, NAMES)
    if root.tag == NAMES.tag("DocInfo"):
        return _LetterReader(document, root, bodies, attachments).letter()
    return _receipt(document, root)


class _LetterReader:
    """Reads one letter."""

    def __init__(self, document: Document, root: Element, bodies: Bodies, attachments: Attachments) -> None:
        self._document = document
        self._root = root
        self._message = Reader(document, root)
        self._header = self._message.at("Header")
        self._bodies = bodies
        self._attachments = attachments
        documents = self._message.all("DocumentList/Document")
        mains = [entry for entry in documents if entry.peek_attr("MainDocument") in {"true", "1"}]
        self._body = mains[0] if mains else documents[0]
        self._linked = {entry.peek_attr("DocumentID"): entry for entry in documents if entry is not self._body}
        self._zone = _zone(self._header)
        self._fields = self._expansion()
        self._own_resource = self._header.attr("ResourceID")

    def letter(self) -> DraftLetter:
        header, body = self._header, self._body
        message_type = header.attr("MessageType")
        if message_type not in KINDS:
            fault = f"a DocInfo of type '{message_type}' is not carried: send MainDoc or AddToDoc"
            raise DocumentError(fault, code="document-kind-unsupported", place=header.place)
        message_id = header.attr("MessageID")
        self._read_envelope(message_id)
        links = tuple(map(self._link, body.all("Link")))
        link = answered(links)
        recipients, addressees = self._route()
        files, data, signatures = self._files()
        annotation, document_id = body.text("Annotation"), body.attr("UID") or message_id
        ack, wanted = self._subscriptions()
        access, reply_due = self._access(), self._reply_due()
        card = LetterCard(
            document_id=document_id,
            local_id=body.attr("DocumentID"),
            kind=body.text("Group"),
            purpose=self._fields.get(("purpose", ""), ""),
            reg_number=body.text("RegistrationInfo/Number"),
            reg_date=_date(body.at("RegistrationInfo/Date")),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            access_basis=self._fields.get(("access-basis", ""), ""),
            access_until=read_date(self._fields.get(("access-until", ""), ""), self._message.at("Expansion").place),
            sender=self._bodies.party(_party(header.at("Sender"))),
            addressees=addressees,
            signatories=tuple(_person(entry.at("Contact")) for entry in body.all("Author") if entry.at("Contact")),
            executor=_person(body.at("Writer/Contact")) if body.at("Writer") else None,
            links=links,
            tasks=tuple(map(_task, self._message.all("TaskList/Task"))),
            files=files,
            signatures=signatures,
            source_format=FORMAT,
            extras=(),
        )
        urgency = self._fields.get(("urgency", ""), "")
        return DraftLetter(
            message_id=message_id,
            consignment_id=message_id,
            kind=LetterKind.REPLY if link and message_type == "MainDoc" else KINDS[message_type],
            conversation=conversation_of(document_id, links),
            in_reply_to=link.document_id if link else "",
            in_reply_to_number=link.number if link else "",
            recipients=recipients,
            ack=ack,
            wanted=wanted,
            urgency=Urgency(urgency) if urgency in set(Urgency) else Urgency.ROUTINE,
            reply_due=reply_due,
            access=access,
            card=replace(card, extras=tuple(self._document.unread(self._root))),
            files=data,
        )

    def _read_envelope(self, message_id: str) -> None:
        """Take for read what is written anew for every message."""
        for name in ("Version", "Time", "TimeZone"):
            self._header.attr(name)
        self._header.attr_if("ReturnID", message_id)
        self._body.attr("MainDocument")
        self._body.attr_if("Type", "Created")

    def _expansion(self) -> dict[tuple[str, str], str]:
        """Fields that this exchange adds, by name and what they are of."""
        expansion = self._message.at("Expansion")
        if not expansion.attr_if("Organization", EXPANSION):
            return {}
        return {(field.attr("Name"), field.attr("Of")): field.text() for field in expansion.all("Field")}

    def _access(self) -> Access:
        """Access; a word that is not the one written here for it stays an extra."""
        access = access_of(self._body.peek("Access"))
        if self._body.peek("Access") == ACCESS_WORDS[access]:
            self._body.text("Access")
        return access

    def _reply_due(self) -> date | None:
        control = self._body.at("Control")
        if not control.at("Deadline"):
            return None
        control.attr_if("State", CONTROLLED)
        return _date(control.at("Deadline"))

    def _subscriptions(self) -> tuple[AckPolicy, tuple[str, ...]]:
        """Which notices the sender wants: all without a word, none when all are excluded."""
        asked = self._message.at("Subscriptions")
        if not asked:
            return AckPolicy.ALWAYS, ()
        included = [
            event.value for name, event in SUBSCRIPTIONS.items() if asked.at(name).attr("Include") in {"true", "1"}
        ]
        return (AckPolicy.ALWAYS if included else AckPolicy.NONE), tuple(dict.fromkeys(included))

    def _route(self) -> tuple[tuple[str, ...], tuple[Party, ...]]:
        """Recipients and addressees: the header says where to, without recipients the addressees do."""
        destinations = []
        for entry in self._header.all("Recipient"):
            party = _party(entry)
            destinations.append(replace(party, body=self._bodies.destination(party.uid, entry.place)))
        addressees = []
        for entry in self._body.all("Addressee"):
            party = self._bodies.party(_party(entry))
            if party.uid and not destinations:
                self._bodies.destination(party.uid, entry.place)
            addressees.append(party)
        recipients, ordered = route(destinations, addressees)
        if not recipients:
            fault = "no recipient has a UID: fill Header/Recipient/Contact/Organization/@UID"
            raise DocumentError(fault, code="recipient-missing", place=self._header.place)
        return recipients, ordered

    def _link(self, entry: Reader) -> Link:
        """A link; number and date stand in the document that it names."""
        kind = entry.text("LinkType")
        linked = self._linked.get(entry.peek_attr("DocumentID"))
        if linked is None:
            return Link(kind)
        entry.attr("DocumentID")
        for name in ("DocumentID", "Type", "MainDocument"):
            linked.attr(name)
        registration = linked.at("RegistrationInfo")
        return Link(kind, linked.attr("UID"), registration.text("Number"), _date(registration.at("Date")))

    def _files(self) -> tuple[tuple[FileInfo, ...], tuple[bytes, ...], tuple[DocumentSignature, ...]]:
        """Files of the document, resources that nothing refers to, then detached signatures."""
        collected = _Files(self._header, self._attachments, self._zone)
        for index, entry in enumerate(self._body.all("File")):
            collected.add(entry, index, self._fields)
        collected.add_rest({self._document.file, self._own_resource}, self._fields)
        collected.add_signatures()
        return tuple(collected.infos), tuple(collected.data), tuple(collected.signatures)


class _Files:
    """Collects the files that a document refers to by the numbers of the resource list."""

    def __init__(self, header: Reader, attachments: Attachments, zone: tzinfo) -> None:
        self._names: dict[str, tuple[str, str]] = {}
        self._attachments = attachments
        self._zone = zone
        self._wanted: list[tuple[str, str]] = []
        self._taken: set[str] = set()
        self.infos: list[FileInfo] = []
        self.data: list[bytes] = []
        self.signatures: list[DocumentSignature] = []
        for entry in header.all("ResourceList/Resource"):
            ident = entry.attr("UID")
            if ident in self._names:
                fault = f"the resource '{ident}' is listed twice: number the resources"
                raise DocumentError(fault, code="file-name-repeated", place=entry.place)
            self._names[ident] = (entry.attr("UniqueName"), entry.place)

    def add(self, entry: Reader, index: int, fields: dict[tuple[str, str], str]) -> None:
        """A file of the document."""
        resource = entry.attr("ResourceID")
        name = self._resource(resource, entry.place)
        ident = entry.attr("UID") or f"resource-{resource}"
        entry.attr("Size")
        entry.text("Extension")
        default = FileRole.ANNEX if index else FileRole.MAIN
        self._take(ident, name, entry.place, default, fields, description=entry.text("Description"))
        for signed in entry.all("EDS"):
            signature = self._resource(signed.attr("ResourceID"), signed.place)
            time = signed.attr("Date")
            when = read_time(time, signed.place, self._zone) if time else None
            self.signatures.append(DocumentSignature(ident, signature, Person(name=signed.text()), when))
            self._wanted.append((signature, signed.place))

    def add_rest(self, own: set[str], fields: dict[tuple[str, str], str]) -> None:
        """What the resource list names and nothing refers to goes along as data; `own` is the document itself."""
        signatures = {name for name, _ in self._wanted}
        for ident, (name, place) in self._names.items():
            if not {name, ident} & own and name not in self._taken | signatures:
                self._take(f"resource-{ident}", name, place, FileRole.DATA, fields)

    def add_signatures(self) -> None:
        """Files of signatures that are not files of the document themselves."""
        for name, place in self._wanted:
            if name not in self._taken:
                self._take(name, name, place, FileRole.DATA, {})

    def _resource(self, ident: str, place: str) -> str:
        if ident not in self._names:
            fault = f"the resource '{ident}' is not in Header/ResourceList: list it"
            raise DocumentError(fault, code="file-missing", place=place)
        return self._names[ident][0]

    def _take(
        self, ident: str, name: str, place: str, role: FileRole, fields: dict[tuple[str, str], str],
        *, description: str = "",
    ) -> None:  # fmt: skip
        data = self._attachments.take(name, place)
        if any(info.id == ident for info in self.infos):
            fault = f"two files have the UID '{ident}': give each its own"
            raise DocumentError(fault, code="file-name-repeated", place=place)
        said = fields.get(("file-role", ident), "")
        pages = fields.get(("file-pages", ident), "")
        counted = int(pages) if pages.isascii() and pages.isdigit() and len(pages) < len(str(MAX_PAGES)) else None
        role = FileRole(said) if said in set(FileRole) else role
        self.infos.append(file_info(ident, name, data, role, description=description, pages=counted or None))
        self.data.append(data)
        self._taken.add(name)


def _receipt(document: Document, root: Element) -> DraftReceipt:
    """A Report: ReturnID names the message, InitialDoc the document."""
    report = Reader(document, root)
    header, notification = report.at("Header"), report.at("Notification")
    zone = _zone(header)
    said = next(child for child in notification.children() if child.name() in EVENTS)
    event = EVENTS[said.name()]
    time = said.attr("SystemDate") or header.attr("Time")
    registration = _registered(report, said.attr("DocumentID"))
    text = said.text("Text")
    card = ReceiptCard(
        document_id=notification.at("InitialDoc").attr("UID"),
        message_id=header.attr("ReturnID"),
        reg_number=registration.text("Number"),
        reg_date=_date(registration.at("Date")),
        reason_text=said.text() if event is Event.REFUSED else "",
        actor=_person(said.at("Contact")) if said.at("Contact") else None,
        note=text or notification.text("Note"),
        source_format=FORMAT,
        extras=(),
    )
    # Who speaks is known from the signature, the initial document from the letter.
    report.skip("Header")
    report.skip("Notification/InitialDoc")
    if not card.document_id and not card.message_id:
        fault = "neither Header/@ReturnID nor InitialDoc/@UID says which letter this is about: fill one"
        raise DocumentError(fault, place=header.place)
    code = Reason.REFUSED_BY_RECIPIENT.value if event is Event.REFUSED else ""
    card = replace(card, extras=tuple(document.unread(root)))
    return DraftReceipt(event, read_time(time, said.place, zone), code, card)


def _registered(report: Reader, document_id: str) -> Reader:
    """Registration of the document that a notification names, else of the first."""
    documents = report.all("DocumentList/Document")
    named = [entry for entry in documents if entry.peek_attr("DocumentID") == document_id] or documents
    if not named:
        return report.at("DocumentList/Document")
    for name in ("DocumentID", "Type", "MainDocument"):
        named[0].attr(name)
    return named[0].at("RegistrationInfo")


def _zone(header: Reader) -> tzinfo:
    """Zone of times without an offset: `Header@TimeZone`, hours."""
    text = header.attr("TimeZone")
    if not text:
        return KYRGYZ_TIME
    hours = int(text) if len(text) <= len("+14") else _ZONE_HOURS + 1
    if abs(hours) > _ZONE_HOURS:
        raise DocumentError("@TimeZone is no offset in hours: write 6", place=header.place)
    return timezone(timedelta(hours=hours))


def _party(entry: Reader) -> Party:
    """A sender, recipient or addressee: what a contact says of the organisation and the person."""
    person = _person(entry.at("Contact"))
    uid = entry.at("Contact/Organization").attr("UID")
    within = replace(person, organization="", department="")
    return Party(
        uid=uid, name=person.organization, unit=person.department, system=entry.text("EDMS"),
        person=None if within == Person() else within,
    )  # fmt: skip


def _person(contact: Reader) -> Person:
    organization = contact.at("Organization")
    return Person(
        name=contact.text("OfficialPerson/Name"), post=contact.text("OfficialPerson/Official"),
        department=contact.text("Department/Name"),
        organization=organization.text("ShortName") or organization.text("FullName"),
        region=contact.text("Address/Region"), contact=contact.text("Econtact"),
        signed=_date(contact.at("OfficialPerson/SignDate")),
    )  # fmt: skip


def _task(entry: Reader) -> Task:
    ident, control = entry.attr("TaskID"), entry.at("Control")
    entry.attr_if("UID", ident)
    if entry.peek("IsProject") == "false":
        entry.text("IsProject")
    controlled = control.attr_if("State", CONTROLLED)
    control.attr_if("State", NOT_CONTROLLED)
    executors = tuple(
        Executor(_person(executor.at("Contact")), executor.attr("Responsible")) for executor in entry.all("Executor")
    )
    return Task(ident, entry.text("Text"), _date(control.at("Deadline")), controlled, executors)


def _date(entry: Reader) -> date | None:
    return read_date(entry.text(), entry.place)
