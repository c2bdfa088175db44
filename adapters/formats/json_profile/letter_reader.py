"""Letters of the profile, read."""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from adapters.formats.bodies import Bodies, route
from adapters.formats.files import Attachments, check_name, file_info, fold
from adapters.formats.json_profile import documents
from adapters.formats.json_profile.documents import FORMAT, alike
from adapters.formats.json_profile.shapes import read_extras
from adapters.formats.json_profile.source import Path, Source
from adapters.formats.letters import ANSWER, answered, conversation_of
from adapters.formats.values import title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    FileInfo,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    Task,
    Translation,
)
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, AckPolicy, Group, LetterKind, Urgency


class LetterReader:
    """Reads one letter."""

    def __init__(self, source: Source, attachments: Attachments, directory: Directory) -> None:
        """Read `source`, whose files are inside it or among `attachments`."""
        self._source = source
        self._said = source.convert(source.tree, documents.Letter)
        self._attachments = attachments
        self._directory = directory
        self._bodies = Bodies(directory)

    def letter(self) -> DraftLetter:
        """The letter.

        Raises:
            DocumentError: a field or file is wrong or missing, or an addressee unknown.
        """
        said = self._said
        recipients, addressees, tree = self._route()
        files = list(self._files())
        card = self._card(addressees, tuple(info for info, _ in files), tree)
        link = answered(card.links)
        in_reply_to = said.in_reply_to or (link.document_id if link else "")
        kind = said.message_type or ("reply" if link else "document")
        return DraftLetter(
            message_id=said.message_id,
            consignment_id=said.consignment_id or said.message_id,
            kind=LetterKind(kind.upper()),
            conversation=said.conversation_id or conversation_of(card.document_id, card.links),
            in_reply_to=in_reply_to,
            in_reply_to_number=said.in_reply_to_number or (link.number if link else ""),
            recipients=recipients,
            ack=AckPolicy(said.ack_policy.upper()),
            wanted=tuple(event.value for event in said.wanted_events),
            urgency=Urgency(said.urgency.upper()),
            reply_due=said.reply_due,
            access=Access(said.access.upper()),
            card=card,
            files=tuple(data for _, data in files),
            group=self._group(),
        )

    def _card(self, addressees: tuple[Party, ...], files: tuple[FileInfo, ...], tree: dict[str, Any]) -> LetterCard:
        said = self._said
        return LetterCard(
            document_id=said.document_id or said.message_id,
            local_id=said.local_id,
            kind=said.kind,
            purpose=said.purpose,
            reg_number=said.reg_number,
            reg_date=said.reg_date,
            title=said.title or title_of(said.annotation),
            annotation=said.annotation,
            language=said.language,
            access_basis=said.access_basis,
            access_until=said.access_until,
            sender=self._party(said.sender),
            addressees=addressees,
            signatories=alike(said.signatories, tuple[Person, ...]),
            executor=alike(said.executor, Person) if said.executor else None,
            links=self._links(),
            tasks=alike(said.tasks, tuple[Task, ...]),
            files=files,
            signatures=tuple(self._signatures(files)),
            source_format=said.source_format or FORMAT,
            extras=read_extras(tree, documents.Letter, said.extras),
            translations=alike(said.translations, tuple[Translation, ...]),
            personal_data=said.personal_data,
        )

    def _links(self) -> tuple[Link, ...]:
        """Links, and one for the letter answered where only `in_reply_to` names it: recipients are shown links."""
        said, links = self._said, alike(self._said.links, tuple[Link, ...])
        if (said.in_reply_to or said.in_reply_to_number) and answered(links) is None:
            return (*links, Link(ANSWER, said.in_reply_to, said.in_reply_to_number))
        return links

    def _party(self, said: documents.Party) -> Party:
        """A party with its code; a `body` that is no code stays as its identifier."""
        code = self._bodies.find(said.body) or self._bodies.find(said.uid)
        return replace(alike(said, Party), body=code, uid=said.uid or ("" if said.body == code else said.body))

    def _code(self, text: str, path: Path) -> str:
        code = self._bodies.find(text)
        if not code:
            message = "no identifier or code of a body: look the addressee up in the directory"
            raise self._source.fault(path, message, "recipient-unknown")
        return code

    def _route(self) -> tuple[tuple[str, ...], tuple[Party, ...], dict[str, Any]]:
        """Recipients, addressees in their order, and the document with its addressees in that order."""
        said = self._said
        destinations = []
        for index, text in enumerate(said.recipients):
            code = self._code(text, ("recipients", index))
            destinations.append(Party(body=code, uid="" if text == code else text))
        parties = [self._party(party) for party in said.addressees]
        if said.group is not None:
            if destinations:
                message = "a letter goes to recipients or to a group: leave one of them out"
                raise self._source.fault(("recipients",), message, "recipients-and-group")
            return (), tuple(parties), self._source.tree
        if not destinations:
            for index, party in enumerate(said.addressees):
                if party.body or party.uid:
                    self._code(parties[index].body or party.body or party.uid, ("addressees", index))
        recipients, ordered = route(destinations, parties)
        if not recipients:
            message = "nobody to send it to: fill `recipients`, or `body` or `uid` of an addressee"
            raise self._source.fault((), message, "recipient-missing")
        tree = self._source.tree
        entries = {id(party): entry for party, entry in zip(parties, tree.get("addressees", ()), strict=True)}
        return recipients, ordered, {**tree, "addressees": [entries.get(id(party), {}) for party in ordered]}

    def _group(self) -> Group | None:
        group = self._said.group
        return None if group is None else Group(group.expression, group.directory_version or self._directory.version)

    def _files(self) -> Iterator[tuple[FileInfo, bytes]]:
        """Files with their bytes, in their order."""
        ids: set[str] = set()
        names: set[str] = set()
        for index, said in enumerate(self._said.files):
            path = ("files", index)
            data = self._bytes(said, path)
            ident = said.id or f"file-{index + 1}"
            if ident in ids or fold(said.name) in names:
                message = "an id or a name that another file has: give each file its own"
                raise self._source.fault(path, message, "file-name-repeated")
            ids.add(ident)
            names.add(fold(said.name))
            role = FileRole(said.role.upper())
            info = file_info(ident, said.name, data, role, description=said.description, pages=said.pages)
            if said.size not in {None, info.size} or said.sha256 not in {None, info.sha256.hex()}:
                message = "the file is not the one that `size` and `sha256` speak of: write the document anew"
                raise self._source.fault(path, message)
            yield replace(info, media_type=said.media_type or info.media_type), data
        self._attachments.finish()

    def _bytes(self, said: documents.File, path: Path) -> bytes:
        """What the file holds."""
        try:
            if said.content is None:
                return self._attachments.take(said.name, "")
            check_name(said.name, "")
        except DocumentError as error:
            raise self._source.fault((*path, "name"), str(error), error.code) from None
        try:
            data = b64decode("".join(said.content.split()), validate=True)
        except ValueError:
            raise self._source.fault((*path, "content"), "no base64: encode the file's bytes again") from None
        if not data:
            message = "the file is empty: there is nothing to deliver, add its content or leave it out"
            raise self._source.fault((*path, "content"), message, "file-empty")
        return data

    def _signatures(self, files: Iterable[FileInfo]) -> Iterator[DocumentSignature]:
        """Signatures; the file that is signed and the one that signs must be there."""
        ids, names = {file.id for file in files}, {file.name for file in files}
        for index, said in enumerate(self._said.signatures):
            if said.file_id not in ids or said.signature_file not in names:
                message = "it names a file that is not in `files`: `file_id` is an id, `signature_file` a name there"
                raise self._source.fault(("signatures", index), message, "file-missing")
            yield alike(said, DocumentSignature)
