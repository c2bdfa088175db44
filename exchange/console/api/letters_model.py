"""What the API answers about letters. The OpenAPI document's schemas are made of these types."""

from typing import Annotated

from msgspec import Meta

from exchange.console.api.acts_model import ActTold
from exchange.console.api.model import Code, Digest, Link, Seconds
from exchange.console.words import Next
from exchange.domain.deadline import Stage
from exchange.domain.delivery import State
from exchange.services.http.model import Answer, BodyCode, Time


class RegistrationTold(Answer, frozen=True, kw_only=True):
    """A document's registration at a body; empty where it was not said."""

    document_id: str = ""
    number: str = ""
    date: str = ""


class LetterTold(Answer, frozen=True, kw_only=True):
    """A letter as the exchange knows it: ids, codes and times, nothing that people wrote."""

    digest: Digest
    sender: BodyCode
    message_id: Annotated[str, Meta(description="The sender's own id of it.")]
    consignment_id: str
    kind: str
    urgency: str
    access: str
    conversation: str
    in_reply_to: Digest | None
    reply_due: Annotated[str, Meta(description="Date by which the sender wants an answer, else empty.")]
    document: RegistrationTold
    items: Annotated[int, Meta(description="How many files.")]
    size: Annotated[int, Meta(description="Bytes.")]
    created: Annotated[Time, Meta(description="The sender's clock.")]
    arrived: Annotated[Time, Meta(description="Submissions took it.")]
    decided: Annotated[Time, Meta(description="The router's clock.")]
    journalled: Annotated[Time, Meta(description="The journal took the decision.")]
    reason: Code
    detail: str


class DeliveryTold(Answer, frozen=True, kw_only=True):
    """Where a letter is on its way to one recipient, and who must act next."""

    state: State
    since: Annotated[Time, Meta(description="When it came into that state.")]
    next: Next
    reason: Code
    reg_number: Annotated[str, Meta(description="Registration number at the recipient, else empty.")]
    reg_date: str
    decided: Annotated[str, Meta(description="The deciding event that holds; empty before there is one.")]
    text: Annotated[str, Meta(description="Words beside the reason, else empty.")]
    stage: Annotated[Stage | None, Meta(description="What is awaited; null: nothing more.")]
    began: Annotated[Time | None, Meta(description="When that began to be awaited.")]
    due: Annotated[Time | None, Meta(description="When that must come; null without a deadline.")]
    late: Annotated[tuple[Stage, ...], Meta(description="Stages whose deadline passed.")]


class ListedTold(Answer, frozen=True, kw_only=True):
    """One delivery with its letter."""

    letter: LetterTold
    recipient: BodyCode
    delivery: DeliveryTold


class CountTold(Answer, frozen=True, kw_only=True):
    """How long a list is: exactly `number`, or more than that."""

    number: int
    more: bool


class Letters(Answer, frozen=True, kw_only=True):
    """A page of deliveries."""

    items: tuple[ListedTold, ...]
    next: Link
    count: Annotated[CountTold | None, Meta(description="Null unless it was asked for.")]


class OverviewLine(Answer, frozen=True, kw_only=True):
    """One delivery of a letter; or one letter to many, with how many of its deliveries are in which state."""

    letter: LetterTold
    recipient: Annotated[str | None, Meta(description="Null for a letter to many.")] = None
    delivery: Annotated[DeliveryTold | None, Meta(description="Null for a letter to many.")] = None
    states: Annotated[dict[State, int] | None, Meta(description="Of a letter to many, else null.")] = None


class Overview(Answer, frozen=True, kw_only=True):
    """A page of letters, the youngest first."""

    items: tuple[OverviewLine, ...]
    next: Link


class PutAwayTold(Answer, frozen=True, kw_only=True):
    """An old letter that was put away into the tracker's archive: lists do not show it any more."""

    digest: Digest
    sender: str
    journalled: Time
    put_away: Time
    file: Annotated[str, Meta(description="Name of the file in the archive's folder.")]
    at: Annotated[int, Meta(description="Byte at which the block begins there that holds the letter.")]


class Found(Answer, frozen=True, kw_only=True):
    """Letters that a text names, the youngest first; at most twenty."""

    items: tuple[LetterTold, ...]
    put_away: tuple[PutAwayTold, ...] = ()


class LogTold(Answer, frozen=True, kw_only=True):
    """How far the entries about a letter stand in the archive's log."""

    proven: Annotated[int, Meta(description="Entries that the newest checkpoint is over.")]
    waiting: Annotated[int, Meta(description="Entries that the archive has, for the next checkpoint.")]
    since: Annotated[Time | None, Meta(description="When the journal took the first that waits; null: none does.")]
    log: Annotated[str, Meta(description="The log's name.")]
    heads: Annotated[int, Meta(description="Size of the newest checkpoint.")]
    at: Annotated[Time, Meta(description="Up to when it is, by the archive's clock.")]
    witnesses: Annotated[tuple[str, ...], Meta(description="Who cosigned it.")]
    witnessed: Annotated[bool, Meta(description="Whether these are as many as the exchange's policy asks for.")]


class StepTold(Answer, frozen=True, kw_only=True):
    """Something that happened to a delivery."""

    event: str
    at: Annotated[Time, Meta(description="By the clock of who says so.")]
    journalled: Time
    wait: Annotated[Seconds, Meta(description="Seconds since the step before, in the journal's time.")]
    reason: Code
    registration: RegistrationTold
    text: str
    holds: Annotated[bool, Meta(description="False when an earlier fact says otherwise.")]


class PartTold(Answer, frozen=True, kw_only=True):
    """One recipient's part of a letter's story."""

    recipient: str
    delivery: DeliveryTold
    steps: tuple[StepTold, ...]


class FlagTold(Answer, frozen=True, kw_only=True):
    """A record of the journal that stands out."""

    partition: int
    offset: int
    code: str
    body: str
    about: Annotated[str, Meta(description="Digest of the letter or statement, hexadecimal; or empty.")]
    journalled: Time
    reason: Code
    detail: str


class Story(Answer, frozen=True, kw_only=True):
    """A letter's whole story, as far as it is the caller's to see."""

    letter: LetterTold
    deliveries: tuple[PartTold, ...]
    flags: tuple[FlagTold, ...]
    acts: Annotated[
        tuple[ActTold, ...] | None,
        Meta(description="What people did with it, the last hundred; null: not yours to see."),
    ]
