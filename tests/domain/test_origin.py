"""The origin table: what is next, what is not, and why."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.decision import OriginState
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.origin import OriginBook, in_order
from exchange.domain.policy import OPEN_ORIGINS, ORIGINS
from exchange.domain.reason import Reason
from exchange.domain.statement import Head, Open, Predecessor, Statement, Void

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN, OTHER = b"o" * 16, b"p" * 16
D1, D2, D9 = b"1" * 32, b"2" * 32, b"9" * 32


def head(number: int, previous: bytes = ZERO_DIGEST, origin: bytes = ORIGIN, body: str = "alpha") -> Head:
    """A head of alpha's."""
    return Head(b"e" * 32, body, origin, number, previous, NOW)


def opened(number: int = 2, last: bytes = D2, *, closed: bool = False) -> OriginBook:
    """A book in which alpha's origin was taken up to `number`."""
    return OriginBook({("alpha", ORIGIN): OriginState(number=number, digest=last, closed=closed)})


def void(of: Head) -> Statement:
    """Any statement that is not an open."""
    return Void(of, D9, "oversized")


@pytest.mark.parametrize(
    ("book", "told", "statement", "expected"),
    [
        (OriginBook(), head(1), lambda h: Open(h, None), None),
        (OriginBook(), head(1), void, Reason.ORIGIN_UNKNOWN),
        (OriginBook(), head(1), lambda _: None, Reason.ORIGIN_UNKNOWN),
        (OriginBook(), head(1, D1), lambda h: Open(h, None), Reason.CHAIN_BROKEN),
        (OriginBook(), head(2, D1), void, Reason.ORIGIN_UNKNOWN),
        (OriginBook(), head(2, D1), lambda h: Open(h, None), Reason.ORIGIN_UNKNOWN),
        (opened(), head(3, D2), void, None),
        (opened(), head(3, D2), lambda _: None, None),
        (opened(), head(3, D1), void, Reason.CHAIN_BROKEN),
        (opened(), head(4, D2), void, Reason.GAP),
        (opened(), head(2, D1), void, Reason.REPEAT),
        (opened(), head(1), lambda h: Open(h, None), Reason.REPEAT),
        (opened(), head(0), void, Reason.REPEAT),
        (opened(), head(-5), void, Reason.REPEAT),
        (opened(closed=True), head(3, D2), void, Reason.ORIGIN_CLOSED),
        (opened(), head(3, D2, body="beta"), void, Reason.ORIGIN_UNKNOWN),
    ],
)
def test_table(
    book: OriginBook, told: Head, statement: Callable[[Head], Statement | None], expected: Reason | None
) -> None:
    """Each cell of the table in the module's docstring."""
    refusal = in_order(book, told, statement(told))
    assert (refusal.reason if refusal else None) is expected


@pytest.mark.parametrize(
    ("book", "told", "numbers"),
    [
        (OriginBook(), head(2, D1), ["2"]),
        (OriginBook(), head(1, D1), ["1"]),
        (opened(), head(1), ["1", "2"]),
        (opened(), head(4, D2), ["4", "3"]),
        (opened(), head(3, D1), ["3"]),
    ],
    ids=["unknown", "begins with another", "repeat", "gap", "chain"],
)
def test_a_refusal_names_the_numbers(book: OriginBook, told: Head, numbers: list[str]) -> None:
    """The sender reads which number came, and which one was awaited or taken."""
    refusal = in_order(book, told, Open(told, None))
    assert refusal is not None
    assert re.findall(r"\d+", refusal.detail) == numbers


@pytest.mark.parametrize(
    ("predecessor", "expected"),
    [
        (Predecessor(ORIGIN, 2, D2), None),
        (Predecessor(ORIGIN, 2, D1), Reason.PREDECESSOR_MISMATCH),
        (Predecessor(ORIGIN, 1, D2), Reason.PREDECESSOR_MISMATCH),
        (Predecessor(OTHER, 2, D2), Reason.PREDECESSOR_MISMATCH),
    ],
)
def test_predecessor_must_be_as_stated(predecessor: Predecessor, expected: Reason | None) -> None:
    """An open that continues another origin names its true end."""
    told = head(1, origin=b"n" * 16)
    refusal = in_order(opened(), told, Open(told, predecessor))
    assert (refusal.reason if refusal else None) is expected


def test_successor_closes_predecessor() -> None:
    """Taking an open closes the origin that it continues, and leaves as many open."""
    book = opened()
    told = head(1, origin=OTHER)
    book.take(told, Open(told, Predecessor(ORIGIN, 2, D2)), D1)
    state = book["alpha", ORIGIN]
    assert state is not None
    assert state.closed
    assert book.open_origins("alpha") == 1
    assert set(book.drain_changed()) == {("alpha", ORIGIN), ("alpha", OTHER)}
    assert book.drain_changed() == {}


def test_origins_are_counted_by_body() -> None:
    """Each opening counts, each continuation closes one; what other bodies have does not matter."""
    book = opened()
    for origin, predecessor in ((OTHER, None), (b"q" * 16, Predecessor(ORIGIN, 2, D2)), (b"r" * 16, None)):
        told = head(1, origin=origin)
        book.take(told, Open(told, predecessor), D1)
        book.take(head(2, D1, origin), None, D9)
    assert (book.origins("alpha"), book.open_origins("alpha")) == (4, 3)
    assert (book.origins("beta"), book.open_origins("beta")) == (0, 0)


@pytest.mark.parametrize("named", [ORIGIN, OTHER])
def test_open_within_a_chain_closes_nothing(named: bytes) -> None:
    """Its predecessor was never compared with anything: neither its own origin nor an unknown one is touched."""
    book = opened()
    told = head(3, D2)
    book.take(told, Open(told, Predecessor(named, 2, D2)), D9)
    assert book.drain_changed() == {("alpha", ORIGIN): OriginState(3, D9)}
    assert book.open_origins("alpha") == 1


def test_ninth_origin_is_refused_unless_it_continues_one() -> None:
    """A body has at most eight open origins (rule 2.2)."""
    book = OriginBook()
    for index in range(OPEN_ORIGINS):
        told = head(1, origin=bytes([index]) * 16)
        assert in_order(book, told, Open(told, None)) is None
        book.take(told, Open(told, None), D1)
    told = head(1, origin=b"n" * 16)
    refusal = in_order(book, told, Open(told, None))
    assert refusal is not None
    assert (refusal.reason, refusal.detail) == (Reason.ORIGINS_EXHAUSTED, "8 open")
    assert in_order(book, told, Open(told, Predecessor(bytes(16), 1, D1))) is None


def test_origins_are_not_without_end() -> None:
    """Closed ones stay in the router's memory, so a body cannot open one after the other for ever."""
    closed = {("alpha", number.to_bytes(16, "big")): OriginState(1, D1, closed=True) for number in range(ORIGINS)}
    book = OriginBook(closed)
    refusal = in_order(book, head(1), Open(head(1), None))
    assert refusal is not None
    assert (refusal.reason, refusal.detail) == (Reason.ORIGINS_EXHAUSTED, "10000 opened")
    assert in_order(book, head(1, body="beta"), Open(head(1, body="beta"), None)) is None


@given(st.lists(st.tuples(st.integers(-1, 6), st.booleans()), max_size=30))
def test_number_only_ever_moves_by_one_along_the_chain(attempts: list[tuple[int, bool]]) -> None:
    """Whatever is tried, what was taken is 1, 2, 3, … each naming the one before."""
    book = OriginBook()
    taken: list[bytes] = []
    for number, chained in attempts:
        told = head(number, (taken[-1] if taken else ZERO_DIGEST) if chained else D9)
        statement: Statement = Open(told, None) if number == 1 else void(told)
        if in_order(book, told, statement) is None:
            assert number == len(taken) + 1
            assert chained
            taken.append(bytes([len(taken)]) * 32)
            book.take(told, statement, taken[-1])


def test_ignored_statements_are_counted_and_leave_unknown_origins_alone() -> None:
    """A stranger's numbers cannot fill the router's memory."""
    book = opened()
    book.ignore(("alpha", ORIGIN), notified=True)
    book.ignore(("alpha", OTHER), notified=True)
    assert book.drain_changed() == {("alpha", ORIGIN): OriginState(2, D2, closed=False, ignored=1, notified=True)}
