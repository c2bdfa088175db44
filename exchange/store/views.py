"""What questions to the tracker's database are answered with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.domain.delivery import Actor, Delivery, State
from exchange.domain.fact import Registration


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters to list; None means any.

    Attributes:
        sender: body code.
        after: only letters that the journal took at this time or later.
        limit: at most so many, the youngest first.
    """

    sender: str | None = None
    after: datetime | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as the tracker knows it: ids, codes and times, nothing that people wrote.

    Attributes:
        digest: statement digest, the letter's id.
        document: the sender's own registration.
        created: the sender's clock.
        arrived: submissions took it.
        decided: the router's clock.
        journalled: the journal took the decision.
        reason: code of the refusal, empty when it was accepted.
    """

    digest: bytes
    sender: str
    message_id: str
    consignment_id: str
    kind: str
    urgency: str
    access: str
    conversation: str
    in_reply_to: bytes | None
    reply_due: str
    document: Registration
    items: int
    size: int
    created: datetime
    arrived: datetime
    decided: datetime
    journalled: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list: one delivery with its letter."""

    letter: Letter
    recipient: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of a list: one letter to many, with how many of its deliveries are in which state."""

    letter: Letter
    states: Mapping[State, int]

    @property
    def recipients(self) -> int:
        """How many bodies it went to."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a delivery.

    Attributes:
        event: name of `exchange.domain.event.Event`.
        at: when, by the clock of who says so.
        journalled: when the journal took it.
        wait: since the step before, in the journal's time; of the first since the letter was created.
        holds: False when an earlier fact says otherwise (rule 4.2).
    """

    event: str
    at: datetime
    journalled: datetime
    wait: timedelta
    reason: str
    registration: Registration
    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class DeliveryTimeline:
    """One recipient's part of a letter's story."""

    recipient: str
    delivery: Delivery
    steps: tuple[Step, ...]

    def waiting(self, now: datetime) -> timedelta | None:
        """How long the next actor has been awaited; None when nobody is."""
        return None if self.delivery.next is Actor.NOBODY else max(now - self.delivery.since, timedelta())


@dataclass(frozen=True, slots=True)
class Flag:
    """A record of the journal that stands out; `about` is a letter's or statement's digest, or empty."""

    partition: int
    offset: int
    code: str
    body: str
    about: bytes
    journalled: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A letter's whole story."""

    letter: Letter
    deliveries: tuple[DeliveryTimeline, ...]
    flags: tuple[Flag, ...]
