"""Statements: what bodies and the exchange's own services sign (protocol sections 1 and 2).

A statement holds head, routing and commitments only; what people wrote travels beside it as
contents (rule 1.5). The fields here are, name for name, those of `schemas/avro/`.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from exchange.domain.ids import digest

SALT_BYTES = 32


class Form(StrEnum):
    """How an item of contents travels (rules 1.5 to 1.7)."""

    INLINE = "INLINE"
    SEALED = "SEALED"
    REFERENCE = "REFERENCE"


class LetterKind(StrEnum):
    """What a letter is to its conversation (GOST R 53898 message type)."""

    DOCUMENT = "DOCUMENT"
    ADDITION = "ADDITION"
    REPLY = "REPLY"


class AckPolicy(StrEnum):
    """Which receipts the sender's EDMS wants to see."""

    NONE = "NONE"
    ERRORS = "ERRORS"
    ALWAYS = "ALWAYS"


class Urgency(StrEnum):
    """How soon the letter wants attention; deadlines follow it."""

    ROUTINE = "ROUTINE"
    URGENT = "URGENT"
    IMMEDIATE = "IMMEDIATE"


class Access(StrEnum):
    """Who may see the letter at the recipient."""

    PUBLIC = "PUBLIC"
    RESTRICTED = "RESTRICTED"
    CONFIDENTIAL = "CONFIDENTIAL"


@dataclass(frozen=True, slots=True)
class Head:
    """What every statement starts with, frozen for ever (rule 1.2).

    Attributes:
        exchange: SHA-256 of the exchange's first trust root (32 bytes).
        body: code of the body that speaks.
        origin: 16 random bytes drawn with the spool (rule 2.1).
        number: 1, 2, 3, … within the origin; number 1 is an `Open`.
        previous: digest of the statement before, zeros before the first.
        created: UTC, microseconds.
    """

    exchange: bytes
    body: str
    origin: bytes
    number: int
    previous: bytes
    created: datetime


@dataclass(frozen=True, slots=True)
class Commitment:
    """A promise of one item of contents: SHA-256(salt ‖ bytes), with size and type (rule 1.5)."""

    digest: bytes
    size: int
    media_type: str
    form: Form


@dataclass(frozen=True, slots=True)
class Content:
    """An item beside the statement; salt and data are empty once it is lawfully deleted."""

    salt: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients by expression, expanded from the named directory version (rule 1.7)."""

    expression: str
    directory_version: int


@dataclass(frozen=True, slots=True)
class Seal:
    """Parameters of sealed contents (protocol section 7)."""

    suite: str
    key_commitment: bytes
    wraps_root: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's routing and commitments; item 0 of its contents is the card."""

    head: Head
    message_id: str
    consignment_id: str
    kind: LetterKind
    conversation: str
    in_reply_to: bytes | None
    recipients: tuple[str, ...]
    group: Group | None
    ack: AckPolicy
    wanted: tuple[str, ...]
    urgency: Urgency
    reply_due: date | None
    access: Access
    seal: Seal | None
    contents: tuple[Commitment, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A recipient's word about a letter (rule 4.1); item 0 of contents, if any, is its card.

    `event` is a name of `exchange.domain.event.Event`, kept as text so that a later event does not
    change the schema.
    """

    head: Head
    letter: bytes
    sender: str
    event: str
    at: datetime
    reason: str
    contents: tuple[Commitment, ...]


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The origin that an `Open` continues, with what was last known to be taken of it."""

    origin: bytes
    number: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """Number 1 of an origin (rule 2.2)."""

    head: Head
    predecessor: Predecessor | None


@dataclass(frozen=True, slots=True)
class Void:
    """Takes the number of a statement that can never be taken (rule 2.4)."""

    head: Head
    replaced: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """The exchange's own word: a stage of a delivery was not ended in time (rule 4.3).

    Attributes:
        letter: digest of the letter.
        sender: the letter's.
        recipient: whose delivery it is.
        stage: a name of `exchange.domain.deadline.Stage`, kept as text so that a later stage does not
            change the schema.
        due: when the stage was to end.
        through: up to when the journal was known to be complete, later than `due`.
        policy: digest of the policy that gave the time.
        notify: who is to be told: codes out of sender and recipient.
    """

    head: Head
    letter: bytes
    sender: str
    recipient: str
    stage: str
    due: datetime
    through: datetime
    policy: bytes
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's act (protocol section 6). That it stands in the journal is the audit trail.

    Attributes:
        action: what was done, a lower-case name; "redrive" alone has an effect.
        task: the caller's id of the act or of the task that it is part of.
        person: sign-in of who did it.
        second: sign-in of who approved it, else empty.
        reason: why, in a person's words.
        detail: what exactly, e.g. a filter or a count.
        letter: digest of the letter concerned, None when it is not about one.
        recipient: code of the body concerned, else empty.
        contents: of a redrive one item, the journalled bytes of the letter; else none.
    """

    head: Head
    action: str
    task: str
    person: str
    second: str
    reason: str
    detail: str
    letter: bytes | None
    recipient: str
    contents: tuple[Commitment, ...]


Statement = Letter | Receipt | Open | Void | Deadline | Command


def concerned(statement: Statement | None, said: bytes) -> bytes:
    """Digest of the letter that a statement is about, else its own: the key by which the journal is divided.

    Args:
        statement: None when it cannot be read.
        said: its digest.
    """
    if isinstance(statement, Receipt | Deadline):
        return statement.letter
    if isinstance(statement, Command) and statement.letter is not None:
        return statement.letter
    return said


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement's exact bytes with its signature and contents: one record of submissions."""

    statement: bytes
    signature: bytes
    contents: tuple[Content, ...]

    @property
    def digest(self) -> bytes:
        """Statement digest: the letter's id."""
        return digest(self.statement)


def commitment_digest(content: Content) -> bytes:
    """SHA-256(salt ‖ bytes), rule 1.5."""
    state = hashlib.sha256(content.salt)
    state.update(content.data)
    return state.digest()


def commit(content: Content, media_type: str) -> Commitment:
    """The commitment that a statement makes of `content`, which travels with it."""
    return Commitment(commitment_digest(content), len(content.data), media_type, Form.INLINE)
