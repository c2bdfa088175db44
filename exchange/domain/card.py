"""Cards: what people wrote, item 0 of a statement's contents (rule 1.5).

Field names are those of `schemas/avro/`; where they come from in each EDMS format stands in the
format's own page of the docs. A field with its default is one that nobody filled in.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class FileRole(StrEnum):
    """What a file is to its letter."""

    MAIN = "MAIN"
    ANNEX = "ANNEX"
    DATA = "DATA"


@dataclass(frozen=True, slots=True)
class Person:
    """A person as documents name one."""

    name: str = ""
    post: str = ""
    department: str = ""
    organization: str = ""
    region: str = ""
    contact: str = ""
    signed: date | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or addressee as the sender's EDMS wrote it; `body` is its code once known.

    `uid` is the identifier that the EDMS format uses for the organisation.
    """

    body: str = ""
    uid: str = ""
    name: str = ""
    unit: str = ""
    system: str = ""
    x_road_id: str = ""
    soate: str = ""
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A related document: `type` in the words of MEDO's `linkType`."""

    type: str
    document_id: str = ""
    number: str = ""
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Executor:
    """Who works on a task, and as what."""

    who: Person
    role: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task that the letter sets; with an `author`, who is not the letter's signatory, a resolution."""

    id: str
    text: str
    deadline: date | None = None
    controlled: bool = False
    executors: tuple[Executor, ...] = ()
    author: Person | None = None


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of the letter: its bytes are item `index` + 1 of contents, in this order."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: bytes
    role: FileRole
    description: str = ""
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentSignature:
    """A detached signature of one of the files, itself one of the files (`signature_file`)."""

    file_id: str
    signature_file: str
    signer: Person
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """A field of the source format that the card has no name for; carried, never dropped."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A letter's title and annotation in a further language, by its ISO 639-1 code."""

    language: str
    title: str
    annotation: str = ""


@dataclass(frozen=True, slots=True)
class LetterCard:
    """What the sender wrote about a letter.

    `title` and `annotation` are in `language`. `personal_data` says that the letter is about persons whose data the
    law protects: nothing of it may be shown but to its recipients.
    """

    document_id: str = ""
    local_id: str = ""
    kind: str = ""
    purpose: str = ""
    reg_number: str = ""
    reg_date: date | None = None
    title: str = ""
    annotation: str = ""
    language: str = ""
    access_basis: str = ""
    access_until: date | None = None
    sender: Party = Party()
    addressees: tuple[Party, ...] = ()
    signatories: tuple[Person, ...] = ()
    executor: Person | None = None
    links: tuple[Link, ...] = ()
    tasks: tuple[Task, ...] = ()
    files: tuple[FileInfo, ...] = ()
    signatures: tuple[DocumentSignature, ...] = ()
    source_format: str = ""
    extras: tuple[Extra, ...] = ()
    translations: tuple[Translation, ...] = ()
    personal_data: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptCard:
    """What the recipient wrote about a letter: registration, refusal, executor, progress."""

    document_id: str = ""
    message_id: str = ""
    reg_number: str = ""
    reg_date: date | None = None
    reason_text: str = ""
    actor: Person | None = None
    note: str = ""
    source_format: str = ""
    extras: tuple[Extra, ...] = ()
