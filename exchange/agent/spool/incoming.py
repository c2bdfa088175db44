"""What arrived for a body, how far it was handed over, and how far the inbox was read."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.agent.bounds import up_to
from exchange.agent.spool.times import micros, moment


class ArrivalKind(StrEnum):
    """What came in; rejection, deadline and command are the exchange's own word."""

    LETTER = "letter"
    RECEIPT = "receipt"
    REJECTION = "rejection"
    DEADLINE = "deadline"
    COMMAND = "command"


class ArrivalState(StrEnum):
    """How far an arrival was handed over; see the schema."""

    RECEIVED = "received"
    STAGED = "staged"
    HANDED = "handed"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Arrived:
    """An arrival to be kept; `outgoing` is our letter that a receipt, rejection or deadline is about.

    `command` is the digest of the command that brought a letter which had not come, or was lost.
    """

    body: str
    kind: ArrivalKind
    digest: bytes
    sender: str
    received: datetime
    record: bytes
    reason: str = ""
    detail: str = ""
    message_id: str = ""
    document_id: str = ""
    reg_number: str = ""
    outgoing: int | None = None
    state: ArrivalState = ArrivalState.RECEIVED
    command: bytes = b""


@dataclass(frozen=True, slots=True)
class Kept:
    """An arrival in the spool.

    Attributes:
        command: digest of the command on whose word a letter is handed over again; else empty.
        about: the record of our letter that a receipt, rejection or deadline concerns.
    """

    row: int
    body: str
    kind: ArrivalKind
    digest: bytes
    sender: str
    received: datetime
    state: ArrivalState
    reason: str
    detail: str
    attempts: int
    outgoing: int | None
    record: bytes
    command: bytes
    about: bytes


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """The last record taken from an inbox: its offset and SHA-256, and where to read on; None: just behind it."""

    offset: int
    digest: bytes
    reached: int | None


def positions(connection: sqlite3.Connection, bodies: Sequence[str]) -> dict[str, InboxPosition | None]:
    """How far the inboxes were read; None: nothing yet."""
    found = {
        body: InboxPosition(offset, digest, reached)
        for body, offset, digest, reached in connection.execute('SELECT body, "offset", digest, reached FROM inboxes')
        if offset is not None
    }
    return {body: found.get(body) for body in bodies}


def move(connection: sqlite3.Connection, body: str, offset: int, digest: bytes) -> None:
    """The record at `offset` is dealt with: call in the transaction that keeps what it brought."""
    connection.execute('UPDATE inboxes SET "offset" = ?, digest = ? WHERE body = ?', (offset, digest, body))


def reach(connection: sqlite3.Connection, body: str, reached: int) -> None:
    """Everything before `reached` is dealt with, offsets without a record too."""
    connection.execute("UPDATE inboxes SET reached = ? WHERE body = ?", (reached, body))


def keep(connection: sqlite3.Connection, arrived: Arrived) -> bool:
    """Keep an arrival; False when it was there before: nothing is handed over twice."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO incoming (body, kind, digest, sender, received, reason, detail, message_id,"
        " document_id, reg_number, outgoing, record, state, command)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            arrived.body,
            arrived.kind.value,
            arrived.digest,
            arrived.sender,
            micros(arrived.received),
            arrived.reason,
            arrived.detail,
            arrived.message_id,
            arrived.document_id,
            arrived.reg_number,
            arrived.outgoing,
            arrived.record,
            arrived.state.value,
            arrived.command,
        ),
    )
    return cursor.rowcount == 1


def hand_over_again(connection: sqlite3.Connection, body: str, letter: bytes, command: bytes) -> bool:
    """A command says that a letter is to be handed over again; False when it is not here.

    It goes to the end of all that arrived: programs that read letters from a cursor on see it once more.
    """
    cursor = connection.execute(
        "UPDATE incoming SET id = (SELECT max(id) + 1 FROM incoming), state = 'received', reason = '', detail = '',"
        " attempts = 0, next_try = 0, command = ? WHERE body = ? AND kind = 'letter' AND digest = ?",
        (command, body, letter),
    )
    return cursor.rowcount == 1


@dataclass(frozen=True, slots=True)
class Flagged:
    """A record that failed verification: `code` and `detail` say how, `head` is how it begins.

    The whole of it is in the journal. A stranger decides how much there is of it, so it is not kept here.
    """

    body: str
    offset: int
    code: str
    detail: str
    received: datetime
    head: bytes


def flag(connection: sqlite3.Connection, flagged: Flagged) -> None:
    """Keep what failed verification, for people to look at."""
    connection.execute(
        'INSERT INTO flagged (body, "offset", code, detail, received, record) VALUES (?, ?, ?, ?, ?, ?)',
        (flagged.body, flagged.offset, flagged.code, flagged.detail, micros(flagged.received), flagged.head),
    )


_KEPT = (
    "SELECT id, body, kind, digest, sender, received, state, reason, detail, attempts, outgoing, record,"
    " command, coalesce((SELECT record FROM outgoing WHERE outgoing.id = incoming.outgoing), x'') FROM incoming"
)


def to_hand_over(
    connection: sqlite3.Connection, body: str, now: datetime, limit: int, limit_bytes: int, longest: timedelta
) -> list[Kept]:
    """The oldest arrivals that the EDMS has not got and whose time has come: one, then more up to the limits.

    Nothing is put off for longer than `longest`: what is, was put off by a clock that was ahead.
    """
    rows = connection.execute(
        f"{_KEPT} WHERE body = ? AND state IN ('received', 'staged') AND (next_try <= ? OR next_try > ?)"
        " ORDER BY id LIMIT ?",
        (body, micros(now), micros(now + longest), limit),
    )
    return list(up_to(limit_bytes, map(_kept, rows), _size))


def letters(connection: sqlite3.Connection, body: str, limit: int) -> list[Kept]:
    """The last letters that arrived, newest first."""
    rows = connection.execute(f"{_KEPT} WHERE body = ? AND kind = 'letter' ORDER BY id DESC LIMIT ?", (body, limit))
    return [_kept(row) for row in rows]


def letters_after(connection: sqlite3.Connection, body: str, row: int, limit: int, limit_bytes: int) -> list[Kept]:
    """The first letters that arrived after the one in `row`, in their order: one, then more up to the limits."""
    rows = connection.execute(
        f"{_KEPT} WHERE body = ? AND kind = 'letter' AND id > ? ORDER BY id LIMIT ?", (body, row, limit)
    )
    return list(up_to(limit_bytes, map(_kept, rows), _size))


def words_after(connection: sqlite3.Connection, body: str, row: int, limit: int, limit_bytes: int) -> list[Kept]:
    """The first words about our letters that arrived after the one in `row`, as `letters_after` gives letters."""
    some = "SELECT id FROM (SELECT id FROM incoming WHERE body = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?)"
    ours = some.replace("id > ?", "id > ? AND outgoing IS NOT NULL")  # a deadline may concern a letter to us
    each = ((body, kind, row, limit) for kind in (ArrivalKind.RECEIPT, ArrivalKind.REJECTION, ArrivalKind.DEADLINE))
    rows = connection.execute(
        f"{some} UNION ALL {some} UNION ALL {ours} ORDER BY id LIMIT ?",
        (*(value for values in each for value in values), limit),
    ).fetchall()
    return list(up_to(limit_bytes, (arrival_at(connection, found) for (found,) in rows), _size))


def _size(kept: Kept) -> int:
    return len(kept.record) + len(kept.about)


def letter(connection: sqlite3.Connection, body: str, digest: bytes) -> Kept | None:
    """An arrived letter by its digest."""
    row = connection.execute(f"{_KEPT} WHERE body = ? AND kind = 'letter' AND digest = ?", (body, digest)).fetchone()
    return None if row is None else _kept(row)


@dataclass(frozen=True, slots=True)
class Named:
    """A letter found by its ids, without its record: there may be thousands, of half a megabyte each."""

    row: int
    sender: str


def letters_with(connection: sqlite3.Connection, body: str, **named: str) -> list[Named]:
    """Letters that bear all the given ids, newest first.

    Args:
        connection: inside a transaction.
        body: whose letters.
        named: of `message_id`, `document_id`, `reg_number` (at their sender), `own_reg_number` (here).
    """
    wanted = {name: named[name] for name in _IDS if named.get(name)}
    if not wanted:
        return []
    where = "".join(f" AND {name} <> '' AND {name} = ?" for name in wanted)
    rows = connection.execute(
        f"SELECT id, sender FROM incoming WHERE body = ? AND kind = 'letter'{where} ORDER BY id DESC",  # noqa: S608
        (body, *wanted.values()),
    )
    return [Named(*row) for row in rows]


_IDS = ("message_id", "document_id", "reg_number", "own_reg_number")


def arrival_at(connection: sqlite3.Connection, row: int) -> Kept:
    """The arrival of that row, which is there."""
    return _kept(connection.execute(f"{_KEPT} WHERE id = ?", (row,)).fetchone())


def register(connection: sqlite3.Connection, row: int, reg_number: str) -> None:
    """The EDMS registered the letter under this number."""
    connection.execute("UPDATE incoming SET own_reg_number = ? WHERE id = ?", (reg_number, row))


def receipts_about(connection: sqlite3.Connection, outgoing: int, limit: int) -> Iterator[Kept]:
    """The last receipts about one of our letters, and deadlines that passed, in the order of arrival.

    One after the other: a recipient may send any number, of half a megabyte each.
    """
    rows = connection.execute(
        "SELECT id FROM incoming WHERE outgoing = ? AND kind IN ('receipt', 'deadline') ORDER BY id DESC LIMIT ?",
        (outgoing, limit),
    ).fetchall()
    return (arrival_at(connection, row) for (row,) in reversed(rows))


def receipts_after(connection: sqlite3.Connection, outgoing: int, row: int, limit: int) -> Iterator[Kept]:
    """The first words about one of our letters that came after the one in `row`, as `receipts_about` gives them."""
    rows = connection.execute(
        "SELECT id FROM incoming WHERE outgoing = ? AND kind IN ('receipt', 'deadline') AND id > ? ORDER BY id LIMIT ?",
        (outgoing, row, limit),
    ).fetchall()
    return (arrival_at(connection, found) for (found,) in rows)


def mark(connection: sqlite3.Connection, row: int, state: ArrivalState, reason: str = "", detail: str = "") -> None:
    """Write how far the hand-over came; a rejection keeps its own reason."""
    connection.execute(
        "UPDATE incoming SET state = ?, reason = iif(kind = 'rejection', reason, ?),"
        " detail = iif(kind = 'rejection', detail, ?) WHERE id = ?",
        (state.value, reason, detail, row),
    )


def postpone(connection: sqlite3.Connection, row: int, until: datetime, reason: str, detail: str) -> None:
    """The EDMS could not take it now: try again at `until`."""
    connection.execute(
        "UPDATE incoming SET attempts = attempts + 1, next_try = ?, reason = iif(kind = 'rejection', reason, ?),"
        " detail = iif(kind = 'rejection', detail, ?) WHERE id = ?",
        (micros(until), reason, detail, row),
    )


COUNTED = 10_000
"""Arrivals that wait are counted up to here: a document system may be away for a month."""


def waiting(connection: sqlite3.Connection, bodies: Collection[str]) -> dict[str, tuple[int, datetime]]:
    """By body, those with none left out: how many arrivals the EDMS has not got, and since when the oldest waits."""
    found = {}
    for body in bodies:
        oldest = connection.execute(
            "SELECT received FROM incoming WHERE body = ? AND state IN ('received', 'staged') ORDER BY id LIMIT 1",
            (body,),
        ).fetchone()
        if oldest is not None:
            (count,) = connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM incoming WHERE body = ? AND state IN ('received', 'staged')"
                " LIMIT ?)",
                (body, COUNTED),
            ).fetchone()
            found[body] = count, moment(oldest[0])
    return found


def _kept(row: tuple[int, str, str, bytes, str, int, str, str, str, int, int | None, bytes, bytes, bytes]) -> Kept:
    key, body, kind, digest, sender, received, state, reason, detail, attempts, outgoing, record, command, about = row
    return Kept(
        key,
        body,
        ArrivalKind(kind),
        digest,
        sender,
        moment(received),
        ArrivalState(state),
        reason,
        detail,
        attempts,
        outgoing,
        record,
        command,
        about,
    )
