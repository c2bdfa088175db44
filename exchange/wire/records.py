"""Every record of the exchange, between values and framed bytes.

`encode(value)` picks the released schema of the value's class; `decode(cls, data)` accepts only that
class. Statements have readers of their own because the router must know three things apart: whose
number it is (`read_head`), whether it decodes whole (`decode_statement`), and whether its bytes are
the canonical ones (rule 1.3).
"""

from functools import cache
from typing import TypeVar

from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.decision import (
    Basis,
    DeadLetter,
    Decided,
    Journalled,
    LaneState,
    Notice,
    OriginState,
)
from exchange.domain.errors import WireError
from exchange.domain.statement import Head, Letter, Open, Receipt, Signed, Statement, Void
from exchange.wire import avro
from exchange.wire.mapping import from_record, to_record

SCHEMA_IDS: dict[type, int] = {
    Head: 1,
    Signed: 2,
    Letter: 10,
    Receipt: 11,
    Open: 12,
    Void: 13,
    LetterCard: 20,
    ReceiptCard: 21,
    Decided: 30,
    Basis: 31,
    Journalled: 39,
    Notice: 40,
    LaneState: 50,
    OriginState: 51,
    DeadLetter: 60,
}
"""The schema that each value is written with."""

STATEMENTS: dict[int, type[Statement]] = {10: Letter, 11: Receipt, 12: Open, 13: Void}
"""Statements that a body may say, by schema id."""

Value = TypeVar("Value")


def encode(value: object) -> bytes:
    """Framed Avro bytes of a value."""
    cls: type = type(value)
    return avro.encode(_schema(cls), to_record(cls)(value))


def decode(cls: type[Value], data: bytes) -> Value:
    """The value that `data` holds, which must be a whole `cls`.

    Raises:
        WireError: for any other bytes whatever.
    """
    kind: type = cls
    value: Value = from_record(kind)(avro.decode(_schema(kind), data))
    return value


def check(cls: type, data: bytes) -> None:
    """Make sure that `data` decodes whole as `cls`, without building the value.

    Raises:
        WireError: for any other bytes whatever.
    """
    avro.decode(_schema(cls), data)


def kind_of(data: bytes) -> type:
    """The class that `data` claims to be by its schema id, without decoding it.

    Raises:
        WireError: no frame, or a schema id that is not known here.
    """
    schema_id = avro.schema_id_of(data)
    kind = _kinds().get(schema_id)
    if kind is None:
        message = f"schema id {schema_id} is not known here"
        raise WireError(message, code="schema-unknown")
    return kind


def read_head(statement: bytes) -> Head:
    """The head of any statement, also of one whose schema is unknown (rules 1.2, 1.8).

    Raises:
        WireError: the bytes do not start with a frame and a head.
    """
    avro.schema_id_of(statement)
    record, _ = avro.decode_prefix(_schema(Head), statement)
    head: Head = from_record(Head)(record)
    return head


def decode_statement(statement: bytes) -> Statement:
    """A statement, decoded whole and found canonical (rule 1.3).

    Raises:
        WireError: with code `schema-unknown`, `kind-forbidden`, `statement-unreadable` or
            `not-canonical`.
    """
    kind = kind_of(statement)
    if avro.schema_id_of(statement) not in STATEMENTS:
        message = f"{kind.__name__} is not a statement that a body may say"
        raise WireError(message, code="kind-forbidden")
    schema = _schema(kind)
    try:
        record = avro.decode(schema, statement)
    except WireError as error:
        raise WireError(str(error), code="statement-unreadable") from error
    if avro.encode(schema, record) != statement:
        message = f"the {kind.__name__} is not in its canonical encoding"
        raise WireError(message, code="not-canonical")
    decoded: Statement = from_record(kind)(record)
    return decoded


def with_head(statement: bytes, head: Head) -> bytes:
    """The statement with another head; what stands behind the head stays byte for byte (rule 1.2).

    Raises:
        WireError: the bytes do not start with a frame and a head.
    """
    _, rest = avro.decode_prefix(_schema(Head), statement)
    begin = len(statement) - rest
    return statement[: avro.FRAME_BYTES] + encode(head)[avro.FRAME_BYTES :] + statement[begin:]


@cache
def _schema(cls: type) -> avro.Schema:
    return avro.schemas()[SCHEMA_IDS[cls]]


@cache
def _kinds() -> dict[int, type]:
    return {schema_id: cls for cls, schema_id in SCHEMA_IDS.items()}
