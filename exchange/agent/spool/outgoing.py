"""What a body says: drafts in the order in which they were made, and what became of them."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from exchange.agent.bounds import up_to
from exchange.agent.spool.times import micros, moment
from exchange.domain.statement import Signed
from exchange.wire.records import decode, encode


class OutgoingState(StrEnum):
    """How far a draft came; see the schema."""

    DRAFT = "draft"
    SIGNED = "signed"
    TAKEN = "taken"
    REFUSED = "refused"
    VOID = "void"


class Kind(StrEnum):
    """What a draft will be."""

    LETTER = "letter"
    RECEIPT = "receipt"
    DEADLINE = "deadline"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Draft:
    """Something to be said.

    Attributes:
        key: what makes it one and the same when it is asked for again: a letter's message id, for a
            receipt a text of who makes it.
        created: when the body said it.
        record: framed `Signed` without signature; the statement's head has number 0 and no origin.
    """

    body: str
    kind: Kind
    key: str
    created: datetime
    record: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter of ours: `digest` is that of its statement, None while it has none that counts."""

    row: int
    message_id: str
    state: OutgoingState
    reason: str
    detail: str
    created: datetime
    digest: bytes | None
    record: bytes


def add(connection: sqlite3.Connection, draft: Draft) -> bool:
    """Keep a draft; False when one of the same kind and key is there already, which then stays as it is."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO outgoing (body, kind, key, created, record) VALUES (?, ?, ?, ?, ?)",
        (draft.body, draft.kind.value, draft.key, micros(draft.created), draft.record),
    )
    return cursor.rowcount == 1


def has_drafts(connection: sqlite3.Connection, body: str, count: int) -> bool:
    """Whether as many as `count` wait for a number."""
    (span,) = connection.execute(
        "SELECT (SELECT max(id) FROM outgoing WHERE body = ? AND state = 'draft')"
        " - (SELECT min(id) FROM outgoing WHERE body = ? AND state = 'draft')",
        (body, body),
    ).fetchone()
    if span is None or span + 1 < count:
        return False  # known without counting, which takes a millisecond for ten thousand
    found = connection.execute(
        "SELECT 1 FROM outgoing WHERE body = ? AND state = 'draft' LIMIT 1 OFFSET ?", (body, count - 1)
    )
    return found.fetchone() is not None


def next_drafts(connection: sqlite3.Connection, body: str, limit: int, limit_bytes: int) -> list[tuple[int, bytes]]:
    """Key and record of the oldest drafts: one, then more up to the limits.

    The order is that of their making: it decides the numbers, and a copy of the spool must come to
    the same ones.
    """
    rows = connection.execute(
        "SELECT id, record FROM outgoing WHERE body = ? AND state = 'draft' ORDER BY id LIMIT ?", (body, limit)
    )
    return list(up_to(limit_bytes, rows, lambda row: len(row[1])))


def mark_signed(connection: sqlite3.Connection, body: str, last: int) -> None:
    """The oldest drafts, up to row `last`, have numbers now."""
    connection.execute(
        "UPDATE outgoing SET state = 'signed' WHERE body = ? AND state = 'draft' AND id <= ?", (body, last)
    )


def mark_one_signed(connection: sqlite3.Connection, row: int) -> None:
    """That draft has a number now, whatever stands before it."""
    connection.execute("UPDATE outgoing SET state = 'signed' WHERE id = ? AND state = 'draft'", (row,))


def drafts_said(connection: sqlite3.Connection, body: str, limit: int, *, before: bool) -> list[tuple[int, bytes]]:
    """The oldest drafts that were refused before and are to be said again (see `say_again`), or the oldest others."""
    return connection.execute(
        "SELECT id, record FROM outgoing WHERE body = ? AND state = 'draft'"
        " AND EXISTS (SELECT 1 FROM statements WHERE outgoing = outgoing.id AND withdrawn = 0) = ? ORDER BY id LIMIT ?",
        (body, before, limit),
    ).fetchall()


def settle(connection: sqlite3.Connection, row: int, state: OutgoingState, reason: str, detail: str) -> Kind | None:
    """Write what became of a signed draft; its kind, None when that was known before: the first word holds."""
    settled = connection.execute(
        "UPDATE outgoing SET state = ?, reason = ?, detail = ? WHERE id = ? AND state = 'signed' RETURNING kind",
        (state.value, reason, detail, row),
    ).fetchall()
    return Kind(settled[0][0]) if settled else None


def lighten(connection: sqlite3.Connection, row: int) -> None:
    """Forget what a draft carries beside its statement: the journal has it."""
    (record,) = connection.execute("SELECT record FROM outgoing WHERE id = ?", (row,)).fetchone()
    bare = replace(decode(Signed, record), contents=())
    connection.execute("UPDATE outgoing SET record = ? WHERE id = ?", (encode(bare), row))


@dataclass(frozen=True, slots=True)
class Word:
    """What became of a draft that is known by its key; `digest` is that of its statement, None before it has one."""

    key: str
    state: OutgoingState
    reason: str
    detail: str
    digest: bytes | None


def words(connection: sqlite3.Connection, body: str, keys: Sequence[str]) -> list[Word]:
    """What became of drafts of any kind by their keys; of those that there are."""
    rows = connection.execute(
        "SELECT key, state, reason, detail,"
        " (SELECT digest FROM statements WHERE outgoing = outgoing.id AND withdrawn = 0 ORDER BY id DESC LIMIT 1)"
        " FROM outgoing WHERE body = ? AND kind IN ('deadline', 'command')"
        " AND key IN (SELECT value FROM json_each(?))",
        (body, json.dumps(list(keys))),
    )
    return [Word(key, OutgoingState(state), *rest) for key, state, *rest in rows]


def say_again(connection: sqlite3.Connection, row: int, created: datetime, record: bytes) -> None:
    """Make a signed draft one to be signed again, in other words than those that were refused."""
    connection.execute(
        "UPDATE outgoing SET state = 'draft', created = ?, record = ? WHERE id = ? AND state = 'signed'",
        (micros(created), record, row),
    )


def said_last(connection: sqlite3.Connection, row: int) -> bytes | None:
    """Digest of the statement that said a draft last: what is heard of an earlier one is no news of it."""
    found = connection.execute(
        "SELECT digest FROM statements WHERE outgoing = ? AND withdrawn = 0 ORDER BY id DESC LIMIT 1", (row,)
    ).fetchone()
    return None if found is None else bytes(found[0])


def record_of(connection: sqlite3.Connection, row: int) -> tuple[Kind, bytes]:
    """Kind and record of a draft."""
    kind, record = connection.execute("SELECT kind, record FROM outgoing WHERE id = ?", (row,)).fetchone()
    return Kind(kind), record


_SENT = (
    "SELECT o.id, o.key, o.state, o.reason, o.detail, o.created,"
    " (SELECT digest FROM statements WHERE outgoing = o.id AND withdrawn = 0 ORDER BY id DESC LIMIT 1), o.record"
    " FROM outgoing o WHERE o.body = ? AND o.kind = 'letter'"
)


def sent_letters(connection: sqlite3.Connection, body: str, limit: int) -> Iterator[Sent]:
    """The body's last letters, newest first; one after the other, for they have up to a megabyte each."""
    return map(_sent, connection.execute(f"{_SENT} ORDER BY o.id DESC LIMIT ?", (body, limit)))


def sent_letter(connection: sqlite3.Connection, body: str, message_id: str) -> Sent | None:
    """The body's letter with that message id."""
    row = connection.execute(f"{_SENT} AND o.key = ?", (body, message_id)).fetchone()
    return None if row is None else _sent(row)


def letter_said(connection: sqlite3.Connection, body: str, digest: bytes) -> int | None:
    """The row of our letter that was said by statement `digest`, also by one that we withdrew."""
    row = connection.execute(
        "SELECT o.id FROM statements s JOIN outgoing o ON o.id = s.outgoing"
        " WHERE s.digest = ? AND o.body = ? AND o.kind = 'letter'",
        (digest, body),
    ).fetchone()
    return None if row is None else int(row[0])


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a body has said and the exchange has not confirmed; `oldest` of them, None without any."""

    drafts: int
    unproven: int
    oldest: datetime | None


def backlogs(connection: sqlite3.Connection) -> dict[str, Backlog]:
    """By body; bodies with nothing to wait for are left out."""
    rows = connection.execute(
        "SELECT body, sum(state = 'draft'), sum(state = 'signed'), min(created) FROM outgoing"
        " WHERE state IN ('draft', 'signed') GROUP BY body"
    )
    return {body: Backlog(drafts, signed, moment(oldest)) for body, drafts, signed, oldest in rows}


def take_input(connection: sqlite3.Connection, body: str, digest: bytes) -> bool:
    """Note that an EDMS package was taken in; False when it was before."""
    cursor = connection.execute("INSERT OR IGNORE INTO inputs (body, digest) VALUES (?, ?)", (body, digest))
    return cursor.rowcount == 1


def _sent(row: tuple[int, str, str, str, str, int, bytes | None, bytes]) -> Sent:
    key, message_id, state, reason, detail, created, digest, record = row
    return Sent(key, message_id, OutgoingState(state), reason, detail, moment(created), digest, record)
