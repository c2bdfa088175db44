"""Letters of the profile, written."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from adapters.formats.files import delivered_names
from adapters.formats.json_profile import documents
from adapters.formats.json_profile.documents import FORMAT, LETTER_FILE
from adapters.formats.json_profile.shapes import put_back, shape_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import Extra, FileInfo
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event

_EVENTS = frozenset(event.value for event in Event)


@dataclass(frozen=True, slots=True)
class Writing:
    """How a letter is to be written.

    Attributes:
        created: when it was said.
        letter_id: its id in the exchange, empty where the exchange has not had it yet.
        inline: whether its files go into the document.
        kind: the type of document, whose fields no extra may fill.
    """

    created: datetime
    letter_id: str = ""
    inline: bool = False
    kind: type[msgspec.Struct] = documents.Letter


def write_letter(draft: DraftLetter, writing: Writing) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A letter as a document's tree and the files beside it by name.

    Raises:
        DocumentError: the card holds what the profile cannot (a forged file name, an empty id).
    """
    files = list(_deliver(draft))
    tree = checked(_fields(draft, files, writing), documents.Letter)
    add_extras(tree, draft.card.extras, writing.kind)
    return tree, {} if writing.inline else {file.name: file.data for file in files}


def checked(fields: Mapping[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The tree of a document of these fields, whose parts are the card's.

    Raises:
        DocumentError: another body's card has what the profile's types do not allow.
    """
    try:
        return {"format": FORMAT, **msgspec.to_builtins(documents.alike(fields, kind))}
    except msgspec.ValidationError as error:
        place = str(error).partition(" - at `")[2].rstrip("`").removeprefix("$.")
        message = "the profile cannot hold this: the sender's document system must write it otherwise"
        raise DocumentError(message, place=f"card, {place}") from None


def add_extras(tree: dict[str, Any], extras: tuple[Extra, ...], kind: type[msgspec.Struct]) -> None:
    """Put extras in their places in a document, and list those that have none."""
    unplaced = put_back(tree, extras, shape_of(kind))
    if unplaced:
        tree["extras"] = [{"path": extra.path, "value": extra.value} for extra in unplaced]


def _fields(draft: DraftLetter, files: list["_Delivered"], writing: Writing) -> dict[str, Any]:
    card, group = draft.card, draft.group
    return {
        "message_type": draft.kind.value.lower(),
        "message_id": draft.message_id,
        "consignment_id": "" if draft.consignment_id == draft.message_id else draft.consignment_id,
        "conversation_id": draft.conversation,
        "in_reply_to": draft.in_reply_to,
        "in_reply_to_number": draft.in_reply_to_number,
        "created_at": writing.created,
        "letter_id": writing.letter_id,
        "sender": card.sender,
        "recipients": draft.recipients,
        "group": group and {"expression": group.expression, "directory_version": group.directory_version},
        "addressees": card.addressees,
        "ack_policy": draft.ack.value.lower(),
        "wanted_events": [Event(name) for name in draft.wanted if name in _EVENTS],
        "urgency": draft.urgency.value.lower(),
        "reply_due": draft.reply_due,
        "access": draft.access.value.lower(),
        "access_basis": card.access_basis,
        "access_until": card.access_until,
        "personal_data": card.personal_data,
        "document_id": card.document_id,
        "local_id": card.local_id,
        "kind": card.kind,
        "purpose": card.purpose,
        "reg_number": card.reg_number,
        "reg_date": card.reg_date,
        "title": card.title,
        "annotation": card.annotation,
        "language": card.language,
        "translations": card.translations,
        "signatories": card.signatories,
        "executor": card.executor,
        "links": card.links,
        "tasks": card.tasks,
        "files": [file.fields(inline=writing.inline) for file in files],
        "signatures": list(_signatures(draft, files)),
        "source_format": "" if card.source_format == FORMAT else card.source_format,
    }


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A file of the letter: what the card says of it, and its id and name here."""

    info: FileInfo
    ident: str
    name: str
    data: bytes

    def fields(self, *, inline: bool) -> dict[str, Any]:
        """As `documents.File`."""
        return {
            "name": self.name,
            "id": self.ident,
            "media_type": self.info.media_type,
            "role": self.info.role.value.lower(),
            "description": self.info.description,
            "pages": self.info.pages,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "content": b64encode(self.data).decode() if inline else None,
        }


def _deliver(draft: DraftLetter) -> Iterator[_Delivered]:
    """Files under ids and names that no other has."""
    infos = draft.card.files
    names = delivered_names(infos, [LETTER_FILE])
    taken, used = {info.id for info in infos}, {""}
    for number, (info, name, data) in enumerate(zip(infos, names, draft.files, strict=True), start=1):
        ident = info.id
        if ident in used:
            ident = next(spare for count in range(number, number + len(infos) + 1)
                         if (spare := f"file-{count}") not in taken)  # fmt: skip
            taken.add(ident)
        used.add(ident)
        yield _Delivered(info, ident, name, data)


def _signatures(draft: DraftLetter, files: list[_Delivered]) -> Iterator[dict[str, Any]]:
    """Signatures whose file, and the file that they sign, are there."""
    names = {file.info.name: file.name for file in reversed(files)}
    ids = {file.ident for file in files}
    for signature in draft.card.signatures:
        if signature.file_id in ids and signature.signature_file in names:
            yield {
                "file_id": signature.file_id,
                "signature_file": names[signature.signature_file],
                "signer": signature.signer,
                "time": signature.time,
            }
