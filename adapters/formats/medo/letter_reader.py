"""MEDO documents up to 2.6, read."""

from dataclasses import replace

from adapters.formats.files import file_info
from adapters.formats.letters import pages_of
from adapters.formats.medo.message import Message, drafted, read_message_id, read_route
from adapters.formats.medo.parts import (
    read_addressee,
    read_link,
    read_number,
    read_partner,
    read_person,
    read_signatures,
    read_task,
)
from adapters.formats.medo.versions import MEDO_2_6
from adapters.formats.medo.words import ACCESS_WORDS, GROUPS, PERSONAL_DATA, URGENCY_WORDS
from adapters.formats.values import access_of, language_of, title_of, urgency_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import DocumentSignature, FileInfo, FileRole, LetterCard
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, Urgency


def read_document(message: Message) -> DraftLetter:
    """The letter that a message is.

    Raises:
        DocumentError: a field or file is missing, or an addressee unknown.
    """
    return _DocumentReader(message).letter()


class _DocumentReader:
    """Reads one document."""

    def __init__(self, message: Message) -> None:
        self._whole = message
        self._message = message.top
        self._body = self._message.at("document")
        self._attachments = message.attachments

    def letter(self) -> DraftLetter:
        body, version = self._body, self._whole.version
        message_id = read_message_id(self._message)
        addressees = ((read_addressee(entry), entry.place) for entry in body.all("addressees/addressee"))
        recipients, ordered = read_route(self._whole, addressees)
        files, data, signatures = self._files()
        annotation = body.text("annotation")
        access, urgency = self._words()
        personal = body.peek("specialMark") == PERSONAL_DATA
        if personal:
            body.text("specialMark")
        body.skip("files")
        if body.peek("pages") == str(pages_of(files)):
            body.text("pages")
        card = LetterCard(
            document_id=body.attr("uid"),
            local_id=body.attr("id"),
            kind=body.text("kind"),
            purpose=body.text("type"),
            reg_number=read_number(body.at("num")),
            reg_date=body.date("num/date"),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            sender=self._whole.bodies.party(read_partner(self._message.at("header/source"))),
            addressees=ordered,
            signatories=tuple(map(read_person, body.all("signatories/signatory"))),
            executor=read_person(body.at("executor")) if body.at("executor") else None,
            links=tuple(map(read_link, body.all("links/link"))),
            tasks=tuple(read_task(clause, index) for index, clause in enumerate(body.all("clauses/clause"))),
            files=files,
            signatures=signatures,
            # A document within a message of 2.7 has the fields of 2.6.
            source_format=(MEDO_2_6 if version.passport else version).format,
            personal_data=personal,
        )
        card = replace(card, extras=self._whole.extras())
        return drafted(card, message_id, recipients, access, urgency, data)

    def _words(self) -> tuple[Access, Urgency]:
        """Access and urgency; a word that is not the one written here for it stays an extra."""
        body = self._body
        access, urgency = access_of(body.peek("classification")), urgency_of(body.peek("urgency"))
        if body.peek("classification") == ACCESS_WORDS[access]:
            body.text("classification")
        if body.peek("urgency") == URGENCY_WORDS[urgency]:
            body.text("urgency")
        return access, urgency

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
