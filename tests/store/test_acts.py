"""The audit trail: what people did and looked at, by any filter, a page at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.domain.delivery import Position
from exchange.domain.fact import CommandFact
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.lists import ActFilter, Cursor
from exchange.store.queries.acts import ORDER
from exchange.store.rows import PositionRow
from tests.store.support import TOPIC

BEGIN = datetime(2026, 11, 23, 4, tzinfo=UTC)
ACTS = 12
LETTER = digest(b"letter")


def act(number: int) -> CommandFact:
    """Two at the same time each, by two people in turn; some about a letter, some of a task."""
    at = BEGIN + timedelta(minutes=number // 2)
    return CommandFact(
        position=Position(number % 2, number),
        statement=digest(b"%d" % number),
        body="exchange-console",
        action="redrive" if number % 3 else "view-content",
        task="task-1" if number % 4 == 0 else "",
        person="olga" if number % 2 else "aida",
        second="",
        reason="their system lost it",
        detail=f"detail {number}",
        letter=LETTER if number % 5 == 0 else None,
        recipient="minjust" if number % 5 == 0 else "",
        said=at,
        journalled=at,
    )


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with some acts."""
    facts = [act(number) for number in range(ACTS)]
    last = {fact.position.partition: fact.position.offset for fact in facts}
    store.take(facts, [PositionRow(TOPIC, partition, offset, ZERO_DIGEST) for partition, offset in last.items()])
    return store


def pages(store: Store, wanted: ActFilter, limit: int) -> list[CommandFact]:
    """All of a list, page by page, each cursor as text."""
    found: list[CommandFact] = []
    after: Cursor | None = None
    with store.reading() as connection:
        while True:
            page = queries.acts(connection, wanted, after, limit)
            found += page.items
            if page.after is None:
                return found
            assert len(page.items) == limit
            after = Cursor.read(str(page.after), ORDER)


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_pages_are_the_trail(kept: Store, limit: int) -> None:
    """The youngest first, each once, those of one time by their places."""
    whole = pages(kept, ActFilter(), 100)
    assert pages(kept, ActFilter(), limit) == whole
    keys = [(one.journalled, one.position.partition, one.position.offset) for one in whole]
    assert keys == sorted(keys, reverse=True)
    assert {one.detail for one in whole} == {f"detail {number}" for number in range(ACTS)}


def test_an_act_is_told_whole(kept: Store) -> None:
    """What the statement said, and where it stands."""
    assert pages(kept, ActFilter(letter=LETTER, task="task-1"), 50) == [act(0)]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (ActFilter(person="olga"), {1, 3, 5, 7, 9, 11}),
        (ActFilter(action="view-content"), {0, 3, 6, 9}),
        (ActFilter(task="task-1"), {0, 4, 8}),
        (ActFilter(letter=LETTER), {0, 5, 10}),
        (ActFilter(recipient="minjust", person="olga"), {5}),
        (ActFilter(since=BEGIN + timedelta(minutes=4)), {8, 9, 10, 11}),
        (ActFilter(until=BEGIN + timedelta(minutes=1)), {0, 1}),
        (ActFilter(person="nobody"), set()),
        (ActFilter(person="o\0lga"), set()),
        (ActFilter(action="\ud800"), set()),
    ],
    ids=repr,
)
def test_each_filter(kept: Store, wanted: ActFilter, numbers: set[int]) -> None:
    """Alone and joined; text that no row can have finds none."""
    assert {one.detail for one in pages(kept, wanted, 4)} == {f"detail {number}" for number in numbers}
