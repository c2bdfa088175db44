"""What the transparency log proves of our origins (rules 2.6, 3.5), and what it has that is not ours."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from exchange.agent.spool.times import micros
from exchange.domain.statement import Signed
from exchange.wire.records import decode, encode, read_head

KEPT = timedelta(days=35)
"""From when a statement was signed: longer than inboxes keep what was delivered (rule 2.6)."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An entry of the log with another statement than ours at a number that was taken.

    Attributes:
        entry: of the journal.
        proof: its `exchange-proof/v1` up to a witnessed checkpoint.
    """

    body: str
    origin: bytes
    number: int
    entry: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a body stands to the log.

    Attributes:
        behind: numbers of its current origin that are taken, and that no witnessed checkpoint covers yet.
        oldest: when the first of these was signed; None when there are none.
        contradictions: numbers at which the log has another statement.
    """

    behind: int = 0
    oldest: datetime | None = None
    contradictions: int = 0


def owners(connection: sqlite3.Connection, origins: Iterable[bytes]) -> dict[bytes, str]:
    """Whose origins these are, of those that this spool has, left ones too."""
    found = {}
    for origin in origins:
        row = connection.execute("SELECT body FROM origins WHERE origin = ?", (origin,)).fetchone()
        if row is not None:
            found[origin] = row[0]
    return found


def cover(connection: sqlite3.Connection, body: str, origin: bytes, number: int) -> None:
    """A witnessed checkpoint covers an origin up to `number`; an older one changes nothing."""
    connection.execute(
        "UPDATE origins SET witnessed_number = ? WHERE body = ? AND origin = ? AND witnessed_number < ?",
        (number, body, origin, number),
    )


def keep(connection: sqlite3.Connection, found: Contradiction, now: datetime) -> bool:
    """Keep a proof against the exchange; whether it is the first at that number."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO contradictions (body, origin, number, received, entry, proof) VALUES (?, ?, ?, ?, ?, ?)",
        (found.body, found.origin, found.number, micros(now), found.entry, found.proof),
    )
    return cursor.rowcount == 1


def release(connection: sqlite3.Connection, now: datetime, limit: int) -> int:
    """Forget the files of what is covered and old enough (rule 2.6); of at most so many statements, and of how many.

    Statement, signature and card stay: receipts that come later are about them.
    """
    released = 0
    origins = connection.execute(
        "SELECT id, released_number, witnessed_number FROM origins WHERE released_number < witnessed_number"
    ).fetchall()
    for origin, first, last in origins:
        rows = connection.execute(
            "SELECT number, statement, outgoing FROM statements"
            " WHERE origin = ? AND number > ? AND number <= ? AND withdrawn = 0 ORDER BY number LIMIT ?",
            (origin, first, last, limit - released),
        ).fetchall()
        for number, statement, outgoing in rows:
            if now - read_head(statement).created < KEPT:
                break
            if outgoing is not None:
                _keep_card_only(connection, outgoing)
            connection.execute("UPDATE origins SET released_number = ? WHERE id = ?", (number, origin))
            released += 1
    return released


def _keep_card_only(connection: sqlite3.Connection, row: int) -> None:
    (record,) = connection.execute("SELECT record FROM outgoing WHERE id = ?", (row,)).fetchone()
    signed = decode(Signed, record)
    if len(signed.contents) > 1:
        bare = encode(replace(signed, contents=signed.contents[:1]))
        connection.execute("UPDATE outgoing SET record = ? WHERE id = ?", (bare, row))


def coverage(connection: sqlite3.Connection) -> dict[str, Coverage]:
    """By body."""
    rows = connection.execute(
        "SELECT body, max(0, taken_number - witnessed_number),"
        " (SELECT statement FROM statements WHERE origin = origins.id AND number = witnessed_number + 1"
        "  AND number <= taken_number AND withdrawn = 0),"
        " (SELECT count(*) FROM contradictions WHERE contradictions.body = origins.body)"
        " FROM origins WHERE state = 'current'"
    )
    return {
        body: Coverage(behind, None if first is None else read_head(first).created, against)
        for body, behind, first, against in rows
    }
