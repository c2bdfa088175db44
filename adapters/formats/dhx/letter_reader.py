"""DHX capsules, read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies, route
from adapters.formats.dhx.addition import FileDetails, read_addition
from adapters.formats.dhx.contents import FILES_BYTES, unpack
from adapters.formats.dhx.foreign import read_foreign
from adapters.formats.dhx.parts import day_of, read_day, read_mailbox, read_participant, read_party
from adapters.formats.dhx.words import ADDITIONS, BASIS_LINK, FORMAT, NAMES, PUBLIC, REPLY_LINK
from adapters.formats.files import check_name, file_info, fold
from adapters.formats.letters import answered, conversation_of
from adapters.formats.tree import Document, Reader
from adapters.formats.values import language_of, read_date, read_integer, title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, FileInfo, FileRole, LetterCard, Link, Party, Person
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, LetterKind

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}/[A-Za-z0-9][\w.+-]{0,127}", re.ASCII)


class LetterReader:
    """Reads one letter."""

    def __init__(self, document: Document, root: Element, bodies: Bodies, consignment: str = "") -> None:
        """Read the capsule below `root`, which has been validated.

        Args:
            document: of `root`.
            root: the capsule.
            bodies: of the directory.
            consignment: the sender's id of the consignment, empty where no call brought the capsule.

        Raises:
            DocumentError: what the exchange's own element holds is not valid.
        """
        self._document = document
        self._root = root
        self._bodies = bodies
        self._consignment = consignment
        self._capsule = Reader(document, root)
        self._record = self._capsule.at("RecordMetadata")
        self._additions = root.find(NAMES.tag(ADDITIONS))
        self._more = read_addition(self._additions, document.file)

    def letter(self) -> DraftLetter:
        """The letter.

        Raises:
            DocumentError: a file or a date is none, or an addressee unknown.
        """
        record, more = self._record, self._more
        guid = record.text("RecordGuid")
        message_id, document_id = more.message_id or self._consignment or guid, more.document_id or guid
        links = self._links()
        link = answered(links)
        recipients, addressees = self._route()
        files, data = self._files()
        reply_due = read_date(record.text("ReplyDueDate"), record.at("ReplyDueDate").place)
        access = self._access()
        card = replace(
            self._card(), document_id=document_id, addressees=addressees, links=links, files=tuple(files.values()),
            signatures=tuple(self._signatures(files)),
        )  # fmt: skip
        foreign = tuple(read_foreign(self._additions))
        self._capsule.skip(ADDITIONS)
        kind = LetterKind.REPLY if link else LetterKind.DOCUMENT
        return DraftLetter(
            message_id=message_id,
            consignment_id=self._consignment or more.consignment_id or message_id,
            kind=LetterKind.ADDITION if more.addition else kind,
            conversation=conversation_of(document_id, links),
            in_reply_to=link.document_id if link else "",
            in_reply_to_number=link.number if link else "",
            recipients=recipients,
            ack=more.ack,
            wanted=more.wanted,
            urgency=more.urgency,
            reply_due=reply_due,
            access=access,
            card=replace(card, extras=(*self._document.unread(self._root), *foreign)),
            files=data,
        )

    def _card(self) -> LetterCard:
        """The card but for what depends on the way, on links and on files."""
        record, more, creator = self._record, self._more, self._capsule.at("RecordCreator")
        annotation, sender = record.text("RecordAbstract"), self._sender()
        title = record.text("RecordTitle") or title_of(annotation)
        basis, until = self._restriction(sender)
        return LetterCard(
            local_id=more.local_id,
            kind=record.text("RecordType"),
            purpose=more.purpose,
            reg_number=record.text("RecordOriginalIdentifier"),
            reg_date=self._registered(),
            title=title,
            annotation=annotation,
            language=self._language(f"{title}\n{annotation}"),
            access_basis=basis,
            access_until=until,
            sender=sender,
            signatories=tuple(self._signatories()),
            executor=replace(read_participant(creator), signed=more.executor_signed) if creator else None,
            tasks=more.tasks,
            source_format=FORMAT,
            translations=more.translations,
            personal_data=more.personal_data or self._names_persons(),
        )

    def _names_persons(self) -> bool:
        """Whether anybody's personal code stands in the capsule."""
        codes = self._root.iter(NAMES.tag("PersonalIdCode"))
        return any(code.text and code.text.strip() for code in codes)

    def _registered(self) -> date | None:
        """The day of registration, without which a capsule cannot be."""
        if self._more.unregistered:
            self._record.text("RecordDateRegistered")
            return None
        return read_day(self._record, "RecordDateRegistered")

    def _language(self, text: str) -> str:
        """The code of a language; any other word for it stays an extra, and the letters tell."""
        if _LANGUAGE.fullmatch(self._record.peek("RecordLanguage")):
            return self._record.text("RecordLanguage")
        return language_of(text)

    def _access(self) -> Access:
        if self._capsule.text("Access/AccessConditionsCode") == PUBLIC:
            return Access.PUBLIC
        return Access.CONFIDENTIAL if self._more.confidential else Access.RESTRICTED

    def _restriction(self, sender: Party) -> tuple[str, date | None]:
        """Basis and end of the first restriction; what else is said of it, and all others, stay extras."""
        first = self._capsule.at("Access/AccessRestriction")
        if not first:
            return self._more.restriction_basis, self._more.restriction_end
        if first.peek("RestrictionBeginDate") == day_of(self._record.peek("RecordDateRegistered")):
            first.text("RestrictionBeginDate")
        if first.peek("InformationOwner") == sender.name:
            first.text("InformationOwner")
        return first.text("RestrictionBasis"), read_date(first.text("RestrictionEndDate"), first.place)

    def _sender(self) -> Party:
        """Who sends: code and unit of the transport, name and person of the one who sent it off."""
        mailbox = read_mailbox(self._capsule.at("Transport/DecSender"))
        dispatcher = self._capsule.at("RecordSenderToDec")
        if dispatcher.peek("Organisation/OrganisationCode") == mailbox.uid:
            dispatcher.text("Organisation/OrganisationCode")
        said = read_participant(dispatcher)
        unit = "" if said.department == mailbox.unit else said.department
        within = replace(said, organization="", department=unit)
        party = replace(
            mailbox, name=said.organization, system=self._more.system, x_road_id=self._more.x_road_id,
            soate=self._more.soate, person=None if within == Person() else within,
        )  # fmt: skip
        return self._bodies.party(party)

    def _route(self) -> tuple[tuple[str, ...], tuple[Party, ...]]:
        """Recipients and addressees: the transport says where to.

        The elements are put into the order of the card, so that extras with their numbers stay with their addressee.
        """
        mailboxes = self._root.findall(f"{NAMES.tag('Transport')}/{NAMES.tag('DecRecipient')}")
        destinations = []
        for element in mailboxes:
            entry = Reader(self._document, element)
            party = read_mailbox(entry)
            destinations.append(replace(party, body=self._bodies.destination(party.uid, entry.place)))
        parties = [
            (self._bodies.party(read_party(Reader(self._document, element))), element)
            for element in self._root.findall(NAMES.tag("Recipient"))
        ]
        recipients, addressees = route(destinations, [party for party, _ in parties])
        firsts = {party.body: place for place, party in reversed(list(enumerate(destinations)))}
        _reorder([mailboxes[firsts[code]] for code in recipients], mailboxes)
        described = [next((element for party, element in parties if party is one), None) for one in addressees]
        _reorder(described, [element for _, element in parties])
        return recipients, addressees

    def _links(self) -> tuple[Link, ...]:
        """The recipient's own record that is answered, the record that this one goes back to; or all, as we wrote."""
        found = []
        for entry in self._capsule.all("Recipient"):
            guid, number = entry.text("RecipientRecordGuid"), entry.text("RecipientRecordOriginalIdentifier")
            if guid or number:
                found.append(Link(REPLY_LINK, guid, number))
        source = self._capsule.at("Initiator")
        number, day = source.text("InitiatorRecordOriginalIdentifier"), read_day(source, "InitiatorRecordDate")
        if number or day:
            found.append(Link(BASIS_LINK, "", number, day))
        return self._more.links or tuple(found)

    def _signatories(self) -> Iterator[Person]:
        for number, entry in enumerate(self._capsule.all("SignatureMetadata"), 1):
            yield replace(self._more.signatories.get(number, Person()), name=entry.text("Signer"))

    def _signatures(self, files: dict[str, FileInfo]) -> Iterator[DocumentSignature]:
        """Detached signatures, by the ids of their files."""
        for signature in self._more.signatures:
            file = files.get(signature.file_id)
            yield signature if file is None else replace(signature, file_id=file.id)

    def _files(self) -> tuple[dict[str, FileInfo], tuple[bytes, ...]]:
        """Files by GUID, and their bytes."""
        entries = self._capsule.all("File")
        if self._more.without_files:
            self._capsule.skip("File")
            del entries[0]
        told = any(entry.peek("RecordMainComponent") for entry in entries)
        infos: dict[str, FileInfo] = {}
        data: list[bytes] = []
        taken: set[tuple[str, str]] = set()
        for index, entry in enumerate(entries):
            data.append(self._content(entry, FILES_BYTES - sum(map(len, data))))
            main = entry.text("RecordMainComponent") in {"true", "1"} if told else index == 0
            guid = entry.text("FileGuid")
            info = self._info(entry, self._more.files.get(guid, FileDetails()), data[-1], main=main)
            own = {("name", fold(info.name)), ("id", info.id), ("guid", guid)}
            if taken & own:
                fault = "two files have the same FileName or FileGuid: give each its own"
                raise DocumentError(fault, code="file-name-repeated", place=entry.place)
            taken |= own
            infos[guid] = info
        return infos, tuple(data)

    def _info(self, entry: Reader, details: FileDetails, data: bytes, *, main: bool) -> FileInfo:
        """What is said of a file; a MimeType that is none stays an extra."""
        name = check_name(entry.text("FileName"), entry.place)
        role = FileRole.DATA if details.data else FileRole.MAIN if main else FileRole.ANNEX
        ident = details.id or entry.text("FileGuid")
        info = file_info(ident, name, data, role, description=details.description, pages=details.pages)
        if _MEDIA_TYPE.fullmatch(entry.peek("MimeType")):
            return replace(info, media_type=entry.text("MimeType"))
        return info

    def _content(self, entry: Reader, limit: int) -> bytes:
        data = unpack(entry.text("ZipBase64Content"), entry.place, limit)
        size = entry.text("FileSize")
        if size and read_integer(size, entry.place) != len(data):
            fault = f"FileSize is not that of the content, which has {len(data)} bytes: write that, or pack it again"
            raise DocumentError(fault, code="file-content-invalid", place=entry.place)
        if not data:
            fault = "the file is empty: there is nothing to deliver, add its content or leave it out"
            raise DocumentError(fault, code="file-empty", place=entry.place)
        return data


def _reorder(wanted: Iterable[Element | None], present: list[Element]) -> None:
    """Put siblings into an order: the wanted ones first, an empty one for None, then the rest."""
    parent, tag = present[0].getparent(), present[0].tag
    if parent is None:
        return
    ordered = [parent.makeelement(tag) if element is None else element for element in wanted]
    ordered.extend(element for element in present if element not in ordered)
    start = parent.index(present[0])
    for element in present:
        parent.remove(element)
    parent[start:start] = ordered
