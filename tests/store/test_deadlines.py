"""What is due and what has passed, in the tracker's tables."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exchange.domain.deadline import Stage, Terms
from exchange.domain.delivery import Position
from exchange.domain.event import Event
from exchange.domain.fact import JournalFact, LetterFact, TickFact
from exchange.domain.ids import journal_partition
from exchange.domain.policy import parse_policy
from exchange.store import deadlines
from exchange.store.database import Store
from exchange.store.rows import PositionRow
from tests.domain.test_deadline import BASE
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import TOPIC, fill, terms_of
from tests.world import NOW, World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def journal(tmp_path: Path) -> SyntheticJournal:
    """A letter to two, of whom one has it."""
    journal = SyntheticJournal(World(tmp_path / "world", bodies=("alpha", "beta", "gamma")))
    letter = journal.letter("alpha", "beta", "gamma")
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    return journal


def tick(place: Position, lane: int, journalled: datetime) -> TickFact:
    """An idle one."""
    return TickFact(place, lane, None, idle=True, journalled=journalled)


def take(store: Store, facts: Sequence[JournalFact], terms: Terms) -> None:
    """One batch of facts that no router wrote."""
    reached = {fact.position.partition: fact.position.offset for fact in facts}
    store.take(facts, [PositionRow(TOPIC, where, at, bytes(32)) for where, at in reached.items()], terms=terms)


def ticks(second: int, at: datetime) -> list[TickFact]:
    """Both lanes in both partitions."""
    return [tick(Position(where, 1000 + second * 10 + lane), lane, at) for where in (0, 1) for lane in (0, 1)]


def passed(store: Store, limit: int = 10) -> list[tuple[str, Stage]]:
    """Whose stages have passed by now, both lanes being looked at."""
    with store.reading() as connection:
        until = deadlines.through(connection, {0, 1}, 2)
        return [(one.recipient, one.stage) for one in deadlines.passed(connection, until, limit)]


def test_what_has_passed(store: Store, journal: SyntheticJournal) -> None:
    """Once every lane is through the time in the letter's partition; the longest due first."""
    terms = terms_of(journal.world)
    fill(store, journal.records, terms=terms)
    assert passed(store) == []
    take(store, ticks(0, NOW + 30 * MINUTE), terms)
    assert passed(store) == []
    take(store, ticks(1, NOW + 50 * MINUTE), terms)
    assert passed(store) == [("gamma", Stage.DELIVER)]
    take(store, ticks(2, NOW + 90 * MINUTE), terms)
    take(store, ticks(3, NOW + 91 * MINUTE), terms)
    assert passed(store) == [("gamma", Stage.DELIVER), ("beta", Stage.HAND_OVER)]
    assert passed(store, limit=1) == [("gamma", Stage.DELIVER)]


def test_one_lane_that_stands_still_holds_it_back(store: Store, journal: SyntheticJournal) -> None:
    """In the partition that it has not ticked in; and a broker's clock that goes back takes nothing back."""
    terms = terms_of(journal.world)
    fill(store, journal.records, terms=terms)
    (letter,) = {fact.letter for fact in journal.facts() if isinstance(fact, LetterFact)}
    own = journal_partition(letter, 2)
    there = [*ticks(0, NOW), *ticks(1, NOW + 50 * MINUTE), *ticks(2, NOW + 60 * MINUTE)]
    take(store, [one for one in there if (one.lane, one.position.partition) != (1, own)], terms)
    assert passed(store) == []
    times = (NOW + 55 * MINUTE, NOW + 65 * MINUTE, NOW - 99 * MINUTE, NOW - 98 * MINUTE)
    take(store, [tick(Position(own, 2000 + offset), 1, at) for offset, at in enumerate(times)], terms)
    assert passed(store) == [("gamma", Stage.DELIVER)]
    with store.reading() as connection:
        assert deadlines.through(connection, {own}, 2) == {own: NOW + 50 * MINUTE}


def test_what_is_looked_for_is_one_walk(store: Store, journal: SyntheticJournal) -> None:
    """Along the indexes of what is due, however many deliveries there are."""
    fill(store, journal.records, terms=terms_of(journal.world))
    asked: list[tuple[str, Any]] = []
    with store.reading() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        deadlines.passed(connection, {0: NOW + 99 * MINUTE}, 10)
        looked = [(query, values) for query, values in asked if query.startswith("SELECT")]
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # tables of two rows are read whole
            explain = "EXPLAIN"
        plans = [str(connection.exec_driver_sql(f"{explain} {query}", values).all()) for query, values in looked]
    assert "deliveries_by_due" in plans[0]
    assert "overran_by_due" in plans[1]


def test_what_ended_too_long_ago_is_not_said(store: Store, journal: SyntheticJournal) -> None:
    """It is for a month: a tracker that reads years again by another policy does not tell bodies of them."""
    letter = journal.letter("beta", "alpha")
    journal.world.now = journal.now = NOW + 70 * MINUTE
    journal.receipt("alpha", letter, "beta", Event.DELIVERED)
    terms = terms_of(journal.world)
    fill(store, journal.records, terms=terms)
    month = deadlines.SAID_WITHIN
    for second, minutes in enumerate((71, 72, 73)):
        take(store, ticks(second, NOW + minutes * MINUTE), terms)
    assert ("alpha", Stage.DELIVER) in passed(store)
    for second, minutes in enumerate((71, 72, 73)):
        take(store, ticks(10 + second, NOW + month + minutes * MINUTE), terms)
    assert ("alpha", Stage.DELIVER) not in passed(store)


def test_another_policy_counts_for_what_is_open(store: Store, journal: SyntheticJournal) -> None:
    """It is reckoned anew, in steps, once; what it says of other bodies is not touched."""
    first = terms_of(journal.world)
    fill(store, journal.records, terms=first)
    store.reckon(first, {0, 1})
    line = '[[deadline]]\nstage = "deliver"\nwithin = "3 hours"\n'
    second = Terms(parse_policy((BASE + line).encode()).deadlines, journal.world.directory.bodies)
    with store.reading() as connection:
        assert deadlines.is_reckoned(connection, {0, 1}, first)
        assert not deadlines.is_reckoned(connection, {0, 1}, second)
    store.reckon(second, {0, 1})
    take(store, [*ticks(0, NOW + 90 * MINUTE), *ticks(1, NOW + 99 * MINUTE)], second)
    assert passed(store) == []
    take(store, [*ticks(2, NOW + 181 * MINUTE), *ticks(3, NOW + 190 * MINUTE)], second)
    assert passed(store) == [("gamma", Stage.DELIVER)]


def test_reckoned_in_steps(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from the beginning, however small the steps are."""
    monkeypatch.setattr(deadlines, "RECKONED_AT_ONCE", 2)
    bodies = ("alpha", "beta", "gamma", "delta", "epsilon")
    journal = SyntheticJournal(World(tmp_path / "many", bodies=bodies))
    journal.letter("alpha", *bodies[1:])
    terms = terms_of(journal.world)
    fill(store, journal.records)
    store.reckon(terms, {0, 1})
    found = store.digest()
    store.drop()
    store.migrate()
    fill(store, journal.records, terms=terms)
    store.reckon(terms, {0, 1})
    assert store.digest() == found


def test_terms_are_the_same_by_what_they_say(journal: SyntheticJournal) -> None:
    """A body more that no line names changes nothing; one that a line names does."""
    bodies = journal.world.directory.bodies
    line = '[[deadline]]\nstage = "deliver"\nwithin = "1 day"\nto = "kind:court"\n'
    policy = parse_policy((BASE + line).encode()).deadlines
    others = dict(bodies) | {"delta": dataclasses.replace(bodies["beta"], code="delta")}
    court = dict(bodies) | {"delta": dataclasses.replace(bodies["beta"], code="delta", kind="court")}
    assert Terms(policy, bodies).digest == Terms(policy, others).digest != Terms(policy, court).digest
