"""Deliveries listed by any filter, page by page, and counted."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.deadline import Stage
from exchange.domain.delivery import Actor, State
from exchange.domain.event import Event
from exchange.domain.statement import Urgency
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.errors import StoreError
from exchange.store.lists import Counted, Cursor, DeliveryFilter, Order, Vector
from exchange.store.views import Listed
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill
from tests.world import World


@pytest.fixture
def filled(store: Store, journal: SyntheticJournal) -> Store:
    """A store that has taken the story."""
    fill(store, journal.records)
    return store


def pages(store: Store, wanted: DeliveryFilter, limit: int) -> list[Listed]:
    """All of a list, page by page, each cursor as text."""
    found: list[Listed] = []
    after: Cursor | None = None
    with store.reading() as connection:
        while True:
            page = queries.deliveries(connection, wanted, after, limit)
            found += page.items
            if page.after is None:
                break
            assert len(page.items) == limit
            after = Cursor.read(str(page.after), wanted.order)
        assert queries.count(connection, wanted) == Counted(len(found))
    return found


def recipients(store: Store, wanted: DeliveryFilter) -> list[str]:
    """Who a filter's deliveries go to."""
    return [one.recipient for one in pages(store, wanted, 50)]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize(
    "wanted",
    [
        DeliveryFilter(),
        DeliveryFilter(body="alpha"),
        DeliveryFilter(body="beta"),
        DeliveryFilter(states=(State.REGISTERED, State.REFUSED, State.IN_WORK)),
        DeliveryFilter(body="gamma", states=(State.REFUSED, State.IN_WORK)),
        DeliveryFilter(text="first"),
    ],
    ids=repr,
)
def test_pages_are_the_list(filled: Store, wanted: DeliveryFilter, limit: int) -> None:
    """Whatever their length: every delivery once, in the list's order."""
    whole = pages(filled, wanted, 1_000)
    assert pages(filled, wanted, limit) == whole
    assert len({(one.letter.digest, one.recipient) for one in whole}) == len(whole) > 0
    assert whole == sorted(whole, key=lambda one: one.letter.journalled, reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_who_waits_longest_comes_first(store: Store, journal: SyntheticJournal, limit: int) -> None:
    """Of those of which something is awaited; what is done with is left out."""
    wanted = DeliveryFilter(order=Order.LONGEST_WAITING)
    fill(store, journal.records[:6])
    assert sorted(one.recipient for one in pages(store, wanted, limit)) == ["beta", "gamma"]
    assert recipients(store, DeliveryFilter(stage=Stage.DELIVER)) == ["gamma"]
    whole = pages(store, wanted, 50)
    assert pages(store, wanted, limit) == whole == sorted(whole, key=lambda one: one.delivery.since)
    fill(store, journal.records[6:])
    assert pages(store, wanted, limit) == []


def test_each_filter(filled: Store, journal: SyntheticJournal) -> None:
    """Alone and joined with others."""
    every = pages(filled, DeliveryFilter(), 50)
    assert sorted(one.recipient for one in every) == ["alpha", "beta", "gamma", "nobody"]
    assert sorted(recipients(filled, DeliveryFilter(sender="alpha"))) == ["beta", "gamma", "nobody"]
    assert recipients(filled, DeliveryFilter(recipient="alpha")) == ["alpha"]
    assert sorted(recipients(filled, DeliveryFilter(body="gamma"))) == ["alpha", "gamma"]
    assert recipients(filled, DeliveryFilter(body="gamma", sender="alpha")) == ["gamma"]
    assert recipients(filled, DeliveryFilter(states=(State.REJECTED,))) == ["nobody"]
    assert sorted(recipients(filled, DeliveryFilter(next=Actor.SENDER))) == ["gamma", "nobody"]
    assert recipients(filled, DeliveryFilter(next=Actor.SENDER, states=(State.REGISTERED,))) == []
    assert recipients(filled, DeliveryFilter(reason="recipient-unknown")) == ["nobody"]
    assert recipients(filled, DeliveryFilter(stage=Stage.DELIVER)) == []
    assert recipients(filled, DeliveryFilter(kind="no-such")) == []
    assert len(recipients(filled, DeliveryFilter(kind=every[0].letter.kind, urgency=every[0].letter.urgency))) == 4
    assert recipients(filled, DeliveryFilter(late=True)) == []
    assert len(recipients(filled, DeliveryFilter(late=False))) == 4
    youngest = every[0].letter.journalled
    assert recipients(filled, DeliveryFilter(since=youngest)) == ["alpha"]
    assert len(recipients(filled, DeliveryFilter(until=youngest))) == 3
    assert recipients(filled, DeliveryFilter(since=journal.now + timedelta(hours=1))) == []
    assert recipients(filled, DeliveryFilter(text="77-1", recipient="beta")) == ["beta"]
    assert recipients(filled, DeliveryFilter(text=every[0].letter.digest.hex()[:12])) == ["alpha"]


BODIES = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """Letters of every urgency between three bodies, each as far as chance lets it come."""
    journal, random = SyntheticJournal(World(tmp_path_factory.mktemp("varied"))), Random(5)
    for number in range(24):
        sender = random.choice(BODIES)
        to = random.sample([body for body in BODIES if body != sender], k=random.randint(1, 2))
        letter = journal.letter(sender, *to, message_id=f"m-{number}", urgency=random.choice(list(Urgency)))
        for body in to:
            came = random.choice([(), (Event.DELIVERED,), (Event.DELIVERED, Event.HAND_OVER_FAILED)])
            for event in came:
                journal.receipt(body, letter, sender, event)
            if not came and random.random() < 0.5:
                journal.registered(body, letter, sender, f"{number}")
    return journal


def fits(one: Listed, wanted: DeliveryFilter) -> bool:
    """Whether a filter leaves a delivery, as its words say."""
    letter, delivery = one.letter, one.delivery
    asked = (
        (wanted.sender, letter.sender),
        (wanted.recipient, one.recipient),
        (wanted.urgency, letter.urgency),
        (wanted.next, delivery.next),
        (wanted.reason, delivery.reason),
    )
    return (
        all(value in {None, said} for value, said in asked)
        and wanted.body in {None, letter.sender, one.recipient}
        and delivery.state in (wanted.states or State)
        and (wanted.since is None or letter.journalled >= wanted.since)
        and (wanted.until is None or letter.journalled < wanted.until)
        and (wanted.moved is None or delivery.since >= wanted.moved)
    )


def test_any_filters_leave_what_their_words_say(store: Store, varied: SyntheticJournal) -> None:
    """Whatever is joined with what: each has its own walks along indexes."""
    fill(store, varied.records)
    every, random = pages(store, DeliveryFilter(), 100), Random(7)
    times = [one.letter.journalled for one in every]
    chances: dict[str, Callable[[], object]] = {
        "sender": lambda: random.choice(BODIES),
        "recipient": lambda: random.choice(BODIES),
        "body": lambda: random.choice(BODIES),
        "states": lambda: tuple(random.sample(list(State), k=random.randint(1, 3))),
        "next": lambda: random.choice(list(Actor)),
        "urgency": lambda: random.choice(list(Urgency)),
        "since": lambda: random.choice(times),
        "until": lambda: random.choice(times),
        "moved": lambda: random.choice(times),
    }
    seen = set[frozenset[str]]()
    for _ in range(200):
        chosen = frozenset(random.sample(sorted(chances), k=random.randint(1, 4)))
        wanted = replace(DeliveryFilter(), **{name: chances[name]() for name in chosen})  # type: ignore[arg-type]
        expected = [one for one in every if fits(one, wanted)]
        assert pages(store, wanted, random.choice([3, 100])) == expected, wanted
        seen |= {chosen} if expected else set()
    assert len(seen) > 20  # which ones is chance: a letter's place follows from its signature


def test_what_is_counted_ends(filled: Store) -> None:
    """A list is not counted to its end."""
    with filled.reading() as connection:
        assert queries.count(connection, DeliveryFilter(), 2) == Counted(2, more=True)
        assert queries.count(connection, DeliveryFilter(body="alpha"), 3) == Counted(3, more=True)
        assert queries.count(connection, DeliveryFilter(), 4) == Counted(4)


def test_a_page_that_is_the_whole_list_is_counted(filled: Store) -> None:
    """No further question is asked; of a longer list one is."""
    with filled.reading() as connection:
        for limit in (3, 4):
            page = queries.deliveries(connection, DeliveryFilter(), None, limit)
            assert queries.counted(connection, DeliveryFilter(), None, page) == Counted(4)
        nothing = queries.deliveries(connection, DeliveryFilter(kind="no-such"), None, 3)
        assert queries.counted(connection, DeliveryFilter(kind="no-such"), None, nothing) == Counted(0)


@given(text=st.text(max_size=300))
def test_cursors_that_are_none(text: str) -> None:
    """One error with a code, for any text whatever."""
    try:
        cursor = Cursor.read(text, "youngest")
    except StoreError as error:
        assert (error.code, error.retriable) == ("cursor-invalid", False)
    else:
        assert cursor.order == "youngest"
    try:
        Vector.read(text)
    except StoreError as error:
        assert error.code == "cursor-invalid"


@given(
    st.builds(
        Cursor,
        st.sampled_from(Order),
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.integers(0, 2**63 - 1),
        st.text("abcdefghij-0123456789.", max_size=60),
    )
)
def test_cursors_come_back(cursor: Cursor) -> None:
    """As they were written."""
    assert Cursor.read(str(cursor), cursor.order) == cursor


@pytest.mark.parametrize(
    "plain", ["youngest.1.2.\0", "longest-waiting.1.2.x", f"youngest.{2**63}.1.x", f"youngest.1.{2**63}.x", ""]
)
def test_cursors_of_other_lists(plain: str) -> None:
    """Numbers that no database takes, another order, nothing."""
    with pytest.raises(StoreError, match="first page"):
        Cursor.read(base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="), "youngest")


@given(st.dictionaries(st.integers(0, 65_535), st.integers(0, 2**47 - 1), max_size=20))
def test_vectors_come_back(offsets: dict[int, int]) -> None:
    """As they were written."""
    assert Vector.read(str(Vector(offsets))) == Vector(offsets)


HOSTILE = (
    "'; DROP TABLE letters; --",
    "%",
    "_",
    "\\",
    "a' OR '1'='1",
    ":sender",
    "%(x)s",
    "?",
    "юрт'",
    "nul\0",
    "\ud800",
    "x" * 5_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_text_in_filters_is_just_text(filled: Store, text: str) -> None:
    """Whatever SQL stands in a filter, it finds nothing and changes nothing."""
    for wanted in (
        DeliveryFilter(sender=text),
        DeliveryFilter(recipient=text),
        DeliveryFilter(body=text),
        DeliveryFilter(reason=text),
        DeliveryFilter(kind=text, urgency=text),
        DeliveryFilter(text=text),
    ):
        assert recipients(filled, wanted) == []
    with filled.reading() as connection:
        assert queries.find(connection, text) == []
    assert len(recipients(filled, DeliveryFilter())) == 4
