"""Every record of the exchange, between values and framed bytes.

`encode(value)` writes the newest released schema of the value's class; `decode(cls, data)` reads any of
that class, by the schema that the bytes name, and no other class. Statements have readers of their own
because the router must know two things apart: whose number it is (`read_head`, of bytes that need not
be canonical nor known), and whether it is a statement that it can take (`decode_statement`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from exchange.domain.card import LetterCard, ReceiptCard
from exchange.domain.checkpoint import OriginProof, PublishedCheckpoint
from exchange.domain.decision import (
    Basis,
    DeadLetter,
    Decided,
    Journalled,
    LaneState,
    Notice,
    OriginState,
    Tick,
)
from exchange.domain.errors import WireError
from exchange.domain.policy import CARD_PARTS, ITEMS, STATEMENT_BYTES
from exchange.domain.statement import Command, Deadline, Head, Letter, Open, Receipt, Signed, Statement, Void
from exchange.wire import avro
from exchange.wire.canonical import Codec, NotCanonicalError, codec

VERSIONS: Mapping[type, tuple[int, ...]] = MappingProxyType(
    {
        Head: (1,),
        Signed: (2,),
        Letter: (10,),
        Receipt: (11,),
        Open: (12,),
        Void: (13,),
        Deadline: (14,),
        Command: (15,),
        LetterCard: (20, 22),
        ReceiptCard: (21,),
        Decided: (30,),
        Basis: (31,),
        Tick: (32,),
        Journalled: (39,),
        Notice: (40,),
        LaneState: (50,),
        OriginState: (51,),
        DeadLetter: (60,),
        PublishedCheckpoint: (70,),
        OriginProof: (71,),
    }
)
"""The released schemas of each record, oldest first: all are read, the last is written (rule 1.8)."""

STATEMENTS: frozenset[type] = frozenset({Letter, Receipt, Open, Void, Deadline, Command})
"""Records that a body may sign; the last two only the exchange's own."""

_MOST_ITEMS: Mapping[type, int] = {Signed: ITEMS, LetterCard: CARD_PARTS, ReceiptCard: CARD_PARTS}
"""How many items an array may have, where it is not the size that bounds them."""

Value = TypeVar("Value")


def encode(value: object) -> bytes:
    """Framed Avro bytes of a value."""
    return _written()[type(value)].write(value)


def decode(cls: type[Value], data: bytes) -> Value:
    """The value that `data` holds, which must be a whole `cls` in its canonical encoding.

    Raises:
        WireError: for any other bytes whatever; `not-canonical` when only the encoding is another,
            `schema-unknown` when they name a schema that is not known here.
    """
    version = _named_in(data)
    if version.cls is not cls:
        message = f"schema id {version.schema.id} ({version.schema.name}) where a {cls.__name__} is expected"
        raise WireError(message)
    value: Value = version.read(data)
    return value


def kind_of(data: bytes) -> type:
    """The class that `data` claims to be by its schema id, without decoding it.

    Raises:
        WireError: no frame, or `schema-unknown`.
    """
    return _named_in(data).cls


def read_head(statement: bytes) -> Head:
    """The head of any statement, also of one whose schema is unknown (rules 1.2, 1.8).

    Raises:
        WireError: the bytes do not start with a frame and a head.
    """
    avro.schema_id_of(statement)
    record, _ = avro.decode_prefix(_written()[Head].schema, statement)
    return Head(**record)


def with_head(statement: bytes, head: Head) -> bytes:
    """The statement with another head; what stands behind the head stays byte for byte (rule 1.2).

    Raises:
        WireError: the bytes do not start with a frame and a head.
    """
    _, rest = avro.decode_prefix(_written()[Head].schema, statement)
    begin = len(statement) - rest
    return statement[: avro.FRAME_BYTES] + encode(head)[avro.FRAME_BYTES :] + statement[begin:]


def decode_statement(statement: bytes) -> Statement:
    """A statement, decoded whole and found canonical (rule 1.3).

    Raises:
        WireError: with code `schema-unknown`, `kind-forbidden`, `statement-unreadable` or
            `not-canonical`.
    """
    version = _named_in(statement)
    if version.cls not in STATEMENTS:
        message = f"{version.cls.__name__} is not a statement that a body may say"
        raise WireError(message, code="kind-forbidden")
    try:
        read: Statement = version.read(statement)
    except NotCanonicalError:
        raise
    except WireError as error:
        raise WireError(str(error), code="statement-unreadable") from error
    return read


@dataclass(frozen=True, slots=True)
class Version:
    """One released version of a record: its schema, what stands before each, the codec of what follows."""

    cls: type
    schema: avro.Schema
    frame: bytes
    codec: Codec

    def write(self, value: object) -> bytes:
        """Framed bytes; fields that this version does not have are left out."""
        return self.frame + self.codec.write(value)

    def read(self, data: bytes) -> Any:
        """The value in `data`, which is framed as this version.

        Raises:
            WireError: it is not whole, or `not-canonical`.
        """
        name = self.schema.name
        try:
            value, end = self.codec.read(data, avro.FRAME_BYTES)
        except NotCanonicalError as error:
            raise NotCanonicalError(f"the {name} is not in its canonical encoding: {error}") from error
        except (IndexError, OverflowError, ValueError) as error:
            raise WireError(f"not a {name}: {type(error).__name__} while decoding") from error
        if end != len(data):
            rest = len(data) - end
            raise WireError(f"{rest} bytes left over after the {name}" if rest > 0 else f"not a {name}: it ends early")
        return value


def version_of(cls: type, schema: avro.Schema) -> Version:
    """The version of `cls` that `schema` describes."""
    most_items = _MOST_ITEMS.get(cls, STATEMENT_BYTES)
    return Version(cls, schema, avro.frame(schema.id), codec(cls, json.loads(schema.text), most_items))


def _named_in(data: bytes) -> Version:
    schema_id = avro.schema_id_of(data)
    version = _released().get(schema_id)
    if version is None:
        message = f"schema id {schema_id} is not known here"
        raise WireError(message, code="schema-unknown")
    return version


@cache
def _released() -> Mapping[int, Version]:
    schemas = avro.schemas()
    return {schema_id: version_of(cls, schemas[schema_id]) for cls, ids in VERSIONS.items() for schema_id in ids}


@cache
def _written() -> Mapping[type, Version]:
    return {cls: _released()[ids[-1]] for cls, ids in VERSIONS.items()}
