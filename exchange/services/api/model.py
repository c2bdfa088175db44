"""What the API is asked and what it answers. The OpenAPI document's schemas are made of these types."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from exchange.agent.spool.incoming import ArrivalState
from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.event import Event
from exchange.domain.statement import LetterKind
from exchange.services.http.model import Answer, BodyCode, Time

PAGE = 50
PAGE_AT_MOST = 100
WAIT_AT_MOST = 60

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Id of a letter in the exchange, hexadecimal.")]
Cursor = Annotated[
    int, Meta(ge=0, le=2**63 - 1, description="Position behind the last arrival that you have; 0 at first.")
]
Limit = Annotated[int, Meta(ge=1, le=PAGE_AT_MOST, description="So many at most; fewer when they are large.")]
Wait = Annotated[int, Meta(ge=0, le=WAIT_AT_MOST, description="Seconds to wait for one when there is none.")]


class ArrivalsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which arrivals."""

    after: Cursor = 0
    limit: Limit = PAGE
    wait: Wait = 0


class SentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the last letters."""

    limit: Limit = PAGE


class Health(Answer, frozen=True, kw_only=True):
    """Whether the agent does its work."""

    ready: bool
    bodies: Annotated[int, Meta(description="How many bodies it carries.")]


class Accepted(Answer, frozen=True, kw_only=True):
    """The letter is on this agent's disk and goes out by itself."""

    message_id: str
    is_new: Annotated[bool, Meta(description="False when the same request was accepted before.")]


class Heard(Answer, frozen=True, kw_only=True):
    """A receipt about a letter of yours: who said what, and when by the speaker's clock."""

    actor: Annotated[str, Meta(description="Code of the body that speaks; `svc-exchange` is the exchange itself.")]
    event: Event
    at: Time
    reason: Annotated[str, Meta(description="Code of what went wrong, else empty.")]
    text: Annotated[str, Meta(description="The reason, or a remark, in words.")]
    reg_number: Annotated[str, Meta(description="Registration number at the recipient, once it has one.")]
    reg_date: date | None


class SentSummary(Answer, frozen=True, kw_only=True):
    """A letter of yours, and how far it came on its way to the exchange."""

    message_id: str
    id: Annotated[Digest | None, Meta(description="Id in the exchange; null until it has one.")]
    recipients: tuple[BodyCode, ...]
    group: Annotated[str, Meta(description="The group it goes to instead of recipients, else empty.")]
    created: Time
    state: Annotated[
        OutgoingState, Meta(description="draft, signed (on its way), taken by the exchange, refused by it, or void.")
    ]
    reason: Annotated[str, Meta(description="Why the exchange refused it, else empty.")]
    detail: str


class SentLetter(SentSummary, frozen=True, kw_only=True):
    """A letter of yours with what was heard about it."""

    receipts: Annotated[tuple[Heard, ...], Meta(description="The last hundred, in the order of their arrival.")]


class SentLetters(Answer, frozen=True, kw_only=True):
    """The last letters, newest first."""

    letters: tuple[SentSummary, ...]


class ReceiptArrived(Heard, frozen=True, kw_only=True):
    """A receipt in the order of arrival; `message_id` says which letter of yours it is about."""

    message_id: str
    letter: Digest


class Receipts(Answer, frozen=True, kw_only=True):
    """Receipts in the order of their arrival."""

    receipts: tuple[ReceiptArrived, ...]
    cursor: Cursor


class ArrivedSummary(Answer, frozen=True, kw_only=True):
    """A letter in the inbox."""

    id: Digest
    sender: BodyCode
    message_id: Annotated[str, Meta(description="The sender's own id of it.")]
    kind: LetterKind
    received: Time
    state: Annotated[ArrivalState, Meta(description="`handed` once you have said so; the others are steps before.")]
    title: str
    reg_number: Annotated[str, Meta(description="The sender's registration number, else empty.")]
    reg_date: date | None
    files: Annotated[int, Meta(description="How many files it has.")]


class Inbox(Answer, frozen=True, kw_only=True):
    """Letters in the order of their arrival."""

    letters: tuple[ArrivedSummary, ...]
    cursor: Cursor


class FileLink(Answer, frozen=True, kw_only=True):
    """A file of an arrived letter."""

    name: str
    media_type: str
    size: Annotated[int, Meta(description="Bytes.")]
    sha256: Annotated[str, Meta(description="Hexadecimal.")]
    href: Annotated[str, Meta(description="Path to get its bytes by.")]


class ArrivedLetter(ArrivedSummary, frozen=True, kw_only=True):
    """An arrived letter as the JSON format writes it, without its files' bytes."""

    letter: msgspec.Raw
    links: Annotated[tuple[FileLink, ...], Meta(description="Its files, in the letter's order.")]


class Said(Answer, frozen=True, kw_only=True):
    """The receipt is on this agent's disk and goes out by itself."""

    letter: Digest
    event: Event
