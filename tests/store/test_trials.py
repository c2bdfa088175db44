"""What a body exchanged with the one that answers every letter: on SQLite, and on PostgreSQL."""

import hashlib
from datetime import timedelta

from exchange.domain.event import Event
from exchange.domain.fact import JournalFact
from exchange.store import queries
from exchange.store.database import Store
from exchange.store.overviews import Trial
from tests.console.enrolling import letter_fact, receipt_fact, take
from tests.console.seed import NOW


def trial_of(store: Store, body: str) -> Trial | None:
    """As the tracker's database knows it."""
    with store.reading() as connection:
        return queries.trial(connection, body, "echo")


def test_a_trial_is_passed_when_the_reply_is_in_the_document_system(store: Store) -> None:
    """Nothing, a letter, a reply at the agent, the reply handed over; then a younger letter changes nothing."""
    sent, reply, again = (hashlib.sha256(text).digest() for text in (b"sent", b"reply", b"again"))
    told: list[JournalFact] = [letter_fact(2, sent, "alpha", "echo", NOW)]
    assert trial_of(store, "alpha") is None
    take(store, told)
    found = trial_of(store, "alpha")
    assert found
    assert (found.sent.letter.digest, found.reply, found.passed) == (sent, None, False)
    take(store, [letter_fact(4, reply, "echo", "alpha", NOW, in_reply_to=sent)])
    take(store, [receipt_fact(6, reply, "alpha", "echo", Event.DELIVERED, NOW)])
    found = trial_of(store, "alpha")
    assert found
    assert found.reply
    assert (found.reply.letter.digest, found.passed) == (reply, False)
    take(store, [receipt_fact(8, reply, "alpha", "echo", Event.HANDED_OVER, NOW)])
    take(store, [letter_fact(10, again, "alpha", "echo", NOW + timedelta(minutes=1))])
    found = trial_of(store, "alpha")
    assert found
    assert (found.sent.letter.digest, found.passed) == (sent, True)
    assert trial_of(store, "beta") is None
    with store.reading() as connection:
        assert queries.last_word(connection, "beta") is None
        assert queries.last_word(connection, "alpha") is not None
