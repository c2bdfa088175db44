"""What an entry of the log is about, read out of its own bytes."""

from exchange.domain.decision import Decided
from exchange.domain.errors import WireError
from exchange.domain.ids import digest
from exchange.domain.statement import concerned
from exchange.wire.records import decode, decode_statement, kind_of


def letter_of(entry: bytes) -> bytes | None:
    """Digest of the letter that a decision is about, else of its own statement; None of any other entry.

    Raises:
        WireError: it is no entry.
    """
    if kind_of(entry) is not Decided:
        return None
    statement = decode(Decided, entry).statement
    try:
        return concerned(decode_statement(statement), digest(statement))
    except WireError:
        return digest(statement)


def is_about(entry: bytes, letter: bytes) -> bool:
    """Whether an entry, which may be any bytes, is about a letter."""
    try:
        return letter_of(entry) == letter
    except WireError:
        return False
