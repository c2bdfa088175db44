"""Questions about many deliveries at once: failures, routes, bodies, months, the stream of changes."""

from datetime import timedelta

import pytest

from exchange.domain.delivery import Actor, State
from exchange.domain.fact import LetterFact
from exchange.domain.paper import day_of
from exchange.journal.facts import read_fact
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.lists import Vector
from exchange.store.months import window_of, window_of_day
from exchange.store.overviews import Change, Month, Window
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import TOPIC, fill


@pytest.fixture
def filled(store: Store, journal: SyntheticJournal) -> Store:
    """A store that has taken the story."""
    fill(store, journal.records)
    assert store.count_changes(TOPIC) == 1
    assert store.count_changes(TOPIC) == 0
    return store


@pytest.fixture
def window(journal: SyntheticJournal) -> Window:
    """All of the story."""
    return Window(journal.now - timedelta(days=1), journal.now + timedelta(days=1))


def test_failures_by_reason_and_route(filled: Store, window: Window) -> None:
    """Each group with its samples, and the filter that lists it."""
    with filled.reading() as connection:
        groups = queries.failure_groups(connection, window, 10)
        listed = [queries.deliveries(connection, group.filter(), None, 10).items for group in groups]
        assert queries.failure_groups(connection, Window(window.until, window.until), 10) == []
        assert queries.failure_groups(connection, window, 10, body="beta") == []
        assert queries.failure_groups(connection, window, 1, reason="recipient-unknown")[0].recipient == "nobody"
        assert queries.failure_groups(connection, window, 1, reason="no\0reason") == []
        assert [group.recipient for group in queries.failure_groups(connection, window, 10, body="gamma")] == ["gamma"]
    assert {(group.state, group.sender, group.recipient) for group in groups} == {
        (State.REFUSED, "alpha", "gamma"),
        (State.REJECTED, "alpha", "nobody"),
    }
    for group, lines in zip(groups, listed, strict=True):
        assert group.number == len(lines) == 1
        assert group.samples == (lines[0].letter.digest,)
        assert group.first == group.last == lines[0].delivery.since


def test_the_present(filled: Store, journal: SyntheticJournal) -> None:
    """What is awaited, what failed, what stands out."""
    today = window_of_day(day_of(journal.now))
    with filled.reading() as connection:
        now = queries.now(connection, journal.now, today)
        own = queries.now(connection, journal.now, today, body="beta")
    assert now.states == {State.REFUSED: 1, State.REJECTED: 1}
    assert now.failing == {Actor.SENDER: 2}
    assert now.oldest == ()
    assert sum(now.flags.values()) == 3
    assert (now.budget.volume, now.budget.late) == (4, 0)
    assert now.budget.day == day_of(journal.now)
    assert now.silent == ()
    assert own.states == {}
    assert own.budget.volume == 1


def test_routes(filled: Store, window: Window) -> None:
    """Volume and percentiles of each, the largest first."""
    with filled.reading() as connection:
        found = {(route.sender, route.recipient): route for route in queries.routes(connection, window, 10)}
        assert len(queries.routes(connection, window, 2)) == 2
        assert {route.recipient for route in queries.routes(connection, window, 9, body="beta")} == {"beta"}
    assert set(found) == {("alpha", "beta"), ("alpha", "gamma"), ("alpha", "nobody"), ("gamma", "alpha")}
    beta = found["alpha", "beta"]
    assert (beta.volume, beta.late, beta.failed) == (1, 0, 0)
    assert beta.delivery is not None
    assert beta.registration is not None
    assert timedelta() < beta.delivery.p50 <= beta.registration.p99
    assert found["alpha", "nobody"].delivery is None
    assert found["alpha", "gamma"].failed == 1


def test_bodies(filled: Store, journal: SyntheticJournal) -> None:
    """Last words, and silence compared with the week before."""
    month = window_of(Month(journal.now.year, journal.now.month))
    with filled.reading() as connection:
        seen = queries.bodies_last_seen(connection)
        summary = queries.body_summary(connection, "gamma", month)
        nobody = queries.body_summary(connection, "no-such", month)
        assert queries.silent(connection, journal.now) == []
        week_later = [one.body for one in queries.silent(connection, journal.now + timedelta(days=7, minutes=1))]
    assert set(seen) == {"alpha", "beta", "gamma"}
    assert sorted(week_later) == ["alpha", "beta", "gamma"]
    assert (summary.last, summary.sent, summary.received) == (seen["gamma"], 1, 1)
    assert summary.inbound == {State.REFUSED: 1}
    assert summary.oldest is None
    assert (nobody.last, nobody.sent) == (None, 0)


def test_who_does_not_fetch_is_silent(store: Store, journal: SyntheticJournal) -> None:
    """A minute after the letter came, unless it says something meanwhile; who never spoke comes first."""
    letters = [record for record in journal.records if isinstance(read_fact(record), LetterFact)]
    fill(store, letters)
    at = letters[-1].journalled
    with store.reading() as connection:
        waiting = {one.body: one for one in queries.oldest(connection)}
        soon = queries.silent(connection, min(one.since for one in waiting.values()) + timedelta(seconds=59))
        later = queries.silent(connection, at + timedelta(minutes=2))
        seen = queries.bodies_last_seen(connection)
    assert soon == []
    assert {one.body: one.waiting for one in later} == waiting
    assert {one.body: one.last for one in later} == {body: seen.get(body) for body in waiting}
    assert (later[0].body, later[0].last) == ("beta", None)


def test_report_of_a_month(filled: Store, journal: SyntheticJournal) -> None:
    """By recipient and kind; another month is empty."""
    month = Month(journal.now.year, journal.now.month)
    with filled.reading() as connection:
        services = {service.body: service for service in queries.report(connection, month)}
        assert [service.body for service in queries.report(connection, month, body="beta")] == ["beta"]
        assert queries.report(connection, Month(journal.now.year - 1, 12)) == []
        (day,) = queries.days(connection, window_of(month))
    assert set(services) == {"alpha", "beta", "gamma", "nobody"}
    assert (services["beta"].volume, services["beta"].on_time, services["gamma"].failed) == (1, 1, 1)
    assert (day.volume, day.late, day.failed) == (4, 0, 2)


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_changes_are_told_once(store: Store, journal: SyntheticJournal, limit: int) -> None:
    """Whatever the portions: between two vectors each change once, and nothing is missed."""
    told: list[Change] = []
    vector = Vector({})
    for start in range(0, len(journal.records), 5):
        fill(store, journal.records[start : start + 5])
        with store.reading() as connection:
            while True:
                some, following = queries.changes(connection, TOPIC, vector, limit)
                told += some
                if following == vector:
                    break
                vector = Vector.read(str(following))
    with store.reading() as connection:
        assert vector == queries.reached(connection, TOPIC)
        every, _ = queries.changes(connection, TOPIC, Vector({}), 1_000)
    places = [(change.partition, change.offset, change.recipient) for change in told]
    assert len(set(places)) == len(places)
    assert set(places) == {(change.partition, change.offset, change.recipient) for change in every}
    last = {(change.letter, change.recipient): change.state for change in every}
    assert sorted(last.values()) == [State.IN_WORK, State.REFUSED, State.REGISTERED, State.REJECTED]
