"""State of a delivery: a pure fold over its set of events (rule 4.2).

A delivery is one (letter, recipient). Its state is that of its furthest event:

    accepted → delivered → handed-over → registered → in-work → reply-prepared → answered
        │          │            │      └→ refused        (final, first in the journal holds)
        │          │            └→ redirected            (final)
        │          └→ hand-over-failed                   (until handed-over comes)
        └→ not-delivered                                 (until delivered comes)
    rejected: the exchange itself refused                (final)
    expired:  a deadline passed without registration     (later events still follow it)

Order and repetition of events do not matter; of contradictory final events the first in the
journal holds and the later ones are flagged.

The fold is made of steps: `advance` takes the next fact of the journal to what those before it came to,
and needs nothing else of them. So who reads the journal in its order keeps one value per delivery,
however much was said about it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce

from exchange.domain.event import Event


class State(StrEnum):
    """Where a delivery is."""

    REJECTED = "rejected"
    ACCEPTED = "accepted"
    RELAY_FAILED = "relay-failed"
    NOT_DELIVERED = "not-delivered"
    DELIVERED = "delivered"
    HAND_OVER_FAILED = "hand-over-failed"
    HANDED_OVER = "handed-over"
    EXPIRED = "expired"
    REGISTERED = "registered"
    IN_WORK = "in-work"
    REPLY_PREPARED = "reply-prepared"
    ANSWERED = "answered"
    REFUSED = "refused"
    REDIRECTED = "redirected"


class Actor(StrEnum):
    """Who must act next."""

    NOBODY = "nobody"
    SENDER = "sender"
    RECIPIENT_AGENT = "recipient's agent"
    RECIPIENT_EDMS = "recipient's document system"
    RECIPIENT = "recipient"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: the state that an event leads to, how far that is, whose move it is then.

    `decides` is True for events of which only one can hold: registration, refusal, redirection,
    rejection.
    """

    state: State
    rank: int
    next: Actor
    decides: bool = False

    @property
    def negative(self) -> bool:
        """Whether the letter is stuck or turned away, so that its sender or an operator must act."""
        return self.next in {Actor.SENDER, Actor.OPERATOR}


TABLE: dict[Event, Rule] = {
    Event.ACCEPTED: Rule(State.ACCEPTED, 10, Actor.RECIPIENT_AGENT),
    Event.RELAY_FAILED: Rule(State.RELAY_FAILED, 15, Actor.OPERATOR),
    Event.NOT_DELIVERED: Rule(State.NOT_DELIVERED, 18, Actor.OPERATOR),
    Event.DELIVERED: Rule(State.DELIVERED, 20, Actor.RECIPIENT_EDMS),
    Event.HAND_OVER_FAILED: Rule(State.HAND_OVER_FAILED, 25, Actor.OPERATOR),
    Event.HANDED_OVER: Rule(State.HANDED_OVER, 30, Actor.RECIPIENT),
    Event.EXPIRED: Rule(State.EXPIRED, 35, Actor.OPERATOR),
    Event.REGISTERED: Rule(State.REGISTERED, 40, Actor.RECIPIENT, decides=True),
    Event.EXECUTOR_ASSIGNED: Rule(State.IN_WORK, 50, Actor.RECIPIENT),
    Event.PROGRESS: Rule(State.IN_WORK, 50, Actor.RECIPIENT),
    Event.REPLY_PREPARED: Rule(State.REPLY_PREPARED, 60, Actor.RECIPIENT),
    Event.REPLY_SENT: Rule(State.ANSWERED, 70, Actor.NOBODY),
    Event.REFUSED: Rule(State.REFUSED, 90, Actor.SENDER, decides=True),
    Event.REDIRECTED: Rule(State.REDIRECTED, 90, Actor.NOBODY, decides=True),
    Event.REJECTED: Rule(State.REJECTED, 90, Actor.SENDER, decides=True),
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the journal a fact stands; facts of one letter share a partition."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Fact:
    """An event of one delivery with its place in the journal.

    Attributes:
        event: what happened.
        position: where the journal says so.
        at: when, in the words of who states it.
        journalled: when the journal took it.
        reason: code of a negative event, else empty.
        reg_number: registration number at the recipient, where the event brings one.
        reg_date: its date as ISO 8601 text, else empty.
        text: free text of the receipt's card, else empty.
    """

    event: Event
    position: Position
    at: datetime
    journalled: datetime
    reason: str = ""
    reg_number: str = ""
    reg_date: str = ""
    text: str = ""


_RANKS = {rule.state: rule.rank for rule in TABLE.values()}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the facts of one delivery come to.

    Attributes:
        state: where it is.
        since: when the journal took the fact that brought it there.
        next: who must act.
        reason: code, when the state is a negative one.
        reg_number: the registration that holds, else empty.
        reg_date: ISO 8601, else empty.
        decided: the deciding event that holds; None before there is one.
        text: free text beside the reason, else empty.
    """

    state: State
    since: datetime
    next: Actor
    reason: str
    reg_number: str
    reg_date: str
    decided: Event | None
    text: str = ""


def fold(facts: Iterable[Fact]) -> Delivery:
    """State of a delivery from its facts, in any order, with any repetition.

    The journal's order is the only one that counts: a repeated event counts at its first place.

    Args:
        facts: of one delivery, so of one journal partition, where an offset names one fact.

    Raises:
        ValueError: no facts at all: there is no such delivery.
    """
    by_offset = {fact.position.offset: fact for fact in facts}
    delivery = reduce(advance, (by_offset[offset] for offset in sorted(by_offset)), None)
    if delivery is None:
        message = "a delivery has at least one fact"
        raise ValueError(message)
    return delivery


def advance(delivery: Delivery | None, fact: Fact) -> Delivery:
    """A delivery with the journal's next fact about it; the same object when nothing changes.

    The furthest event gives the state, of equally far ones the first. The first deciding fact holds:
    a later one changes nothing, nor does progress after a refusal that holds.

    Args:
        delivery: what all facts before this one in the journal come to; None: this is the first.
        fact: one that stands behind them.
    """
    rule = TABLE[fact.event]
    if delivery is None:
        decided, reg_number, reg_date = None, "", ""
    else:
        decided, reg_number, reg_date = delivery.decided, delivery.reg_number, delivery.reg_date
        if rule.decides and decided is not None:
            return delivery
    if rule.decides:
        decided = fact.event
    if fact.event is Event.REGISTERED:
        reg_number, reg_date = fact.reg_number, fact.reg_date
    if delivery is None or rule.rank > _RANKS[delivery.state]:
        return Delivery(rule.state, fact.journalled, rule.next, fact.reason, reg_number, reg_date, decided, fact.text)
    if rule.decides:
        return replace(delivery, decided=decided, reg_number=reg_number, reg_date=reg_date)
    return delivery


def contradicts(fact: Fact, delivery: Delivery) -> bool:
    """Whether a deciding fact says otherwise than the one that holds.

    Args:
        fact: any of the delivery's facts.
        delivery: what it and all facts before it in the journal come to.
    """
    if not TABLE[fact.event].decides:
        return False
    if fact.event is not delivery.decided:
        return True
    told = (fact.reg_number, fact.reg_date)
    return fact.event is Event.REGISTERED and told != (delivery.reg_number, delivery.reg_date)
