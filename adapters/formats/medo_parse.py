"""MEDO 2.6 documents and receipts, read."""

from dataclasses import replace
from datetime import date

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments, file_info
from adapters.formats.letters import answered, conversation_of, pages_of
from adapters.formats.medo_words import (
    ACCESS_WORDS,
    ACKNOWLEDGMENT_TYPE,
    CONTROLLED,
    EVENTS,
    FORMAT,
    GROUPS,
    LETTER_TYPE,
    NAMES,
    NO_NUMBER,
    NOTICE_TYPE,
    NOTICES,
    PARTICIPANT,
    RESPONSIBLE,
    SCHEMA,
    URGENCY_WORDS,
)
from adapters.formats.tree import Document, Reader
from adapters.formats.values import access_of, language_of, read_date, read_time, title_of, urgency_of
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


def open_message(data: bytes, name: str) -> Element:
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


def read_message(root: Element, name: str, bodies: Bodies, attachments: Attachments) -> DraftLetter | DraftReceipt:
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
        return _LetterReader(document, root, bodies, attachments).letter()
    if kind == NOTICE_TYPE:
        return _notice(document, root)
    return _acknowledgment(document, root)


class _LetterReader:
    """Reads one letter."""

    def __init__(self, document: Document, root: Element, bodies: Bodies, attachments: Attachments) -> None:
        self._document = document
        self._root = root
        self._message = Reader(document, root)
        self._body = self._message.at("document")
        self._bodies = bodies
        self._attachments = attachments

    def letter(self) -> DraftLetter:
        body = self._body
        message_id = self._message.at("header").attr("uid")
        if not message_id:
            fault = "the message has no uid, so no acknowledgment could name it: fill header/@uid"
            raise DocumentError(fault, place=self._message.at("header").place)
        document_id, links = body.attr("uid"), tuple(map(_link, body.all("links/link")))
        recipients, addressees = self._route()
        files, data, signatures = self._files()
        annotation = body.text("annotation")
        access, urgency = self._words()
        link = answered(links)
        body.skip("files")
        if body.peek("pages") == str(pages_of(files)):
            body.text("pages")
        card = LetterCard(
            document_id=document_id,
            local_id=body.attr("id"),
            kind=body.text("kind"),
            purpose=body.text("type"),
            reg_number=_number(body.at("num")),
            reg_date=_date(body.at("num/date")),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            access_basis="",
            access_until=None,
            sender=self._bodies.party(_partner(self._message.at("header/source"))),
            addressees=addressees,
            signatories=tuple(map(_person, body.all("signatories/signatory"))),
            executor=_person(body.at("executor")) if body.at("executor") else None,
            links=links,
            tasks=tuple(_task(clause, index) for index, clause in enumerate(body.all("clauses/clause"))),
            files=files,
            signatures=signatures,
            source_format=FORMAT,
            extras=(),
        )
        card = replace(card, extras=tuple(self._document.unread(self._root)))
        return DraftLetter(
            message_id=message_id,
            consignment_id=message_id,
            kind=LetterKind.REPLY if link else LetterKind.DOCUMENT,
            conversation=conversation_of(document_id, links),
            in_reply_to=link.document_id if link else "",
            in_reply_to_number=link.number if link else "",
            recipients=recipients,
            ack=AckPolicy.ALWAYS,
            wanted=(),
            urgency=urgency,
            reply_due=None,
            access=access,
            card=card,
            files=data,
        )

    def _words(self) -> tuple[Access, Urgency]:
        """Access and urgency; a word that is not the one written here for it stays an extra."""
        body = self._body
        access, urgency = access_of(body.peek("classification")), urgency_of(body.peek("urgency"))
        if body.peek("classification") == ACCESS_WORDS[access]:
            body.text("classification")
        if body.peek("urgency") == URGENCY_WORDS[urgency]:
            body.text("urgency")
        return access, urgency

    def _route(self) -> tuple[tuple[str, ...], tuple[Party, ...]]:
        """Recipients and addressees: the delivery index says where to, without it the addressees do."""
        destinations = []
        for entry in self._message.all("deliveryIndex/destination"):
            entry.text("files")
            party = _partner(entry.at("destination"))
            destinations.append(replace(party, body=self._bodies.destination(party.uid, entry.place)))
        addressees = []
        for entry in self._body.all("addressees/addressee"):
            party = self._bodies.party(_addressee(entry))
            if party.uid and not destinations:
                self._bodies.destination(party.uid, entry.place)
            addressees.append(party)
        recipients, ordered = route(destinations, addressees)
        if not recipients:
            fault = "no addressee has a uid: fill deliveryIndex/destination/destination/@uid or addressee/@uid"
            raise DocumentError(fault, code="recipient-missing", place=self._body.at("addressees").place)
        return recipients, ordered

    def _files(self) -> tuple[tuple[FileInfo, ...], tuple[bytes, ...], tuple[DocumentSignature, ...]]:
        """Files in their order, then those of detached signatures that are not listed as files."""
        infos: dict[str, FileInfo] = {}
        data: list[bytes] = []
        signatures: list[tuple[DocumentSignature, str]] = []
        for entry in self._message.all("files/file"):
            ident, name = entry.attr("localId"), entry.attr("localName")
            entry.attr("type")
            data.append(self._attachments.take(name, entry.place))
            if any(info.id == ident for info in infos.values()):
                fault = f"localId '{ident}' is used twice: number the files"
                raise DocumentError(fault, code="file-name-repeated", place=entry.place)
            infos[name] = file_info(
                ident, name, data[-1], GROUPS[entry.text("group")],
                description=entry.text("description"), pages=int(entry.text("pages") or 0) or None,
            )  # fmt: skip
            signatures.extend((signature, entry.place) for signature in _signatures(entry, ident))
        for signature, place in signatures:
            name = signature.signature_file
            if name not in infos:
                data.append(self._attachments.take(name, place))
                infos[name] = file_info(name, name, data[-1], FileRole.DATA)
        return tuple(infos.values()), tuple(data), tuple(signature for signature, _ in signatures)


def _notice(document: Document, root: Element) -> DraftReceipt:
    """An уведомление: it names the document's uid, in 2.6 perhaps the message's too."""
    notice = Reader(document, root).at("notification")
    _skip_envelope(document, root)
    kind = notice.attr("type")
    said = next(child for child in notice.children() if child.name() in EVENTS)
    event = EVENTS[said.name()]
    expected = {element: words for words, element in NOTICES.values()}.get(said.name(), "Опубликование")
    if kind != expected:
        fault = f"@type says '{kind}', the content is '{said.name()}': write '{expected}' or the content that fits"
        raise DocumentError(fault, place=notice.place)
    reason = said.text("reason")
    actor = _first_person(said, "executor", "signatory")
    number = _first(said, "num", "report/num")
    note = said.text("courseText") if said.at("courseText") else notice.text("comment")
    card = ReceiptCard(
        document_id=notice.attr("uid"),
        message_id=notice.attr("mid"),
        reg_number=_number(number),
        reg_date=_date(number.at("date")),
        reason_text=reason,
        actor=actor,
        note=note or said.text("publicationPoint"),
        source_format=FORMAT,
        extras=(),
    )
    # What the letter itself says is not repeated as extras.
    said.skip("foundation")
    at = read_time(said.text("time"), said.place)
    code = Reason.REFUSED_BY_RECIPIENT.value if event is Event.REFUSED else ""
    return DraftReceipt(event, at, code, replace(card, extras=tuple(document.unread(root))))


def _acknowledgment(document: Document, root: Element) -> DraftReceipt:
    """A квитанция: it names the message's uid and says whether the EDMS took it in."""
    said = Reader(document, root).at("acknowledgment")
    _skip_envelope(document, root)
    accepted = said.text("accepted") in {"true", "1"}
    comment = said.text("comment")
    card = ReceiptCard(
        document_id="",
        message_id=said.attr("uid"),
        reg_number="",
        reg_date=None,
        reason_text="" if accepted else comment,
        actor=None,
        note=comment if accepted else "",
        source_format=FORMAT,
        extras=(),
    )
    at = read_time(said.text("time"), said.place)
    card = replace(card, extras=tuple(document.unread(root)))
    if accepted:
        return DraftReceipt(Event.HANDED_OVER, at, "", card)
    return DraftReceipt(Event.HAND_OVER_FAILED, at, Reason.HAND_OVER_FAILED.value, card)


def _skip_envelope(document: Document, root: Element) -> None:
    """Who speaks to whom is known from the signature and the letter."""
    message = Reader(document, root)
    message.skip("header")
    message.skip("deliveryIndex")


def _partner(entry: Reader) -> Party:
    return Party(uid=entry.attr("uid"), name=entry.text("organization"))


def _addressee(entry: Reader) -> Party:
    person = Person(
        name=entry.text("person"), post=entry.text("post"), region=entry.text("region"),
        contact=entry.text("contactInfo"),
    )  # fmt: skip
    return Party(
        uid=entry.attr("uid"), name=entry.text("organization"), unit=entry.text("department"),
        person=None if person == Person() else person,
    )  # fmt: skip


def _person(entry: Reader) -> Person:
    return Person(
        name=entry.text("person"), post=entry.text("post"), department=entry.text("department"),
        organization=entry.text("organization"), region=entry.text("region"), contact=entry.text("contactInfo"),
        signed=_date(entry.at("signed")),
    )  # fmt: skip


def _first(said: Reader, *paths: str) -> Reader:
    """The first of `paths` that is there, else an absent one."""
    return next((said.at(path) for path in paths if said.at(path)), said.at(paths[-1]))


def _first_person(said: Reader, *paths: str) -> Person | None:
    entry = _first(said, *paths)
    return _person(entry) if entry else None


def _link(entry: Reader) -> Link:
    number = entry.at("reference/num")
    return Link(entry.text("linkType"), entry.attr("uid"), _number(number), _date(number.at("date")))


def _number(entry: Reader) -> str:
    number = entry.text("number")
    return "" if number == NO_NUMBER else number


def _task(entry: Reader, index: int) -> Task:
    executors = []
    if principal := entry.at("principal"):
        executors.append(Executor(_person(principal), RESPONSIBLE))
    executors.extend(Executor(_person(person), PARTICIPANT) for person in entry.all("parcipants/parcipant"))
    controlled = entry.peek("comment") == CONTROLLED
    if controlled:
        entry.text("comment")
    return Task(
        id=entry.attr("localId") or str(index), text=entry.text("text"), deadline=_date(entry.at("deadline")),
        controlled=controlled, executors=tuple(executors),
    )  # fmt: skip


def _signatures(entry: Reader, file_id: str) -> list[DocumentSignature]:
    found = []
    for signed in entry.all("signedData"):
        signed.attr("localName")
        for info in signed.all("signerInfo"):
            time = info.text("digestTime")
            found.append(
                DocumentSignature(
                    file_id, info.attr("signature"), _person(info.at("signer")),
                    read_time(time, info.place) if time else None,
                )
            )  # fmt: skip
    return found


def _date(entry: Reader) -> date | None:
    return read_date(entry.text(), entry.place)
