"""A row of each table as a tuple in native types, its fields in the order of the table's columns."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from exchange.domain.delivery import Actor, Delivery, Fact, Position, State
from exchange.domain.event import Event
from exchange.domain.fact import LetterFact, ReceiptFact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EVENTS = {event.value: event for event in Event}  # four times as fast as calling the enum


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that `micros` made `value` of."""
    return _EPOCH + timedelta(microseconds=value)


def iso(value: date | None) -> str:
    """ISO 8601 text, empty for None."""
    return "" if value is None else value.isoformat()


class LetterRow(NamedTuple):
    """A row of `letters`."""

    letter: bytes
    partition: int
    position: int
    sender: str
    message_id: str
    consignment_id: str
    kind: str
    urgency: str
    access: str
    conversation: str
    in_reply_to: bytes | None
    reply_due: str
    document_id: str
    reg_number: str
    reg_date: str
    items: int
    size: int
    created: int
    arrived: int
    decided: int
    journalled: int
    reason: str
    detail: str

    @classmethod
    def of(cls, fact: LetterFact) -> "LetterRow":
        """The letter that a fact brings."""
        course, document = fact.course, fact.document
        return cls(
            fact.letter,
            fact.position.partition,
            fact.position.offset,
            fact.sender,
            fact.message_id,
            fact.consignment_id,
            fact.kind,
            fact.urgency,
            fact.access,
            fact.conversation,
            fact.in_reply_to,
            iso(fact.reply_due),
            document.document_id,
            document.number,
            document.date,
            fact.items,
            fact.size,
            micros(course.created),
            micros(course.arrived),
            micros(course.decided),
            micros(course.journalled),
            fact.reason,
            fact.detail,
        )


class FactRow(NamedTuple):
    """A row of `facts`; an empty recipient of a letter's own fact means every delivery of it."""

    partition: int
    position: int
    letter: bytes
    recipient: str
    event: str
    at: int
    arrived: int
    journalled: int
    reason: str
    reg_number: str
    reg_date: str
    text: str

    @classmethod
    def of(cls, fact: LetterFact | ReceiptFact, happened: Fact) -> "FactRow":
        """What a letter or receipt says happened."""
        return cls(
            fact.position.partition,
            fact.position.offset,
            fact.letter,
            fact.signer if isinstance(fact, ReceiptFact) else "",
            happened.event.value,
            micros(happened.at),
            micros(fact.course.arrived),
            micros(happened.journalled),
            happened.reason,
            happened.reg_number,
            happened.reg_date,
            happened.text,
        )

    def fact(self) -> Fact:
        """What is folded."""
        return Fact(
            _EVENTS[self.event],
            Position(self.partition, self.position),
            moment(self.at),
            moment(self.journalled),
            self.reason,
            self.reg_number,
            self.reg_date,
            self.text,
        )


class DeliveryRow(NamedTuple):
    """A row of `deliveries`; `journalled` is the letter's, to list by age."""

    letter: bytes
    recipient: str
    sender: str
    state: str
    since: int
    next: str
    reason: str
    reg_number: str
    reg_date: str
    text: str
    journalled: int

    @classmethod
    def of(cls, letter: bytes, recipient: str, sender: str, delivery: Delivery, journalled: int) -> "DeliveryRow":
        """What the facts of one delivery come to."""
        return cls(
            letter,
            recipient,
            sender,
            delivery.state.value,
            micros(delivery.since),
            delivery.next.value,
            delivery.reason,
            delivery.reg_number,
            delivery.reg_date,
            delivery.text,
            journalled,
        )

    def delivery(self) -> Delivery:
        """The fold's value; contradictions stand among the flags."""
        return Delivery(
            state=State(self.state),
            since=moment(self.since),
            next=Actor(self.next),
            reason=self.reason,
            reg_number=self.reg_number,
            reg_date=self.reg_date,
            contradicted=(),
            text=self.text,
        )


class FlagRow(NamedTuple):
    """A row of `flags`; `about` is the letter's or statement's digest, empty when there is none."""

    partition: int
    position: int
    code: str
    body: str
    about: bytes
    journalled: int
    reason: str
    detail: str


class PositionRow(NamedTuple):
    """A row of `positions`: the last record taken and the SHA-256 of its value."""

    topic: str
    partition: int
    position: int
    digest: bytes
