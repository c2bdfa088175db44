"""A row of each table as a tuple in native types, its fields in the order of the table's columns."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, Delivery, Fact, Position, State
from exchange.domain.event import Event
from exchange.domain.fact import CommandFact, DeadlineFact, LetterFact, ReceiptFact
from exchange.domain.through import LaneReach

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OFFSETS = 1 << 47

# By plain dicts: four times as fast as calling the enum.
_STATES = {state.value: state for state in State}
_ACTORS = {actor.value: actor for actor in Actor}
_STAGES = {"": None} | {stage.value: stage for stage in Stage}
_EVENTS: dict[str, Event | None] = {"": None} | {event.value: event for event in Event}


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that `micros` made `value` of."""
    return _EPOCH + timedelta(microseconds=value)


def _micros(moment: datetime | None) -> int:
    return 0 if moment is None else micros(moment)


def iso(value: date | None) -> str:
    """ISO 8601 text, empty for None."""
    return "" if value is None else value.isoformat()


def place_of(position: Position) -> int:
    """A place in the journal as one number: one partition after the other, in the order of their offsets.

    63 bits hold an offset of 2^47 and 65,536 partitions.
    """
    return position.partition * _OFFSETS + position.offset


def first_place(partition: int, offset: int) -> int:
    """The place of an offset of a partition."""
    return place_of(Position(partition, offset))


def partition_of(place: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The partition of a column of places."""
    return place // sa.literal_column(str(_OFFSETS), sa.BigInteger)


def position_at(place: int) -> Position:
    """The place in the journal that `place_of` made a number of."""
    return Position(*divmod(place, _OFFSETS))


class LetterRow(NamedTuple):
    """A row of `letters`."""

    place: int
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
            place_of(fact.position),
            fact.letter,
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


def concerned(fact: LetterFact | ReceiptFact | DeadlineFact) -> str:
    """Whose delivery it is about; empty for every one of the letter."""
    match fact:
        case ReceiptFact():
            return fact.signer
        case DeadlineFact():
            return fact.recipient
    return ""


class FactRow(NamedTuple):
    """A row of `facts`; an empty recipient of a letter's own fact means every delivery of it."""

    place: int
    letter: int
    recipient: str
    event: str
    at: int
    journalled: int
    reason: str
    reg_number: str
    reg_date: str
    text: str

    @classmethod
    def of(cls, fact: LetterFact | ReceiptFact | DeadlineFact, letter: int, happened: Fact) -> "FactRow":
        """What a letter, receipt or deadline says happened, to the letter at that place."""
        return cls(
            place_of(happened.position),
            letter,
            concerned(fact),
            happened.event.value,
            micros(happened.at),
            micros(happened.journalled),
            happened.reason,
            happened.reg_number,
            happened.reg_date,
            happened.text,
        )


class DeliveryRow(NamedTuple):
    """A row of `deliveries`.

    Attributes:
        journalled: the letter's, to list by age.
        began: 0 when nothing is awaited.
        due: 0 when nothing is due.
        late: stages, in their order, joined by commas.
        overdue: 1 when what is awaited is late, else 0: see `Delivery.overdue`.
        sender: the letter's.
        delivered: when the journal took what says that it arrived; 0 before.
        registered: when the journal took the registration that holds; 0 when there is none.
    """

    letter: int
    recipient: str
    journalled: int
    state: str
    since: int
    next: str
    reason: str
    reg_number: str
    reg_date: str
    decided: str
    text: str
    stage: str
    began: int
    due: int
    late: str
    overdue: int
    sender: str
    delivered: int
    registered: int

    @classmethod
    def of(
        cls, letter: int, recipient: str, journalled: int, delivery: Delivery, told: tuple[str, int, int]
    ) -> "DeliveryRow":
        """What the facts of one delivery come to; `told`: its sender, and when it was delivered and registered."""
        return cls(
            letter,
            recipient,
            journalled,
            delivery.state.value,
            micros(delivery.since),
            delivery.next.value,
            delivery.reason,
            delivery.reg_number,
            delivery.reg_date,
            delivery.decided or "",
            delivery.text,
            "" if delivery.stage is None else delivery.stage.value,
            _micros(delivery.began),
            _micros(delivery.due),
            "" if not delivery.late else ",".join(stage for stage in Stage if stage in delivery.late),
            int(delivery.overdue),
            *told,
        )

    def delivery(self) -> Delivery:
        """The fold's value."""
        return Delivery(
            state=_STATES[self.state],
            since=moment(self.since),
            next=_ACTORS[self.next],
            reason=self.reason,
            reg_number=self.reg_number,
            reg_date=self.reg_date,
            decided=_EVENTS[self.decided],
            text=self.text,
            stage=_STAGES[self.stage],
            began=moment(self.began) if self.began else None,
            due=moment(self.due) if self.due else None,
            late=frozenset(map(Stage, self.late.split(","))) if self.late else frozenset(),
        )


class FlagRow(NamedTuple):
    """A row of `flags`; `about` is the letter's or statement's digest, empty when there is none."""

    place: int
    code: str
    body: str
    about: bytes
    journalled: int
    reason: str
    detail: str


class LaneRow(NamedTuple):
    """A row of `lanes`; `through` is 0 while nobody knows."""

    partition: int
    lane: int
    ticked: int
    through: int

    @classmethod
    def of(cls, partition: int, lane: int, reach: LaneReach) -> "LaneRow":
        """How far a lane has come in a partition."""
        return cls(partition, lane, micros(reach.ticked), _micros(reach.through))

    def reach(self) -> LaneReach:
        """The domain's value."""
        return LaneReach(moment(self.ticked), moment(self.through) if self.through else None)


class ActRow(NamedTuple):
    """A row of `acts`; `letter` is empty when it is about none, `said` is the speaker's clock."""

    place: int
    statement: bytes
    body: str
    action: str
    task: str
    person: str
    second: str
    reason: str
    detail: str
    letter: bytes
    recipient: str
    said: int
    journalled: int

    @classmethod
    def of(cls, fact: CommandFact) -> "ActRow":
        """What an operator did."""
        return cls(
            place_of(fact.position),
            fact.statement,
            fact.body,
            fact.action,
            fact.task,
            fact.person,
            fact.second,
            fact.reason,
            fact.detail,
            fact.letter or b"",
            fact.recipient,
            micros(fact.said),
            micros(fact.journalled),
        )

    def fact(self) -> CommandFact:
        """What the journal has."""
        return CommandFact(
            position_at(self.place),
            self.statement,
            self.body,
            self.action,
            self.task,
            self.person,
            self.second,
            self.reason,
            self.detail,
            self.letter or None,
            self.recipient,
            moment(self.said),
            moment(self.journalled),
        )


class PositionRow(NamedTuple):
    """A row of `positions`: the last record taken and the SHA-256 of its value."""

    topic: str
    partition: int
    position: int
    digest: bytes
