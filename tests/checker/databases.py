"""Reads what agents and trackers keep in their databases, by their tables and not by the product's questions."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from exchange.bus.records import Position
from exchange.bus.topics import JOURNAL
from exchange.domain.ids import digest
from exchange.domain.statement import Signed
from exchange.store.database import Store
from exchange.wire.records import decode
from tests.checker.observations import (
    Incoming,
    Numbered,
    Outgoing,
    SpoolOrigin,
    SpoolSeen,
    TrackerSeen,
)
from tests.checker.records import read_statement

BUSY_SECONDS = 60.0


def read_spool(path: Path, body: str) -> SpoolSeen:
    """One body's part of a spool's SQLite file, in one state, also while its agent runs."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)) as connection:
        connection.execute("BEGIN")
        query = 'SELECT "offset", digest, coalesce(reached, 0) FROM inboxes WHERE body = ?'
        offset, said, reached = connection.execute(query, (body,)).fetchone() or (None, b"", 0)
        return SpoolSeen(
            position=None if offset is None else Position(offset, said),
            next=reached,
            origins=tuple(_origins(connection, body)),
            outgoing=tuple(_outgoing(connection, body)),
            incoming=tuple(
                Incoming(kind, said, digest(record))
                for kind, said, record in connection.execute(
                    "SELECT kind, digest, record FROM incoming WHERE body = ? ORDER BY id", (body,)
                )
            ),
            flagged=frozenset(
                offset for (offset,) in connection.execute('SELECT "offset" FROM flagged WHERE body = ?', (body,))
            ),
        )


def _origins(connection: sqlite3.Connection, body: str) -> Iterator[SpoolOrigin]:
    rows = connection.execute(
        "SELECT id, origin, state, taken_number FROM origins WHERE body = ? ORDER BY id", (body,)
    ).fetchall()
    for row, origin, state, taken in rows:
        statements = connection.execute(
            "SELECT number, digest, outgoing, withdrawn FROM statements WHERE origin = ? ORDER BY number, id", (row,)
        )
        numbered = tuple(
            Numbered(number, said, outgoing, bool(withdrawn)) for number, said, outgoing, withdrawn in statements
        )
        yield SpoolOrigin(origin, state == "current", taken, numbered)


def _outgoing(connection: sqlite3.Connection, body: str) -> Iterator[Outgoing]:
    rows = connection.execute("SELECT id, state, reason, record FROM outgoing WHERE body = ? ORDER BY id", (body,))
    for row, state, reason, record in rows:
        draft = decode(Signed, record)
        _, words = read_statement(draft.statement, draft.contents)
        assert words is not None, f"a draft of {body} that says nothing"
        yield Outgoing(row, state, reason, words)


def read_tracker(url: str) -> TrackerSeen:
    """A tracker's rows, in one state; `url` as in its configuration."""
    with Store(url) as store, store.reading() as connection:
        positions = connection.execute(
            sa.text("SELECT partition, position, digest FROM positions WHERE topic = :topic"), {"topic": JOURNAL}
        )
        reached = {partition: Position(offset, bytes(said)) for partition, offset, said in positions}
        rows = connection.execute(
            sa.text(
                "SELECT letters.digest, recipient, state, deliveries.reg_number"
                " FROM deliveries LEFT JOIN letters ON letters.place = deliveries.letter"
            )
        )
        states = {(bytes(letter or b""), recipient): (state, number) for letter, recipient, state, number in rows}
    return TrackerSeen(reached, states)
