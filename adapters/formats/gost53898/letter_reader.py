"""GOST R 53898-2013 documents, read."""

from dataclasses import replace
from datetime import date

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments
from adapters.formats.gost53898.parts import date_in, read_contact, read_party, read_task, zone_of
from adapters.formats.gost53898.resources import ResourceReader
from adapters.formats.gost53898.words import (
    ACCESS_WORDS,
    CONTROLLED,
    EXPANSION,
    FORMAT,
    KINDS,
    SUBSCRIPTIONS,
)
from adapters.formats.letters import answered, conversation_of
from adapters.formats.tree import Document, Reader
from adapters.formats.values import access_of, language_of, read_date, title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    FileInfo,
    LetterCard,
    Link,
    Party,
)
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency


class LetterReader:
    """Reads one letter."""

    def __init__(self, document: Document, root: Element, bodies: Bodies, attachments: Attachments) -> None:
        """Read the document below `root`, which has been validated."""
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
        self._zone = zone_of(self._header)
        self._fields = self._expansion()
        self._own_resource = self._header.attr("ResourceID")

    def letter(self) -> DraftLetter:
        """The letter.

        Raises:
            DocumentError: a field or file is missing, or an addressee unknown.
        """
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
            reg_date=date_in(body.at("RegistrationInfo/Date")),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            access_basis=self._fields.get(("access-basis", ""), ""),
            access_until=read_date(self._fields.get(("access-until", ""), ""), self._message.at("Expansion").place),
            sender=self._bodies.party(read_party(header.at("Sender"))),
            addressees=addressees,
            signatories=tuple(read_contact(entry.at("Contact")) for entry in body.all("Author") if entry.at("Contact")),
            executor=read_contact(body.at("Writer/Contact")) if body.at("Writer") else None,
            links=links,
            tasks=tuple(map(read_task, self._message.all("TaskList/Task"))),
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
        return date_in(control.at("Deadline"))

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
            party = read_party(entry)
            destinations.append(replace(party, body=self._bodies.destination(party.uid, entry.place)))
        addressees = []
        for entry in self._body.all("Addressee"):
            party = self._bodies.party(read_party(entry))
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
        return Link(kind, linked.attr("UID"), registration.text("Number"), date_in(registration.at("Date")))

    def _files(self) -> tuple[tuple[FileInfo, ...], tuple[bytes, ...], tuple[DocumentSignature, ...]]:
        """Files of the document, resources that nothing refers to, then detached signatures."""
        collected = ResourceReader(self._header, self._attachments, self._zone)
        for index, entry in enumerate(self._body.all("File")):
            collected.add(entry, index, self._fields)
        collected.add_rest({self._document.file, self._own_resource}, self._fields)
        collected.add_signatures()
        return tuple(collected.infos), tuple(collected.data), tuple(collected.signatures)
