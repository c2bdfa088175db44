"""Tallies are what a recount of all deliveries comes to, in whatever portions and order the facts came."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.fact import JournalFact
from exchange.domain.ids import ZERO_DIGEST
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.months import date_of, month_of, window_of
from exchange.store.overviews import Month, Window
from exchange.store.rows import PositionRow, moment
from exchange.store.schema import deliveries, letters, tally_days, tally_routes, tally_services
from tests.console.seed import PARTITIONS, seeded_facts, seeded_terms
from tests.store.support import TOPIC

FACTS = 600
"""Of each partition: two months in the seed, of which these tell some weeks."""
BEFORE, LAST = Month(2026, 9), Month(2026, 10)
"""The months that they begin in."""
FAILING = {"sender", "operator"}

Tallies = Mapping[str, Sequence[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def told() -> Mapping[int, Sequence[JournalFact]]:
    """Facts by partition, in its order."""
    every = seeded_facts()
    return {
        partition: [fact for fact in every if fact.position.partition == partition][:FACTS]
        for partition in range(PARTITIONS)
    }


@pytest.fixture(scope="module")
def counted(told: Mapping[int, Sequence[JournalFact]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that took everything at once, and was counted once; read only."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('counted')}/tracker.db") as store:
        store.migrate()
        for facts in told.values():
            take(store, facts)
        assert store.count_changes(TOPIC) == 2
        yield store


def take(store: Store, facts: Sequence[JournalFact]) -> None:
    """One batch of one partition."""
    if facts:
        last = facts[-1].position
        store.take(facts, [PositionRow(TOPIC, last.partition, last.offset, ZERO_DIGEST)], terms=seeded_terms())


def tallies(store: Store) -> Tallies:
    """All that was counted."""
    with store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in (tally_days, tally_routes, tally_services)
        }


@settings(max_examples=5)
@given(
    portions=st.lists(
        st.tuples(
            st.integers(0, PARTITIONS - 1), st.integers(1, FACTS // 2), st.sampled_from(["none", "latest", "changes"])
        ),
        min_size=3,
        max_size=8,
    )
)
def test_any_portions_come_to_the_same(
    told: Mapping[int, Sequence[JournalFact]], counted: Store, portions: list[tuple[int, int, str]]
) -> None:
    """One partition ahead of another, counted on the way or not, the last month alone or all that changed."""
    taken, reached = dict.fromkeys(told, 0), dict[int, int]()
    with TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/tracker.db") as store:
        store.migrate()
        for partition, number, counting in portions:
            begin = taken[partition]
            take(store, told[partition][begin : begin + number])
            taken[partition] = begin + number
            if counting == "latest":
                reached = dict(store.count_latest(TOPIC, reached))
            elif counting == "changes":
                store.count_changes(TOPIC)
        for partition, begin in taken.items():
            take(store, told[partition][begin:])
        store.count_changes(TOPIC)
        assert store.count_changes(TOPIC) == 0
        assert tallies(store) == tallies(counted)


def test_tallies_are_a_recount(counted: Store) -> None:
    """Counted once more, delivery by delivery, not by the database."""
    days, routes, services = Counter[Any](), Counter[Any](), Counter[Any]()
    with counted.reading() as connection:
        query = sa.select(deliveries, letters.c.kind).join(letters, letters.c.place == deliveries.c.letter)
        for row in connection.execute(query):
            month, day = str(month_of(moment(row.journalled))), (row.journalled + 6 * 3_600_000_000) // 86_400_000_000
            for name, counts in (("volume", True), ("late", bool(row.late)), ("failed", row.next in FAILING)):
                days[day, name] += counts
                routes[month, row.sender, row.recipient, name] += counts
                services[month, row.recipient, row.kind, name] += counts
    found = tallies(counted)
    for table, expected, width in ((tally_days, days, 1), (tally_routes, routes, 3), (tally_services, services, 3)):
        summed = Counter[Any]()
        for line in found[table.name]:
            for name, value in zip(("volume", "late", "failed"), line[width:], strict=False):
                summed[(*line[:width], name)] = value
        assert summed == expected
        assert sum(value for (*_, name), value in summed.items() if name == "late") > 0


def test_the_last_month_is_counted_alone(told: Mapping[int, Sequence[JournalFact]], tmp_path: Path) -> None:
    """The one before waits for the next time that everything is counted; what did not change is not counted again."""
    with Store(f"sqlite:///{tmp_path}/tracker.db") as store:
        store.migrate()
        for facts in told.values():
            take(store, facts)
        reached = store.count_latest(TOPIC, {})
        months = {row[0] for row in tallies(store)["tally_routes"]}
        assert len(months) == 1
        assert store.count_latest(TOPIC, reached) == reached
        assert store.count_changes(TOPIC) == 2
        assert months < {row[0] for row in tallies(store)["tally_routes"]}


def test_days_are_those_of_bishkek(counted: Store) -> None:
    """A window from midnight to midnight has its days; the sum of a month is that of its report."""
    with counted.reading() as connection:
        for one in (BEFORE, LAST):
            days = queries.days(connection, window_of(one))
            total = queries.report_total(connection, one)
            assert sum(day.volume for day in days if month_of_day(day.day) == one) == total.volume > 0
        first = moment(min(row[0] for row in connection.execute(sa.select(letters.c.journalled))))
        assert min(date_of(row[0]) for row in tallies(counted)["tally_days"]) == first.date()
        assert queries.days(connection, Window(first.replace(year=2020), first.replace(year=2021))) == []


def month_of_day(day: Any) -> Month:
    """The month of a date."""
    return Month(day.year, day.month)


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_report_in_pages(counted: Store, limit: int) -> None:
    """Page by page it is the whole; a body and a kind leave their lines only, and the total is theirs."""
    month = LAST
    with counted.reading() as connection:
        whole = queries.report(connection, month)
        pages = [queries.report(connection, month, limit=limit, start=at) for at in range(0, len(whole), limit)]
        assert [line for page in pages for line in page] == whole
        assert whole == sorted(whole, key=lambda line: (-line.breached, line.body, line.kind))
        one = whole[0]
        assert queries.report(connection, month, one.body, one.kind) == [one]
        total = queries.report_total(connection, month, one.body, one.kind)
        assert (total.lines, total.volume, total.breached, total.failed) == (1, one.volume, one.breached, one.failed)
        assert queries.report_total(connection, month).lines == len(whole)
        assert queries.report(connection, month, "no\0body") == []
        assert queries.report_total(connection, Month(2020, 1)).volume == 0


def test_lines_below_the_target(counted: Store) -> None:
    """Of all lines, not only of a page's: the largest share first, however few letters that is."""
    with counted.reading() as connection:
        whole = queries.report(connection, LAST)
        allowed = sorted(line.breached / line.volume for line in whole)[len(whole) // 2]
        below = [line for line in whole if line.breached / line.volume > allowed]
        found = queries.breaches(connection, LAST, allowed, len(whole))
        assert found == sorted(below, key=lambda line: (-line.breached / line.volume, line.body, line.kind)) != []
        assert queries.breaches(connection, LAST, allowed, 1) == found[:1]
        assert queries.breaches(connection, LAST, allowed, 9, found[0].body, found[0].kind) == found[:1]
        assert queries.breaches(connection, LAST, 1.0, 9) == []


def test_routes_of_two_months(counted: Store) -> None:
    """A window that touches two months has the sums of both, the largest first; a body's are its own."""
    both = Window(window_of(BEFORE).since, window_of(LAST).until)
    expected = Counter[Any]()
    for row in tallies(counted)["tally_routes"]:
        expected[row[1], row[2]] += row[3]
    with counted.reading() as connection:
        found = queries.routes(connection, both, 200)
        assert {(route.sender, route.recipient): route.volume for route in found} == expected
        assert [route.volume for route in found] == sorted(expected.values(), reverse=True)
        assert queries.routes(connection, both, 3) == found[:3]
        own = queries.routes(connection, both, 200, "mfa")
        assert own == [route for route in found if "mfa" in {route.sender, route.recipient}] != []
