"""MEDO 2.6 documents, read."""

from dataclasses import replace

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments, file_info
from adapters.formats.letters import answered, conversation_of, pages_of
from adapters.formats.medo.parts import (
    date_in,
    read_addressee,
    read_link,
    read_number,
    read_partner,
    read_person,
    read_signatures,
    read_task,
)
from adapters.formats.medo.words import (
    ACCESS_WORDS,
    FORMAT,
    GROUPS,
    URGENCY_WORDS,
)
from adapters.formats.tree import Document, Reader
from adapters.formats.values import access_of, language_of, title_of, urgency_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    FileInfo,
    FileRole,
    LetterCard,
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
        self._body = self._message.at("document")
        self._bodies = bodies
        self._attachments = attachments

    def letter(self) -> DraftLetter:
        """The letter.

        Raises:
            DocumentError: a field or file is missing, or an addressee unknown.
        """
        body = self._body
        message_id = self._message.at("header").attr("uid")
        if not message_id:
            fault = "the message has no uid, so no acknowledgment could name it: fill header/@uid"
            raise DocumentError(fault, place=self._message.at("header").place)
        document_id, links = body.attr("uid"), tuple(map(read_link, body.all("links/link")))
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
            reg_number=read_number(body.at("num")),
            reg_date=date_in(body.at("num/date")),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            access_basis="",
            access_until=None,
            sender=self._bodies.party(read_partner(self._message.at("header/source"))),
            addressees=addressees,
            signatories=tuple(map(read_person, body.all("signatories/signatory"))),
            executor=read_person(body.at("executor")) if body.at("executor") else None,
            links=links,
            tasks=tuple(read_task(clause, index) for index, clause in enumerate(body.all("clauses/clause"))),
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
            party = read_partner(entry.at("destination"))
            destinations.append(replace(party, body=self._bodies.destination(party.uid, entry.place)))
        addressees = []
        for entry in self._body.all("addressees/addressee"):
            party = self._bodies.party(read_addressee(entry))
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
            signatures.extend((signature, entry.place) for signature in read_signatures(entry, ident))
        for signature, place in signatures:
            name = signature.signature_file
            if name not in infos:
                data.append(self._attachments.take(name, place))
                infos[name] = file_info(name, name, data[-1], FileRole.DATA)
        return tuple(infos.values()), tuple(data), tuple(signature for signature, _ in signatures)
