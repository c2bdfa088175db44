"""GOST R 53898-2013 documents, written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml.etree import _Element as Element

from adapters.formats.bodies import Bodies
from adapters.formats.files import delivered_names, extension
from adapters.formats.gost53898.additions import additions
from adapters.formats.gost53898.parts import (
    OWN_RESOURCE,
    write_contact,
    write_header,
    write_party,
    write_registration,
    write_task,
)
from adapters.formats.gost53898.words import (
    ACCESS_WORDS,
    CONTROLLED,
    EXPANSION,
    FORMAT,
    KINDS,
    LETTER_DOCUMENT,
    MADE,
    MESSAGE_TYPES,
    NAMES,
    RECEIPT_DOCUMENT,
    SCHEMA,
    SUBSCRIPTIONS,
)
from adapters.formats.letters import (
    is_plain_signature,
    own_extras,
    remark_of,
)
from adapters.formats.tree import Writer, apply_extras, extra_value
from adapters.formats.values import access_of, annotation_of, write_date, write_time
from exchange.agent.ports import DraftLetter
from exchange.domain.card import FileInfo, Party
from exchange.domain.statement import AckPolicy
from exchange.wire.xml import schema


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
            write_task(tasks, task)
        tasks.prune()
        self._subscriptions(root)
        self._expansion(root)
        return root.element

    def _header(self, root: Writer, created: datetime) -> None:
        card, draft = self._card, self._draft
        kind = MESSAGE_TYPES[draft.kind]
        own = extra_value(own_extras(card, FORMAT), "Header/@MessageType")
        # A later wording is an addition: its sender's word for it counts as long as the statement says no other.
        header = write_header(
            root, draft.message_id, created, own if own and KINDS.get(own) is draft.kind else kind, self._return_id
        )
        sender = header.add("Sender")
        write_party(sender, card.sender, card.sender.uid)
        sender.maybe("EDMS", card.sender.system)
        for code, party in zip(draft.recipients, card.addressees, strict=False):
            named = Party(name=party.name or self._bodies.name(code))
            write_party(header.add("Recipient"), named, self._bodies.uid(code, party.uid))
        resources = header.add("ResourceList")
        resources.add("Resource", attributes={"UID": OWN_RESOURCE, "UniqueName": LETTER_DOCUMENT})
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
        write_registration(document, card.reg_number, write_date(card.reg_date))
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
            write_contact(document.add("Author"), person)
        for party in card.addressees:
            uid = self._bodies.uid(party.body, party.uid) if party.body else party.uid
            write_party(document.add("Addressee"), party, uid)
        if card.executor is not None:
            write_contact(document.add("Writer"), card.executor)
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
            write_registration(documents.add("Document", attributes=ident), link.number, write_date(link.dated))

    def _subscriptions(self, root: Writer) -> None:
        draft = self._draft
        if draft.ack is not AckPolicy.NONE and not draft.wanted:
            return  # everything is told
        subscriptions = root.add("Subscriptions")
        for name, event in SUBSCRIPTIONS.items():
            included = draft.ack is not AckPolicy.NONE and event.value in draft.wanted
            subscriptions.add(name, attributes={"Include": "true" if included else "false"})

    def _expansion(self, root: Writer) -> None:
        """What the card says and GOST has no field for."""
        expansion = root.add("Expansion")
        files = [(file.ident, file.info) for file in self._delivered if file.listed]
        for name, of, value in additions(self._draft, files):
            if value:
                expansion.set({"Organization": EXPANSION})
                expansion.add("Field", value, {"Name": name, "Of": of})
        expansion.prune()


def _deliver(draft: DraftLetter) -> Iterator[_Delivered]:
    """Ids, names and resource numbers for the files: the sender's ids where they tell files apart."""
    files = draft.card.files
    names = delivered_names(files, (LETTER_DOCUMENT, RECEIPT_DOCUMENT))
    ids = [file.id for file in files]
    keep = len(set(ids)) == len(ids) and all(ids)
    for number, (file, name) in enumerate(zip(files, names, strict=True), 1):
        ident = file.id if keep else f"file-{number}"
        yield _Delivered(file, ident, name, str(number), not is_plain_signature(file, draft.card.signatures))


def _linked_id(index: int) -> str:
    return f"link-{index + 1}"
