"""State of a delivery: a pure fold over its set of events (rule 4.2).

A delivery is one (letter, recipient). Its state is that of its furthest event:

    awaited    deliver     hand-over      register     reply
               ────────    ─────────      ──────────   ───────────────────────────────────────────
               accepted  → delivered    → handed-over → registered → in-work → reply-prepared → answered
                   │           │             │      └→ refused        (final, first in the journal holds)
                   │           │             └→ redirected            (final)
                   │           └→ hand-over-failed ⇄ handed-over      (the last attempt in the journal holds)
                   └→ relay-failed, not-delivered                     (until delivered comes)
    rejected: the exchange itself refused                             (final)

Each state awaits a **stage**: what must come next. A stage begins with the fact by which the delivery first
awaits it; from there its deadline is reckoned (`due`). Lateness stands **beside** the state, never instead of it:
`expired`, which the exchange itself says, adds its stage to `late` and changes nothing else; nothing takes it away.

    register, due 17 Nov 12:00    ── expired(register) ─▶  register, due 17 Nov 12:00, late {register}
                                  ── registered ─▶         reply, due …, late {register}

Order and repetition of events do not matter; of contradictory final events the first in the
journal holds and the later ones are flagged.

The fold is made of steps: `advance` takes the next fact of the journal to what those before it came to,
and needs nothing else of them. So who reads the journal in its order keeps one value per delivery,
however much was said about it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from exchange.domain.deadline import Stage
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

    `awaits` is the stage that must end next, None when nothing more is awaited. `decides` is True for events of
    which only one can hold: registration, refusal, redirection, rejection. `again` is True for those that may be
    tried once more, where of equally far ones the last holds: a document system may lose what it was given, say so,
    and be given it again.
    """

    state: State
    rank: int
    next: Actor
    awaits: Stage | None
    decides: bool = False
    again: bool = False

    @property
    def negative(self) -> bool:
        """Whether the letter is stuck or turned away, so that its sender or an operator must act."""
        return self.next in {Actor.SENDER, Actor.OPERATOR}


TABLE: dict[Event, Rule] = {
    Event.ACCEPTED: Rule(State.ACCEPTED, 10, Actor.RECIPIENT_AGENT, Stage.DELIVER),
    Event.RELAY_FAILED: Rule(State.RELAY_FAILED, 15, Actor.OPERATOR, Stage.DELIVER),
    Event.NOT_DELIVERED: Rule(State.NOT_DELIVERED, 18, Actor.OPERATOR, Stage.DELIVER),
    Event.DELIVERED: Rule(State.DELIVERED, 20, Actor.RECIPIENT_EDMS, Stage.HAND_OVER),
    Event.HAND_OVER_FAILED: Rule(State.HAND_OVER_FAILED, 30, Actor.OPERATOR, Stage.HAND_OVER, again=True),
    Event.HANDED_OVER: Rule(State.HANDED_OVER, 30, Actor.RECIPIENT, Stage.REGISTER, again=True),
    Event.REGISTERED: Rule(State.REGISTERED, 40, Actor.RECIPIENT, Stage.REPLY, decides=True),
    Event.EXECUTOR_ASSIGNED: Rule(State.IN_WORK, 50, Actor.RECIPIENT, Stage.REPLY),
    Event.PROGRESS: Rule(State.IN_WORK, 50, Actor.RECIPIENT, Stage.REPLY),
    Event.REPLY_PREPARED: Rule(State.REPLY_PREPARED, 60, Actor.RECIPIENT, Stage.REPLY),
    Event.REPLY_SENT: Rule(State.ANSWERED, 70, Actor.NOBODY, None),
    Event.REFUSED: Rule(State.REFUSED, 90, Actor.SENDER, None, decides=True),
    Event.REDIRECTED: Rule(State.REDIRECTED, 90, Actor.NOBODY, None, decides=True),
    Event.REJECTED: Rule(State.REJECTED, 90, Actor.SENDER, None, decides=True),
}
"""Every event but `expired`, which leads to no state."""

AWAITED: dict[State, Stage | None] = {rule.state: rule.awaits for rule in TABLE.values()}
"""What each state awaits."""

NEGATIVE = frozenset(event for event, rule in TABLE.items() if rule.negative) | {Event.EXPIRED}
"""What a sender who wants errors only wants to hear."""

DECISIVE = frozenset(event for event, rule in TABLE.items() if rule.decides)
"""Events of which only one can hold."""

Due = Callable[[Stage, datetime], datetime | None]
"""When a stage of one delivery must end, given when it began; None: it has no deadline. See `Terms.due`."""


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
        stage: whose deadline passed, of `expired`; else None.
    """

    event: Event
    position: Position
    at: datetime
    journalled: datetime
    reason: str = ""
    reg_number: str = ""
    reg_date: str = ""
    text: str = ""
    stage: Stage | None = None


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
        stage: what is awaited; None: nothing more.
        began: when the journal took the fact that made it await that; None when nothing is awaited.
        due: when that must come; None when it has no deadline.
        late: stages whose deadline passed.
    """

    state: State
    since: datetime
    next: Actor
    reason: str
    reg_number: str
    reg_date: str
    decided: Event | None
    text: str = ""
    stage: Stage | None = None
    began: datetime | None = None
    due: datetime | None = None
    late: frozenset[Stage] = frozenset()

    @property
    def overdue(self) -> bool:
        """Whether what is awaited now should have come: an operator must act beside the next actor."""
        return self.stage in self.late

    def overran(self, after: "Delivery", arrived: datetime) -> bool:
        """Whether what was awaited here ended after its time, which nobody had said by then.

        Args:
            after: what the delivery came to.
            arrived: when the exchange was given what ended it; it may have waited behind a stopped router since.
        """
        ended = after.stage is not self.stage
        return ended and self.due is not None and arrived > self.due and self.stage not in after.late


def no_deadline(_stage: Stage, _began: datetime) -> None:
    """For who does not ask about deadlines: no stage has one."""


def fold(facts: Iterable[Fact], due: Due = no_deadline) -> Delivery:
    """State of a delivery from its facts, in any order, with any repetition.

    The journal's order is the only one that counts: a repeated event counts at its first place.

    Args:
        facts: of one delivery, so of one journal partition, where an offset names one fact.
        due: when its stages must end.

    Raises:
        ValueError: no facts at all, or nothing but a deadline: there is no such delivery.
    """
    by_offset = {fact.position.offset: fact for fact in facts}
    delivery = None
    for offset in sorted(by_offset):
        delivery = advance(delivery, by_offset[offset], due)
    if delivery is None:
        message = "a delivery has at least one fact"
        raise ValueError(message)
    return delivery


def advance(delivery: Delivery | None, fact: Fact, due: Due = no_deadline) -> Delivery:
    """A delivery with the journal's next fact about it; the same object when nothing changes.

    The furthest event gives the state, of equally far ones the first, of attempts the last. The first deciding fact
    holds: a later one changes nothing, nor does progress after a refusal that holds.

    Args:
        delivery: what all facts before this one in the journal come to; None: this is the first.
        fact: one that stands behind them.
        due: when its stages must end.

    Raises:
        ValueError: a deadline passed of a delivery that there is not.
    """
    if fact.event is Event.EXPIRED:
        return _late(delivery, fact.stage)
    rule = TABLE[fact.event]
    if delivery is None:
        decided, reg_number, reg_date, late = None, "", "", frozenset[Stage]()
    else:
        decided, reg_number, reg_date, late = delivery.decided, delivery.reg_number, delivery.reg_date, delivery.late
        if rule.decides and decided is not None:
            return delivery
    if rule.decides:
        decided = fact.event
    if fact.event is Event.REGISTERED:
        reg_number, reg_date = fact.reg_number, fact.reg_date
    if delivery is None or _leads_on(rule, delivery):
        told = (fact.reason, reg_number, reg_date, decided, fact.text)
        awaited = _awaited(delivery, rule.awaits, fact.journalled, due)
        return Delivery(rule.state, fact.journalled, rule.next, *told, *awaited, late)
    if rule.decides:
        return replace(delivery, decided=decided, reg_number=reg_number, reg_date=reg_date)
    return delivery


def _awaited(
    delivery: Delivery | None, stage: Stage | None, now: datetime, due: Due
) -> tuple[Stage | None, datetime | None, datetime | None]:
    """What is awaited, since when, until when: a stage that goes on keeps its time."""
    if stage is None:
        return None, None, None
    if delivery is not None and delivery.stage is stage:
        return stage, delivery.began, delivery.due
    return stage, now, due(stage, now)


def _leads_on(rule: Rule, delivery: Delivery) -> bool:
    """Whether an event changes the state of a delivery that is so far."""
    reached = _RANKS[delivery.state]
    return rule.rank > reached or (rule.again and rule.rank == reached and rule.state is not delivery.state)


def _late(delivery: Delivery | None, stage: Stage | None) -> Delivery:
    if delivery is None or stage is None:
        message = "a deadline passes of a stage of a delivery that there is"
        raise ValueError(message)
    return delivery if stage in delivery.late else replace(delivery, late=delivery.late | {stage})


def contradicts(fact: Fact, delivery: Delivery) -> bool:
    """Whether a deciding fact says otherwise than the one that holds.

    Args:
        fact: any of the delivery's facts.
        delivery: what it and all facts before it in the journal come to.
    """
    if fact.event not in DECISIVE:
        return False
    if fact.event is not delivery.decided:
        return True
    told = (fact.reg_number, fact.reg_date)
    return fact.event is Event.REGISTERED and told != (delivery.reg_number, delivery.reg_date)
