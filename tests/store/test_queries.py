"""Questions that operators ask: find, list, follow, count."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.domain.delivery import Actor, Position, State
from exchange.domain.fact import JournalFact, LetterFact, ReceiptFact
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.lists import DeliveryFilter
from exchange.store.queries.waits import taken_up_to, waits_within
from exchange.store.views import LetterFilter, Listed, Summary, Timeline
from tests.journal.synthetic import SyntheticJournal
from tests.store.support import fill


@pytest.fixture
def filled(store: Store, journal: SyntheticJournal) -> Store:
    """A store that has taken the story."""
    fill(store, journal.records)
    return store


def found(store: Store, text: str) -> list[str]:
    """Message ids of what `text` names."""
    with store.reading() as connection:
        return [letter.message_id for letter in queries.find(connection, text)]


def timeline(store: Store, message_id: str) -> Timeline:
    """The story of a letter."""
    with store.reading() as connection:
        (letter,) = queries.find(connection, message_id)
        told = queries.timeline(connection, letter.digest)
    assert told is not None
    return told


def test_a_letter_is_found_by_any_of_its_names(filled: Store) -> None:
    """Digest prefix, message id, registration number here and there, document id."""
    digest = timeline(filled, "first").letter.digest.hex()
    for name in (digest, digest[:8], digest[:13].upper(), "first", "77-1"):
        assert found(filled, name) == ["first"]
    assert sorted(found(filled, "doc-1")) == sorted(found(filled, "01-5/123")) == ["first", "lost", "second"]
    for nothing in ("firs", digest[:3], "f" * 65, "stranger", "'; DROP TABLE letters; --"):
        assert found(filled, nothing) == []


def test_who_speaks(filled: Store, journal: SyntheticJournal) -> None:
    """Who wrote or answered; not who was only written to, and nobody after the last word."""
    with filled.reading() as connection:
        assert queries.speaking(connection, journal.now - timedelta(days=1)) == {"alpha", "beta", "gamma"}
        assert queries.speaking(connection, journal.now + timedelta(hours=1)) == frozenset()


def test_a_circular_is_one_line(store: Store, journal: SyntheticJournal) -> None:
    """With how many are in which state; letters to few have a line for each."""
    fill(store, journal.records)
    with store.reading() as connection:
        lines = queries.overview(connection, LetterFilter(), most=1).items
        each = queries.overview(connection, LetterFilter(), most=2).items
        listed = queries.deliveries(connection, DeliveryFilter(), None, 10).items
        assert sorted(each, key=repr) == sorted(listed, key=repr)
        assert queries.overview(connection, LetterFilter(sender="gamma"), most=1).items == lines[:1]
        assert queries.overview(connection, LetterFilter(limit=2), most=1).items == lines[:2]
        seen: list[Listed | Summary] = []
        after = None
        while True:
            page = queries.overview(connection, LetterFilter(limit=1), 1, after)
            seen += page.items
            if (after := page.after) is None:
                break
        assert tuple(seen) == lines
        assert queries.overview(connection, LetterFilter(after=journal.now + timedelta(hours=1)), most=1).items == ()
    assert [line.letter.message_id for line in lines] == ["second", "lost", "first"]
    first = lines[-1]
    assert isinstance(first, Summary)
    assert (first.recipients, first.states) == (2, {State.REGISTERED: 1, State.REFUSED: 1})


def test_a_country_s_circular(store: Store, journal: SyntheticJournal) -> None:
    """A delivery for each of 941 bodies, each on its own way; one line of the list."""
    codes = tuple(f"ao-{41702205805000 + index}" for index in range(941))
    told = journal.facts()
    letter = next(fact for fact in told if isinstance(fact, LetterFact) and not fact.reason)
    receipts = [fact for fact in told if isinstance(fact, ReceiptFact) and fact.letter == letter.letter][:3]
    first = replace(receipts[0], sender=letter.sender)
    batch: list[JournalFact] = [replace(letter, recipients=codes)]
    for index, code in enumerate(codes[:900], start=1):
        place = Position(letter.position.partition, letter.position.offset + index)
        batch.append(replace(first, position=place, signer=code))
    store.migrate()
    store.take(batch, [])
    with store.reading() as connection:
        (line,) = queries.overview(connection, LetterFilter(), most=8).items
        told_of = queries.timeline(connection, letter.letter)
    assert isinstance(line, Summary)
    assert line.states == {State.DELIVERED: 900, State.ACCEPTED: 41}
    assert told_of is not None
    assert [part.recipient for part in told_of.deliveries] == list(codes)
    assert [len(part.steps) for part in told_of.deliveries] == [2] * 900 + [1] * 41


def test_rejected_letters_show_their_reason(filled: Store) -> None:
    """As its sender named the recipient, with the field that was wrong."""
    with filled.reading() as connection:
        (rejected,) = queries.deliveries(connection, DeliveryFilter(states=(State.REJECTED,)), None, 10).items
    assert (rejected.recipient, rejected.delivery.next) == ("nobody", Actor.SENDER)
    assert (rejected.letter.reason, rejected.letter.detail) == ("recipient-unknown", "recipients[0]: 'nobody'")
    assert (rejected.delivery.reason, rejected.delivery.text) == ("recipient-unknown", "recipients[0]: 'nobody'")


def test_timeline_of_each_recipient(filled: Store) -> None:
    """What happened, what it waited for, and who must act next."""
    told = timeline(filled, "first")
    beta, gamma = told.deliveries
    assert [step.event for step in beta.steps] == ["accepted", "delivered", "handed-over", "registered"]
    assert [step.event for step in gamma.steps] == ["accepted", "delivered", "refused"]
    assert beta.steps[0].wait == beta.steps[0].journalled - told.letter.created
    assert sum((step.wait for step in beta.steps), timedelta()) == beta.steps[-1].journalled - told.letter.created
    assert beta.steps[-1].registration.number == beta.delivery.reg_number == "77-1"
    assert (gamma.delivery.next, gamma.delivery.text) == (Actor.SENDER, "не по адресу")
    assert gamma.waiting(gamma.delivery.since + timedelta(minutes=3)) == timedelta(minutes=3)
    assert gamma.waiting(gamma.delivery.since - timedelta(minutes=3)) == timedelta()
    assert told.flags == ()


def test_timeline_shows_what_does_not_hold(filled: Store) -> None:
    """A contradiction stands among the steps, marked, and a stranger's receipt among the flags."""
    told = timeline(filled, "second")
    (part,) = told.deliveries
    assert [(step.event, step.holds) for step in part.steps][3:] == [
        ("registered", True),
        ("refused", False),
        ("executor-assigned", True),
    ]
    assert {(flag.code, flag.body) for flag in told.flags} == {
        ("receipt-not-addressed", "beta"),
        ("receipt-contradicted", "alpha"),
    }


def test_unknown_letter_has_no_timeline(filled: Store) -> None:
    """None, not an error."""
    with filled.reading() as connection:
        assert queries.timeline(connection, bytes(32)) is None


def test_oldest_undelivered(store: Store, journal: SyntheticJournal) -> None:
    """Per body, since when its oldest letter waits."""
    fill(store, journal.records[:4])
    with store.reading() as connection:
        waiting = queries.oldest_undelivered(connection)
    assert set(waiting) == {"beta", "gamma"}
    fill(store, journal.records[4:])
    with store.reading() as connection:
        assert queries.oldest_undelivered(connection) == {}


def test_what_live_letters_waited(store: Store, filled: Store) -> None:
    """Accepted letters whose entry the journal took then, and how far the tracker's knowledge goes."""
    taken = [timeline(filled, name).letter for name in ("first", "second", "lost")]
    accepted = [letter for letter in taken if not letter.reason]
    first = min(letter.journalled for letter in accepted)
    with store.reading() as connection:
        until = taken_up_to(connection)
        assert until is not None
        assert until >= max(letter.journalled for letter in taken)
        waits = waits_within(connection, first, until + timedelta(seconds=1))
        assert len(waits) == len(accepted)
        assert all(wait >= 0 for wait in waits)
        assert waits_within(connection, first - timedelta(hours=1), first) == []


def test_nothing_is_known_of_an_empty_store(store: Store) -> None:
    """Nobody waited, and nothing was taken."""
    with store.reading() as connection:
        assert taken_up_to(connection) is None
