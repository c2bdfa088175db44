"""A spool of years is as quick as a new one: every question is answered by an index."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.agent.spool import incoming, origins, outgoing, witnessed
from exchange.agent.spool.incoming import ArrivalKind, Arrived, InboxPosition
from exchange.agent.spool.outgoing import Draft, Kind
from exchange.agent.spool.schema import prepare
from exchange.agent.spool.times import micros, moment
from exchange.agent.spool.witnessed import Contradiction
from tests.world import NOW


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A new spool in memory, with one body."""
    opened = sqlite3.connect(":memory:", isolation_level=None)
    prepare(opened)
    origins.enrol(opened, "alpha", bytes(16), NOW)
    yield opened
    opened.close()


ARRIVED = Arrived("alpha", ArrivalKind.LETTER, bytes(32), "beta", NOW, b"", message_id="m", document_id="d")


def ask_everything(connection: sqlite3.Connection) -> None:
    """Each question that the agent asks while it works."""
    origin = origins.current(connection, "alpha")
    outgoing.add(connection, Draft("alpha", Kind.LETTER, "m", NOW, b""))
    origins.save(connection, origins.append(connection, origin, b"statement", b"", 1))
    origins.unproven(connection, origin, 1, 10, 10)
    origins.digests(connection, origin, [1])
    origins.statements(connection, origin, 1)
    origins.statement_at(connection, origin, 1)
    origins.predecessor(connection, origin)
    origins.find(connection, "alpha", bytes(16))
    origins.withdraw(connection, origin, 1)
    outgoing.has_drafts(connection, "alpha", 10)
    outgoing.next_drafts(connection, "alpha", 10, 1)
    outgoing.drafts_said(connection, "alpha", 10, before=True)
    outgoing.mark_one_signed(connection, 1)
    origins.heard(connection, origin)
    origins.again(connection, origin)
    outgoing.settle(connection, 1, outgoing.OutgoingState.TAKEN, "", "")
    outgoing.sent_letters(connection, "alpha", 10)
    outgoing.sent_letter(connection, "alpha", "m")
    outgoing.letter_said(connection, "alpha", bytes(32))
    outgoing.backlogs(connection)
    outgoing.take_input(connection, "alpha", bytes(32))
    incoming.keep(connection, ARRIVED)
    incoming.to_hand_over(connection, "alpha", NOW, 10, 1, timedelta(minutes=1))
    incoming.waiting(connection, ["alpha"])
    incoming.letters(connection, "alpha", 10)
    incoming.letter(connection, "alpha", bytes(32))
    list(incoming.receipts_about(connection, 1, 10))
    for name in ("message_id", "document_id", "reg_number", "own_reg_number"):
        incoming.letters_with(connection, "alpha", **{name: "x"})
    incoming.arrival_at(connection, 1)
    incoming.move(connection, "alpha", 1, bytes(32))
    witnessed.owners(connection, [bytes(16)])
    witnessed.cover(connection, "alpha", bytes(16), 1)
    witnessed.keep(connection, Contradiction("alpha", bytes(16), 1, b"", b""), NOW)
    witnessed.coverage(connection)
    connection.execute("UPDATE origins SET witnessed_number = 9 WHERE origin = ?", (bytes(16),))
    witnessed.release(connection, NOW, 10)


def test_no_question_reads_a_whole_table(connection: sqlite3.Connection) -> None:
    """SQLite's plans name an index, or a partial one of what is still to be done."""
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    ask_everything(connection)
    connection.set_trace_callback(None)
    assert len(asked) > 25
    for statement in asked:
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            bounded = step in {"SCAN CONSTANT ROW", "SCAN (subquery-1)"}
            assert not step.startswith("SCAN") or "INDEX" in step or bounded, (statement, step)
            assert "TEMP B-TREE" not in step, (statement, step)


def test_an_id_that_is_not_given_finds_nothing(connection: sqlite3.Connection) -> None:
    """Letters without a number are not each other's answers."""
    incoming.keep(connection, ARRIVED)
    assert incoming.letters_with(connection, "alpha", reg_number="") == []
    assert incoming.letters_with(connection, "alpha", message_id="m", document_id="other") == []
    assert [found.sender for found in incoming.letters_with(connection, "alpha", message_id="m")] == ["beta"]


def test_what_waits_is_counted_up_to_a_bound(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent looks every second, and a document system may be away for a month."""
    monkeypatch.setattr(incoming, "COUNTED", 2)
    assert incoming.waiting(connection, ["alpha"]) == {}
    for number in range(3):
        later = replace(ARRIVED, digest=bytes([number]) * 32, received=NOW + timedelta(seconds=number))
        assert incoming.keep(connection, later)
    assert incoming.waiting(connection, ["alpha", "beta"]) == {"alpha": (2, NOW)}
    incoming.mark(connection, 1, incoming.ArrivalState.HANDED)
    assert incoming.waiting(connection, ["alpha"]) == {"alpha": (2, NOW + timedelta(seconds=1))}


def test_an_arrival_is_kept_once(connection: sqlite3.Connection) -> None:
    """The same digest again, from a refill or a restored exchange, is no second letter."""
    assert incoming.keep(connection, ARRIVED)
    assert not incoming.keep(connection, ARRIVED)
    assert incoming.keep(connection, replace(ARRIVED, kind=ArrivalKind.RECEIPT))
    assert incoming.keep(connection, replace(ARRIVED, body="gamma"))


def test_positions_are_per_inbox(connection: sqlite3.Connection) -> None:
    """Nothing read yet is None, and a body that was never enrolled too."""
    assert incoming.positions(connection, ["alpha", "beta"]) == {"alpha": None, "beta": None}
    incoming.move(connection, "alpha", 7, bytes(32))
    assert incoming.positions(connection, ["alpha"]) == {"alpha": InboxPosition(7, bytes(32), None)}
    incoming.reach(connection, "alpha", 9)
    assert incoming.positions(connection, ["alpha"]) == {"alpha": InboxPosition(7, bytes(32), 9)}


def test_times_are_exact() -> None:
    """Microseconds survive."""
    odd = NOW.replace(microsecond=123_457)
    assert moment(micros(odd)) == odd
