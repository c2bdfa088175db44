"""GOST R 53898-2013 documents, read."""

from dataclasses import replace
from datetime import date

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments
from adapters.formats.gost53898.additions import Additions
from adapters.formats.gost53898.parts import read_contact, read_party, read_task, zone_of
from adapters.formats.gost53898.resources import ResourceReader
from adapters.formats.gost53898.words import (
    ACCESS_WORDS,
    CONTROLLED,
    EDITING,
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
from exchange.domain.event import Event
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
        self._fields = Additions(self._message.at("Expansion"))
        self._own_resource = self._header.attr("ResourceID")

    def letter(self) -> DraftLetter:
        """The letter.

        Raises:
            DocumentError: a field or file is missing, or an addressee unknown.
        """
        message_type = self._message_type()
        message_id = self._header.attr("MessageID")
        self._read_envelope(message_id)
        recipients, addressees = self._route()
        ack, wanted = self._subscriptions()
        access, reply_due = self._access(), self._reply_due()
        card, data = self._card(message_id, addressees)
        link = answered(card.links)
        urgency = self._fields.get("urgency")
        return DraftLetter(
            message_id=message_id,
            consignment_id=message_id,
            kind=LetterKind.REPLY if link and message_type == "MainDoc" else KINDS[message_type],
            conversation=conversation_of(card.document_id, card.links),
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

    def _message_type(self) -> str:
        """What kind of message it is; that it is a later wording stays an extra, for the exchange has no such kind."""
        header = self._header
        message_type = header.peek_attr("MessageType")
        if message_type not in KINDS:
            fault = f"a DocInfo of type '{message_type}' is not carried: send MainDoc, AddToDoc or Editing"
            raise DocumentError(fault, code="document-kind-unsupported", place=header.place)
        return message_type if message_type == EDITING else header.attr("MessageType")

    def _card(self, message_id: str, addressees: tuple[Party, ...]) -> tuple[LetterCard, tuple[bytes, ...]]:
        """The card, without extras, and the bytes of its files."""
        body, said = self._body, self._fields
        annotation = body.text("Annotation")
        files, data, signatures = self._files()
        card = LetterCard(
            document_id=body.attr("UID") or message_id,
            local_id=body.attr("DocumentID"),
            kind=body.text("Group"),
            purpose=said.get("purpose"),
            reg_number=body.text("RegistrationInfo/Number"),
            reg_date=body.date("RegistrationInfo/Date"),
            title=title_of(annotation),
            annotation=annotation,
            language=said.get("language") or language_of(annotation),
            access_basis=said.get("access-basis"),
            access_until=read_date(said.get("access-until"), self._message.at("Expansion").place),
            sender=self._bodies.party(read_party(self._header.at("Sender"))),
            addressees=addressees,
            signatories=tuple(read_contact(entry.at("Contact")) for entry in body.all("Author") if entry.at("Contact")),
            executor=read_contact(body.at("Writer/Contact")) if body.at("Writer") else None,
            links=tuple(map(self._link, body.all("Link"))),
            tasks=tuple(map(read_task, self._message.all("TaskList/Task"))),
            files=files,
            signatures=signatures,
            source_format=FORMAT,
            translations=said.translations(),
            personal_data=said.get("personal-data") == "true",
        )
        return card, data

    def _read_envelope(self, message_id: str) -> None:
        """Take for read what is written anew for every message."""
        for name in ("Version", "Time", "TimeZone"):
            self._header.attr(name)
        self._header.attr_if("ReturnID", message_id)
        self._body.attr("MainDocument")
        self._body.attr_if("Type", "Created")

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
        return control.date("Deadline")

    def _subscriptions(self) -> tuple[AckPolicy, tuple[str, ...]]:
        """Which notices the sender wants: all without a word, none when all are excluded."""
        asked, policy = self._message.at("Subscriptions"), self._fields.get("ack")
        ack = AckPolicy(policy) if policy in set(AckPolicy) else AckPolicy.ALWAYS
        if not asked:
            return ack, ()
        included = [
            event.value for name, event in SUBSCRIPTIONS.items() if asked.at(name).attr("Include") in {"true", "1"}
        ]
        included += [event for event in self._fields.get("wanted").split() if event in set(Event)]
        return (ack if included else AckPolicy.NONE), tuple(dict.fromkeys(included))

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
        return Link(kind, linked.attr("UID"), registration.text("Number"), registration.date("Date"))

    def _files(self) -> tuple[tuple[FileInfo, ...], tuple[bytes, ...], tuple[DocumentSignature, ...]]:
        """Files of the document, resources that nothing refers to, then detached signatures."""
        collected = ResourceReader(self._header, self._attachments, self._zone)
        for index, entry in enumerate(self._body.all("File")):
            collected.add(entry, index, self._fields)
        collected.add_rest({self._document.file, self._own_resource}, self._fields)
        collected.add_signatures()
        return tuple(collected.infos), tuple(collected.data), tuple(collected.signatures)
