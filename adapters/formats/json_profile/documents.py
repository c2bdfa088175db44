"""The profile's documents as types: from these comes the JSON Schema, by these documents are read and written.

Parts that the card has too have its fields' names, so that either is made from the other by attributes.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from exchange.domain.event import Event
from exchange.domain.policy import CARD_PARTS, RECIPIENTS

FORMAT = "json-1"
LETTER_FILE = "letter.json"
RECEIPT_FILE = "receipt.json"

Time = Annotated[datetime, Meta(tz=True, description="With its offset from UTC")]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal")]
Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Ident = Annotated[str, Meta(min_length=1)]


class Part(Struct, frozen=True, omit_defaults=True):
    """What documents are made of: a field may be left out where it has a default, and then is."""


class Person(Part, frozen=True):
    """A person as documents name one."""

    name: Annotated[str, Meta(description="Family name and initials, or in full")] = ""
    post: str = ""
    department: str = ""
    organization: str = ""
    region: str = ""
    contact: Annotated[str, Meta(description="Telephone, address or e-mail")] = ""
    signed: Annotated[date | None, Meta(description="Of a signatory: when")] = None


class Party(Part, frozen=True):
    """A sender or an addressee. `body` says who it is, or `uid` where there is no `body`."""

    body: Annotated[str, Meta(description="Its code in the directory")] = ""
    uid: Annotated[str, Meta(description="Another identifier of it that the directory lists")] = ""
    name: str = ""
    unit: str = ""
    system: Annotated[str, Meta(description="Its document system")] = ""
    x_road_id: Annotated[str, Meta(description="Its subsystem in Tunduk")] = ""
    soate: Annotated[str, Meta(description="Code of its territory, 14 digits")] = ""
    person: Person | None = None


class Translation(Part, frozen=True):
    """Title and annotation in a further language."""

    language: Annotated[str, Meta(description="ISO 639-1")]
    title: str
    annotation: str = ""


class Link(Part, frozen=True, rename={"dated": "date"}):
    """A related document."""

    type: Annotated[str, Meta(description="In the words of MEDO: В ответ на, Во исполнение, Связан с, …")]
    document_id: str = ""
    number: str = ""
    dated: date | None = None


class Executor(Part, frozen=True):
    """Who works on a task, and as what."""

    who: Person
    role: Annotated[str, Meta(description="ответственный, соисполнитель, …")] = ""


class Task(Part, frozen=True):
    """A task that the letter sets; with an author of its own, a resolution."""

    id: str
    text: str
    deadline: date | None = None
    controlled: Annotated[bool, Meta(description="Somebody watches the deadline")] = False
    executors: tuple[Executor, ...] = ()
    author: Person | None = None


class File(Part, frozen=True):
    """A file of the letter: beside the document under its name, or inside it as `content`."""

    name: Ident
    id: Annotated[str, Meta(description="What a signature names it by; numbered where left out")] = ""
    media_type: Annotated[str, Meta(description="By the name's extension where left out")] = ""
    role: Literal["main", "annex", "data"] = "main"
    description: str = ""
    pages: Count | None = None
    size: Annotated[Count | None, Meta(description="In bytes; checked where given")] = None
    sha256: Annotated[Digest | None, Meta(description="Checked where given")] = None
    content: Annotated[
        str | None, Meta(description="Its bytes in base64", extra_json_schema={"contentEncoding": "base64"})
    ] = None


class Signature(Part, frozen=True):
    """A detached signature (CMS) of one of the files, itself one of the files."""

    file_id: Annotated[str, Meta(description="`id` of the file that is signed")]
    signature_file: Annotated[str, Meta(description="`name` of the file that holds the signature")]
    signer: Person = Person()
    time: Time | None = None


class Extra(Part, frozen=True):
    """A field of another format that the profile has no name for."""

    path: str
    value: str


class Group(Part, frozen=True):
    """Recipients by an expression over the directory, instead of by name."""

    expression: str
    directory_version: Annotated[Count | None, Meta(description="The one that the agent has where left out")] = None


class Letter(Part, frozen=True, kw_only=True):
    """A letter. Fields that the profile does not know are carried, and given to a recipient who has the profile too."""

    format: Literal["json-1"] = "json-1"
    message_type: Annotated[
        Literal["document", "addition", "reply", ""],
        Meta(description="Where left out: a reply if it answers a letter, else a document"),
    ] = ""
    message_id: Annotated[str, Meta(min_length=1, description="The sender's own, of no other message")]
    consignment_id: Annotated[str, Meta(description="Stable over retries; the message id where left out")] = ""
    conversation_id: Annotated[
        str, Meta(description="Letters of one go in order; the letter answered or the document where left out")
    ] = ""
    in_reply_to: Annotated[str, Meta(description="Document id of the letter answered; from `links` if left out")] = ""
    in_reply_to_number: Annotated[str, Meta(description="Its registration number; from `links` if left out")] = ""
    created_at: Annotated[Time | None, Meta(description="Written on the way to the recipient, not read")] = None
    letter_id: Annotated[
        str, Meta(description="The letter's id in the exchange. Written on the way to the recipient, not read")
    ] = ""
    sender: Annotated[Party, Meta(description="On the way to the recipient: whose signature was verified")] = Party()
    recipients: Annotated[
        tuple[Ident, ...],
        Meta(
            max_length=RECIPIENTS,
            description="Code or identifier of each body that it goes to; all addressees that have one if left out",
        ),
    ] = ()
    group: Group | None = None
    addressees: Annotated[tuple[Party, ...], Meta(max_length=CARD_PARTS)] = ()
    ack_policy: Annotated[
        Literal["none", "errors", "always"], Meta(description="Which receipts the sender wants to see")
    ] = "always"
    wanted_events: Annotated[tuple[Event, ...], Meta(description="With `always`: only these, all where empty")] = ()
    urgency: Literal["routine", "urgent", "immediate"] = "routine"
    reply_due: date | None = None
    access: Literal["public", "restricted", "confidential"] = "public"
    access_basis: Annotated[str, Meta(description="The rule by which access is restricted")] = ""
    access_until: date | None = None
    personal_data: Annotated[bool, Meta(description="It is about persons whose data the law protects")] = False
    document_id: Annotated[str, Meta(description="The sender's own; the message id where left out")] = ""
    local_id: str = ""
    kind: Annotated[str, Meta(description="Письмо, Приказ, …")] = ""
    purpose: str = ""
    reg_number: str = ""
    reg_date: date | None = None
    title: Annotated[str, Meta(description="The annotation's first line where left out")] = ""
    annotation: str = ""
    language: Annotated[str, Meta(description="Of title and annotation, ISO 639-1")] = ""
    translations: tuple[Translation, ...] = ()
    signatories: tuple[Person, ...] = ()
    executor: Person | None = None
    links: tuple[Link, ...] = ()
    tasks: tuple[Task, ...] = ()
    files: tuple[File, ...] = ()
    signatures: tuple[Signature, ...] = ()
    source_format: Annotated[str, Meta(description="In which it was written first, if not in this")] = ""
    extras: Annotated[tuple[Extra, ...], Meta(description="What that format said beyond the profile")] = ()


class Actor(Part, frozen=True):
    """Who says a receipt."""

    body: Annotated[str, Meta(description="Code of the body; `svc-exchange` for the exchange itself. Not read")] = ""
    name: Annotated[str, Meta(description="Its name. Not read")] = ""
    person: Person | None = None


class Receipt(Part, frozen=True, kw_only=True):
    """What became of a letter. Which letter: by its message id, its document id, or both."""

    format: Literal["json-1"] = "json-1"
    message_type: Literal["receipt"]
    event: Event
    event_time: Time
    message_id: str = ""
    document_id: str = ""
    addressee: Annotated[str, Meta(description="Code or identifier of the body that sent the letter")] = ""
    receipt_id: Annotated[str, Meta(description="The same over repeats. Not read")] = ""
    letter_id: Annotated[str, Meta(description="The letter's id in the exchange. Written for the sender, not read")] = (
        ""
    )
    local_id: Annotated[
        str, Meta(description="The letter's, as its sender gave it. Written for the sender, not read")
    ] = ""
    reg_number: str = ""
    reg_date: date | None = None
    reason_code: Annotated[str, Meta(description="Of a negative event; one of those of the docs, page errors")] = ""
    reason_text: str = ""
    note: str = ""
    actor: Actor = Actor()
    source_format: Annotated[str, Meta(description="In which it was written first, if not in this")] = ""
    extras: Annotated[tuple[Extra, ...], Meta(description="What that format said beyond the profile")] = ()


Kind = TypeVar("Kind")


def alike(value: Any, kind: type[Kind]) -> Kind:
    """The same value as another type with fields of these names: from a part to the card, or back."""
    return msgspec.convert(value, kind, from_attributes=True)
