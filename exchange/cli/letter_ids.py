"""Which letter a text on the command line means."""

from datetime import datetime

from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import DIGEST_BYTES
from exchange.store import queries
from exchange.store.database import Store


def letter_digest(text: str, store: str) -> bytes:
    """A whole digest needs no tracker; a beginning is looked up there, if there is one.

    Raises:
        ConfigurationError: `letter-unknown`, `letter-ambiguous`.
    """
    if len(text) == 2 * DIGEST_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    if not store:
        message = f"'{text}' is no whole id, and no tracker is named that knows it: give all 64 hexadecimal digits"
        raise ConfigurationError(message, code="letter-unknown")
    with Store(store) as opened, opened.reading() as connection:
        found = queries.find(connection, text)
    if len(found) != 1:
        message = f"'{text}' names {len(found)} letters: give the whole id, 64 hexadecimal digits"
        raise ConfigurationError(message, code="letter-ambiguous" if found else "letter-unknown")
    return found[0].digest


def instant(text: str, option: str) -> datetime:
    """A time on the command line, with its zone.

    Raises:
        ConfigurationError: `instant-invalid`.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901  # no time at all: it has no zone either
    if at.tzinfo is None:
        message = f"{option} {text[:40]!r} is no time with its zone: write it as 2026-11-23T14:00:00+06:00"
        raise ConfigurationError(message, code="instant-invalid")
    return at
