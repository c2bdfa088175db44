"""The numbered chain of each body (rules 2.1 to 2.5): origins and their statements."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.agent.bounds import up_to
from exchange.agent.spool.times import micros, moment
from exchange.domain.ids import digest
from exchange.domain.statement import Predecessor


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an origin stands; `row` is its key in the spool.

    Attributes:
        created: when it was drawn, UTC; its open says so too.
        current: False once it was left for another.
        signed: last number signed, with the digest of that statement; 0 and zeros before the open.
        taken: last number proven taken.
    """

    row: int
    body: str
    origin: bytes
    created: datetime
    current: bool
    signed: int
    signed_digest: bytes
    taken: int


@dataclass(frozen=True, slots=True)
class Unproven:
    """A statement to be sent, with what travels beside it; `record` is empty for open and void."""

    number: int
    statement: bytes
    signature: bytes
    record: bytes


_COLUMNS = "id, body, origin, created, state, signed_number, signed_digest, taken_number"


def enrol(connection: sqlite3.Connection, body: str, fresh: bytes, now: datetime) -> Origin:
    """The current origin of `body`; `fresh` becomes it when the spool meets the body for the first time.

    The origin is drawn before anything is drafted, so a copy of the spool numbers what it holds in
    the same way and finds it taken instead of saying it twice.
    """
    connection.execute("INSERT OR IGNORE INTO inboxes (body) VALUES (?)", (body,))
    connection.execute(
        "INSERT OR IGNORE INTO origins (body, origin, created, state) VALUES (?, ?, ?, 'current')",
        (body, fresh, micros(now)),
    )
    return current(connection, body)


def current(connection: sqlite3.Connection, body: str) -> Origin:
    """The origin that `body` speaks under; the body must be enrolled."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM origins WHERE body = ? AND state = 'current'",  # noqa: S608 - a constant
        (body,),
    ).fetchone()
    return _origin(row)


def speaking(connection: sqlite3.Connection) -> set[str]:
    """Bodies with something to say: a draft, or what is not proven taken, the open too.

    One question for all bodies of a gateway, most of which are silent. The drafts' bodies are walked along
    their index, one step for each body however many drafts it has.
    """
    rows = connection.execute(
        "WITH RECURSIVE drafting (body) AS ("
        " SELECT min(body) FROM outgoing WHERE state = 'draft' UNION ALL"
        " SELECT (SELECT min(body) FROM outgoing WHERE state = 'draft' AND body > drafting.body)"
        " FROM drafting WHERE body IS NOT NULL)"
        " SELECT body FROM drafting WHERE body IS NOT NULL UNION"
        " SELECT body FROM origins WHERE state = 'current' AND (signed_number = 0 OR taken_number < signed_number)"
    )
    return {body for (body,) in rows}


def find(connection: sqlite3.Connection, body: str, origin: bytes) -> Origin | None:
    """One of the body's origins in this spool, left ones too."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM origins WHERE body = ? AND origin = ?",  # noqa: S608 - a constant
        (body, origin),
    ).fetchone()
    return None if row is None else _origin(row)


def hear(connection: sqlite3.Connection, origin: Origin, number: int, said: bytes) -> None:
    """Keep the router's last word about an origin, also about one that was left."""
    connection.execute("UPDATE origins SET heard_number = ?, heard_digest = ? WHERE id = ?", (number, said, origin.row))


def heard(connection: sqlite3.Connection, origin: Origin) -> tuple[int, bytes]:
    """The router's last word about an origin that was kept: number and digest; 0 and zeros before any."""
    row: tuple[int, bytes] = connection.execute(
        "SELECT heard_number, heard_digest FROM origins WHERE id = ?", (origin.row,)
    ).fetchone()
    return row


def again(connection: sqlite3.Connection, origin: Origin) -> Origin:
    """The origin as it stands now."""
    query = f"SELECT {_COLUMNS} FROM origins WHERE id = ?"  # noqa: S608 - a constant
    return _origin(connection.execute(query, (origin.row,)).fetchone())


def stand(connection: sqlite3.Connection, origin: Origin, number: int) -> None:
    """The exchange has our chain up to `number`."""
    connection.execute("UPDATE origins SET taken_number = ? WHERE id = ?", (number, origin.row))


def leave(connection: sqlite3.Connection, origin: Origin, fresh: bytes, now: datetime, *, continued: bool) -> None:
    """Close the current origin for ourselves and make `fresh` the current one."""
    state = "abandoned" if continued else "closed"
    connection.execute("UPDATE origins SET state = ? WHERE id = ?", (state, origin.row))
    connection.execute(
        "INSERT INTO origins (body, origin, created, state) VALUES (?, ?, ?, 'current')",
        (origin.body, fresh, micros(now)),
    )


def predecessor(connection: sqlite3.Connection, origin: Origin) -> Predecessor | None:
    """What the open of `origin` names: the origin left just before, where the router last saw it."""
    row = connection.execute(
        "SELECT origin, heard_number, heard_digest, state FROM origins"
        " WHERE body = ? AND id < ? ORDER BY id DESC LIMIT 1",
        (origin.body, origin.row),
    ).fetchone()
    if row is None or row[3] != "abandoned" or row[1] == 0:
        return None
    return Predecessor(row[0], row[1], row[2])


def append(
    connection: sqlite3.Connection, origin: Origin, statement: bytes, signature: bytes, outgoing: int | None
) -> Origin:
    """Keep the next statement of the chain; the origin as it stands then, still to be saved."""
    number, said = origin.signed + 1, digest(statement)
    connection.execute(
        "INSERT INTO statements (origin, number, digest, statement, signature, outgoing) VALUES (?, ?, ?, ?, ?, ?)",
        (origin.row, number, said, statement, signature, outgoing),
    )
    return replace(origin, signed=number, signed_digest=said)


def save(connection: sqlite3.Connection, origin: Origin) -> None:
    """Write how far the chain is signed, once for all statements appended in this transaction."""
    connection.execute(
        "UPDATE origins SET signed_number = ?, signed_digest = ? WHERE id = ?",
        (origin.signed, origin.signed_digest, origin.row),
    )


def digests(connection: sqlite3.Connection, origin: Origin, numbers: Sequence[int]) -> dict[int, bytes]:
    """Own statement digests of the numbers between the first and the last of `numbers`."""
    rows = connection.execute(
        "SELECT number, digest FROM statements WHERE origin = ? AND number BETWEEN ? AND ? AND withdrawn = 0",
        (origin.row, min(numbers), max(numbers)),
    )
    return dict(rows.fetchall())


def unproven(
    connection: sqlite3.Connection, origin: Origin, first: int, limit: int, limit_bytes: int
) -> list[Unproven]:
    """Statements from number `first` on, in order; at least one if there is one, then up to the limits."""
    rows = connection.execute(
        "SELECT number, statement, signature, coalesce(record, x'') FROM statements"
        " LEFT JOIN outgoing ON outgoing.id = statements.outgoing"
        " WHERE origin = ? AND number >= ? AND withdrawn = 0 ORDER BY number LIMIT ?",
        (origin.row, first, limit),
    )
    return list(up_to(limit_bytes, (Unproven(*row) for row in rows), lambda unproven: len(unproven.record)))


def statements(connection: sqlite3.Connection, origin: Origin, first: int) -> list[tuple[int, bytes, bytes]]:
    """Key, bytes and signature of the statements from number `first` on."""
    return connection.execute(
        "SELECT id, statement, signature FROM statements WHERE origin = ? AND number >= ? AND withdrawn = 0",
        (origin.row, first),
    ).fetchall()


def resign(connection: sqlite3.Connection, signatures: Sequence[tuple[bytes, int]]) -> None:
    """Replace signatures: (signature, key of the statement)."""
    connection.executemany("UPDATE statements SET signature = ? WHERE id = ?", signatures)


def withdraw(connection: sqlite3.Connection, origin: Origin, number: int) -> Origin:
    """Take back the statements from `number` on, which were never taken; what they carried is a draft again."""
    connection.execute(
        "UPDATE outgoing SET state = 'draft' WHERE state = 'signed' AND id IN"
        " (SELECT outgoing FROM statements WHERE origin = ? AND number >= ? AND withdrawn = 0)",
        (origin.row, number),
    )
    connection.execute(
        "UPDATE statements SET withdrawn = 1 WHERE origin = ? AND number >= ? AND withdrawn = 0",
        (origin.row, number),
    )
    connection.execute(
        "UPDATE origins SET signed_number = ?, signed_digest ="
        " coalesce((SELECT digest FROM statements WHERE origin = origins.id AND number = ? AND withdrawn = 0),"
        " zeroblob(32)) WHERE id = ?",
        (number - 1, number - 1, origin.row),
    )
    return current(connection, origin.body)


def statement_at(connection: sqlite3.Connection, origin: Origin, number: int) -> tuple[bytes, int | None]:
    """Digest of our statement `number`, and the row of `outgoing` that it carries."""
    row: tuple[bytes, int | None] = connection.execute(
        "SELECT digest, outgoing FROM statements WHERE origin = ? AND number = ? AND withdrawn = 0",
        (origin.row, number),
    ).fetchone()
    return row


def _origin(row: tuple[int, str, bytes, int, str, int, bytes, int]) -> Origin:
    key, body, origin, created, state, signed, signed_digest, taken = row
    return Origin(key, body, origin, moment(created), state == "current", signed, signed_digest, taken)
