"""Every record of the exchange, between values and framed bytes.

`encode(value)` picks the released schema of the value's class; `decode(cls, data)` accepts only that
class. Statements have readers of their own because the router must know two things apart: whose
number it is (`read_head`, of bytes that need not be canonical nor known), and whether it is a statement
that it can take (`decode_statement`).
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

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
from exchange.domain.policy import ITEMS, STATEMENT_BYTES
from exchange.domain.statement import Head, Letter, Open, Receipt, Signed, Statement, Void
from exchange.wire import avro
from exchange.wire.canonical import Codec, NotCanonicalError, codec

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
    form = _form(cls)
    return form.frame + form.codec.write(value)


def decode(cls: type[Value], data: bytes) -> Value:
    """The value that `data` holds, which must be a whole `cls` in its canonical encoding.

    Raises:
        WireError: for any other bytes whatever; `not-canonical` when only the encoding is another.
    """
    kind: type = cls
    form = _form(kind)
    schema_id = avro.schema_id_of(data)
    if schema_id != form.schema.id:
        message = f"schema id {schema_id} where {form.schema.id} ({form.schema.name}) is expected"
        raise WireError(message)
    value: Value = _read_whole(form, data)
    return value


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
    record, _ = avro.decode_prefix(_form(Head).schema, statement)
    return Head(**record)


def with_head(statement: bytes, head: Head) -> bytes:
    """The statement with another head; what stands behind the head stays byte for byte (rule 1.2).

    Raises:
        WireError: the bytes do not start with a frame and a head.
    """
    _, rest = avro.decode_prefix(_form(Head).schema, statement)
    begin = len(statement) - rest
    return statement[: avro.FRAME_BYTES] + encode(head)[avro.FRAME_BYTES :] + statement[begin:]


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
    try:
        statement_read: Statement = _read_whole(_form(kind), statement)
    except NotCanonicalError:
        raise
    except WireError as error:
        raise WireError(str(error), code="statement-unreadable") from error
    return statement_read


@dataclass(frozen=True, slots=True)
class _Form:
    """How the values of one class look: their schema, what stands before each, and the codec of what follows."""

    schema: avro.Schema
    frame: bytes
    codec: Codec


@cache
def _form(cls: type) -> _Form:
    schema = avro.schemas()[SCHEMA_IDS[cls]]
    most_items = ITEMS if cls is Signed else STATEMENT_BYTES
    return _Form(schema, avro.frame(schema.id), codec(cls, json.loads(schema.text), most_items))


def _read_whole(form: _Form, data: bytes) -> Any:
    name = form.schema.name
    try:
        value, end = form.codec.read(data, avro.FRAME_BYTES)
    except NotCanonicalError as error:
        raise NotCanonicalError(f"the {name} is not in its canonical encoding: {error}") from error
    except (IndexError, OverflowError, ValueError) as error:
        raise WireError(f"not a {name}: {type(error).__name__} while decoding") from error
    if end != len(data):
        rest = len(data) - end
        raise WireError(f"{rest} bytes left over after the {name}" if rest > 0 else f"not a {name}: it ends early")
    return value


@cache
def _kinds() -> dict[int, type]:
    return {schema_id: cls for cls, schema_id in SCHEMA_IDS.items()}
