"""From a record of the journal to the fact that it states. Pure: bytes in, a value out.

Tracker and replay read the journal through this one door, so they cannot disagree on what it says.
A record that is none becomes an `Unreadable` fact: the journal's readers go on.

Of a card only the leading fields are decoded, those that facts carry: what people wrote behind them
is not even looked at, which also saves most of a card's cost.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

import fastavro

from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.decision import Basis, Decided, Decision, Journalled, Tick
from exchange.domain.delivery import Position
from exchange.domain.errors import WireError
from exchange.domain.fact import (
    BasisChanged,
    CommandFact,
    Course,
    DeadlineFact,
    JournalFact,
    LetterFact,
    OriginOpened,
    ReceiptFact,
    Registration,
    StatementRefused,
    StatementVoided,
    TickFact,
    Unreadable,
)
from exchange.domain.policy import RECIPIENTS
from exchange.domain.statement import (
    Command,
    Commitment,
    Content,
    Deadline,
    Form,
    Head,
    Letter,
    Open,
    Receipt,
    Statement,
    Void,
)
from exchange.wire import avro
from exchange.wire.records import VERSIONS, decode, decode_statement, kind_of, read_head

ID_CHARACTERS = 200
TEXT_CHARACTERS = 1000
_SIZE_MAX = 1 << 53  # a refused letter may commit to anything


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """A record of `exchange.journal`; `journalled` is its `LogAppendTime`."""

    position: Position
    journalled: datetime
    value: bytes


def read_fact(record: JournalRecord) -> JournalFact:
    """The fact that `record` states; `Unreadable` for any bytes that are no record of the journal."""
    try:
        carried = decode(Journalled, record.value)
        kind = kind_of(carried.entry)
        if kind is Basis:
            return basis_fact(record, decode(Basis, carried.entry))
        if kind is Tick:
            return tick_fact(record, decode(Tick, carried.entry))
        return decided_fact(record, decode(Decided, carried.entry), carried.contents)
    except WireError as error:
        return Unreadable(record.position, record.journalled, _text(str(error), ID_CHARACTERS))


def basis_fact(record: JournalRecord, basis: Basis) -> BasisChanged:
    """What a `Basis` entry states."""
    return BasisChanged(
        record.position,
        basis.place.lane,
        basis.directory_version,
        basis.directory_digest,
        basis.policy_digest,
        record.journalled,
    )


def tick_fact(record: JournalRecord, tick: Tick) -> TickFact:
    """What a `Tick` entry states."""
    return TickFact(record.position, tick.place.lane, tick.arrived, tick.idle, record.journalled)


def decided_fact(record: JournalRecord, decided: Decided, contents: tuple[Content, ...]) -> JournalFact:
    """What a decision with its statement and contents states.

    Raises:
        WireError: the statement has no head, which no router journals.
    """
    decision = decided.decision
    statement = _statement(decided.statement)
    if statement is None:
        return _refused_unread(record, decided)
    if isinstance(statement, Letter):
        return _letter_fact(record, decision, statement, contents)
    if decision.reason:
        return _refused(record, decision, statement.head, type(statement).__name__)
    match statement:
        case Receipt():
            fact: JournalFact = _receipt_fact(record, decision, statement, contents)
        case Deadline():
            fact = _deadline_fact(record, decision, statement)
        case Command():
            fact = _command_fact(record, decision, statement)
        case Open() | Void():
            fact = _origin_fact(record, statement)
    return fact


def _statement(data: bytes) -> Statement | None:
    """The statement as far as it can be read; whether it was canonical stands in the decision."""
    try:
        return decode_statement(data)
    except WireError:
        return None


def _refused_unread(record: JournalRecord, decided: Decided) -> JournalFact:
    """A statement that does not decode: all that is known is its head (rule 1.8)."""
    decision, head = decided.decision, read_head(decided.statement)
    try:
        kind = kind_of(decided.statement)
    except WireError:
        return _refused(record, decision, head, "")
    if kind is not Letter or not decision.reason:
        return _refused(record, decision, head, kind.__name__)
    return LetterFact(
        position=record.position,
        letter=decision.statement,
        sender=_text(head.body),
        course=_course(record, decision, head),
        message_id="",
        consignment_id="",
        kind="",
        urgency="",
        access="",
        conversation="",
        in_reply_to=None,
        reply_due=None,
        recipients=("",),
        document=Registration(),
        items=0,
        size=0,
        reason=decision.reason,
        detail=_text(decision.detail),
    )


def _refused(record: JournalRecord, decision: Decision, head: Head, kind: str) -> StatementRefused:
    return StatementRefused(
        record.position,
        decision.statement,
        _text(head.body),
        kind.lower(),
        record.journalled,
        decision.reason,
        _text(decision.detail),
    )


def _letter_fact(
    record: JournalRecord, decision: Decision, letter: Letter, contents: tuple[Content, ...]
) -> LetterFact:
    card = _leading(LetterCard, letter.contents, contents)
    document = _registration(card)
    head = letter.head
    return LetterFact(
        position=record.position,
        letter=decision.statement,
        sender=_text(head.body),
        course=_course(record, decision, head),
        message_id=_text(letter.message_id),
        consignment_id=_text(letter.consignment_id),
        kind=letter.kind.value,
        urgency=letter.urgency.value,
        access=letter.access.value,
        conversation=_text(letter.conversation),
        in_reply_to=letter.in_reply_to,
        reply_due=letter.reply_due,
        recipients=_named(letter) if decision.reason else decision.recipients,
        document=document,
        items=len(letter.contents),
        size=min(_SIZE_MAX, sum(max(0, commitment.size) for commitment in letter.contents)),
        reason=decision.reason,
        detail=_text(decision.detail),
    )


def _named(letter: Letter) -> tuple[str, ...]:
    """Recipients of a refused letter, or its group: anybody's text, so bounded; each once, at least one."""
    if letter.group is not None:
        return (_text(letter.group.expression),)
    named = dict.fromkeys(_text(name) for name in letter.recipients[:RECIPIENTS])
    return tuple(named) or ("",)


def _receipt_fact(
    record: JournalRecord, decision: Decision, receipt: Receipt, contents: tuple[Content, ...]
) -> ReceiptFact:
    card = _leading(ReceiptCard, receipt.contents, contents)
    return ReceiptFact(
        position=record.position,
        letter=receipt.letter,
        signer=_text(receipt.head.body),
        sender=_text(receipt.sender),
        course=_course(record, decision, receipt.head),
        event=_text(receipt.event),
        at=receipt.at,
        reason=_text(receipt.reason),
        registration=_registration(card),
        text=_text(card.get("reason_text", ""), TEXT_CHARACTERS),
    )


def _deadline_fact(record: JournalRecord, decision: Decision, deadline: Deadline) -> DeadlineFact:
    return DeadlineFact(
        position=record.position,
        statement=decision.statement,
        body=_text(deadline.head.body),
        letter=deadline.letter,
        sender=_text(deadline.sender),
        recipient=_text(deadline.recipient),
        stage=_text(deadline.stage),
        due=deadline.due,
        through=deadline.through,
        policy=deadline.policy,
        notify=decision.recipients,
        course=_course(record, decision, deadline.head),
    )


def _command_fact(record: JournalRecord, decision: Decision, command: Command) -> CommandFact:
    return CommandFact(
        position=record.position,
        statement=decision.statement,
        body=_text(command.head.body),
        action=_text(command.action),
        task=_text(command.task),
        person=_text(command.person),
        second=_text(command.second),
        reason=_text(command.reason, TEXT_CHARACTERS),
        detail=_text(command.detail, TEXT_CHARACTERS),
        letter=command.letter,
        recipient=_text(command.recipient),
        said=command.head.created,
        journalled=record.journalled,
    )


def _origin_fact(record: JournalRecord, statement: Open | Void) -> OriginOpened | StatementVoided:
    body = _text(statement.head.body)
    if isinstance(statement, Open):
        predecessor = None if statement.predecessor is None else statement.predecessor.origin
        return OriginOpened(record.position, body, statement.head.origin, predecessor, record.journalled)
    reason = _text(statement.reason, TEXT_CHARACTERS)
    return StatementVoided(record.position, body, statement.replaced, reason, record.journalled)


def _course(record: JournalRecord, decision: Decision, head: Head) -> Course:
    return Course(head.created, decision.arrived, decision.decided, record.journalled)


def _leading(cls: type, commitments: tuple[Commitment, ...], contents: tuple[Content, ...]) -> Mapping[str, Any]:
    """The card's leading fields; none when it is sealed, was deleted, or cannot be read."""
    if not commitments or not contents or commitments[0].form is not Form.INLINE:
        return {}
    data = contents[0].data
    try:
        return avro.decode_prefix(_leading_schema(cls), data)[0] if kind_of(data) is cls else {}
    except WireError:
        return {}


@cache
def _leading_schema(cls: type) -> avro.Schema:
    """A card's first schema, cut behind the last field that facts carry: all its versions begin so."""
    schema = avro.schemas()[VERSIONS[cls][0]]
    record = json.loads(schema.text)
    names = [field["name"] for field in record["fields"]]
    record["fields"] = record["fields"][: names.index(_LAST_FIELD[cls]) + 1]
    return replace(schema, parsed=fastavro.parse_schema(record))


_LAST_FIELD: dict[type, str] = {LetterCard: "reg_date", ReceiptCard: "reason_text"}


def _registration(card: Mapping[str, Any]) -> Registration:
    if not card:
        return Registration()
    dated: date | None = card["reg_date"]
    text = "" if dated is None else dated.isoformat()
    return Registration(_text(card["document_id"]), _text(card["reg_number"]), text)


def _text(text: str, most: int = ID_CHARACTERS) -> str:
    """Anybody's text, bounded, on one line and without what databases cannot hold (U+0000)."""
    if text.isprintable() and len(text) <= most:
        return text
    return "".join(char if char.isprintable() else " " for char in text[:most])
