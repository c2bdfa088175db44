"""From bytes of the exchange to what the checker compares: decoding, and nothing else of the product."""

from exchange.bus.records import Record
from exchange.domain.card import ReceiptCard
from exchange.domain.decision import Basis, Decided, Journalled, Notice, Tick
from exchange.domain.errors import WireError
from exchange.domain.ids import digest
from exchange.domain.statement import Command, Content, Head, Letter, Receipt
from exchange.wire.records import decode, encode, kind_of, read_head
from tests.checker.observations import Entry, InboxRecord, LetterWords, ReceiptWords, Said


def read_entry(record: Record) -> Entry:
    """A record of the journal."""
    value = record.value or b""
    journalled = decode(Journalled, value)
    entry = journalled.entry
    kind = kind_of(entry)
    if kind is Basis:
        place, said = decode(Basis, entry).place, None
    elif kind is Tick:
        place, said = decode(Tick, entry).place, None
    else:
        decided = decode(Decided, entry)
        place, said = decided.decision.place, _said(decided, journalled.contents)
    return Entry(
        partition=record.partition,
        offset=record.offset,
        lane=place.lane,
        number=place.number,
        previous=place.previous,
        digest=digest(entry),
        value=digest(value),
        said=said,
        is_tick=kind is Tick,
    )


def read_inbox_record(record: Record) -> InboxRecord:
    """A record of an inbox."""
    value = record.value or b""
    if kind_of(value) is Notice:
        return InboxRecord(record.offset, digest(value), decode(Notice, value))
    return InboxRecord(record.offset, digest(_as_journalled(value)))


def _as_journalled(value: bytes) -> bytes:
    """The journal's record of what stands in an inbox: the same bytes; what a redrive carries only the inbox has."""
    entry = decode(Journalled, value).entry
    if kind_of(entry) is not Decided or kind_of(decode(Decided, entry).statement) is not Command:
        return value
    return encode(Journalled(entry, ()))


def read_statement(statement: bytes, contents: tuple[Content, ...]) -> tuple[Head, LetterWords | ReceiptWords | None]:
    """Head of a statement, and what it says as far as it can be read: a refused one may be anything."""
    try:
        kind = kind_of(statement)
    except WireError:
        return read_head(statement), None
    if kind is Receipt:
        return _receipt(statement, contents)
    return _letter(statement) if kind is Letter else (read_head(statement), None)


def _letter(statement: bytes) -> tuple[Head, LetterWords]:
    try:
        letter = decode(Letter, statement)
    except WireError:
        return read_head(statement), LetterWords("", ())
    return letter.head, LetterWords(
        letter.message_id, (letter.group.expression,) if letter.group else letter.recipients
    )


def _receipt(statement: bytes, contents: tuple[Content, ...]) -> tuple[Head, ReceiptWords | None]:
    try:
        receipt = decode(Receipt, statement)
    except WireError:
        return read_head(statement), None
    return receipt.head, ReceiptWords(receipt.letter, receipt.sender, receipt.event, _number(contents))


def _number(contents: tuple[Content, ...]) -> str:
    """Registration number on a receipt's card."""
    try:
        return decode(ReceiptCard, contents[0].data).reg_number if contents else ""
    except WireError:
        return ""


def _said(decided: Decided, contents: tuple[Content, ...]) -> Said:
    decision, statement = decided.decision, decided.statement
    head, words = read_statement(statement, contents)
    copies = () if decision.reason else decision.recipients
    return Said(digest(statement), head, decision.offset, decision.reason, copies, words)
