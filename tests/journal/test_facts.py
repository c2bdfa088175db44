"""From journal records to facts: what they carry, what they never carry, and bytes that are none."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain.card import Party, Person
from exchange.domain.decision import Basis, Decided, Journalled
from exchange.domain.delivery import Position
from exchange.domain.event import Event
from exchange.domain.fact import (
    BasisChanged,
    JournalFact,
    LetterFact,
    OriginOpened,
    ReceiptFact,
    Registration,
    StatementRefused,
    StatementVoided,
    Unreadable,
)
from exchange.domain.statement import Commitment, Content, Form, Letter, Predecessor, Receipt
from exchange.journal.facts import JournalRecord, read_fact
from exchange.wire.records import decode, encode
from tests.journal.synthetic import SyntheticJournal, story
from tests.strategies import mutations, values
from tests.world import NOW, World, described, letter_card

PRIVATE = "Асанов"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three bodies."""
    return World(tmp_path_factory.mktemp("facts"))


@pytest.fixture
def journal(world: World) -> SyntheticJournal:
    """An empty journal."""
    return SyntheticJournal(world)


def last(journal: SyntheticJournal) -> JournalFact:
    """What the record written last states."""
    return read_fact(journal.records[-1])


def last_letter(journal: SyntheticJournal) -> LetterFact:
    """The letter written last."""
    fact = last(journal)
    assert isinstance(fact, LetterFact)
    return fact


def rewritten(journal: SyntheticJournal, **changes: object) -> JournalFact:
    """The last record with fields of its `Letter` changed, as a router would journal a refused one."""
    record = journal.records[-1]
    carried = decode(Journalled, record.value)
    decided = decode(Decided, carried.entry)
    letter = dataclasses.replace(decode(Letter, decided.statement), **changes)  # type: ignore[arg-type]  # by name
    decision = dataclasses.replace(decided.decision, reason="recipient-unknown")
    entry = encode(Decided(decision, encode(letter), decided.signature))
    return read_fact(dataclasses.replace(record, value=encode(Journalled(entry, carried.contents))))


def test_accepted_letter(journal: SyntheticJournal) -> None:
    """Ids, routing, times, sizes, and the sender's registration from the card."""
    answered, due = b"r" * 32, date(2026, 4, 1)
    signed = journal.letter("alpha", "beta", "gamma", message_id="m-7", reply_due=due, in_reply_to=answered)
    fact, record = last_letter(journal), journal.records[-1]
    assert (fact.letter, fact.sender, fact.recipients) == (signed.digest, "alpha", ("beta", "gamma"))
    assert (fact.message_id, fact.kind, fact.urgency, fact.access) == ("m-7", "DOCUMENT", "ROUTINE", "PUBLIC")
    assert (fact.in_reply_to, fact.reply_due) == (answered, due)
    assert fact.document == Registration("doc-1", "01-5/123", "2026-03-01")
    assert (fact.items, fact.size) == (2, sum(len(content.data) for content in signed.contents))
    assert (fact.event, fact.reason, fact.position) == (Event.ACCEPTED, "", record.position)
    assert (fact.course.created, fact.course.journalled) == (NOW, record.journalled)
    assert fact.of_delivery().at == fact.course.decided


def test_refused_letter(journal: SyntheticJournal) -> None:
    """Recipients as named, the reason and the field."""
    journal.letter("alpha", "beta", "nobody")
    fact = last_letter(journal)
    assert (fact.event, fact.reason, fact.recipients) == (Event.REJECTED, "recipient-unknown", ("beta", "nobody"))
    assert fact.detail == "recipients[1]: 'nobody'"
    assert fact.of_delivery().text == fact.detail


def test_recipients_of_a_refused_letter_are_bounded(journal: SyntheticJournal) -> None:
    """None becomes one empty name, repeated ones one, and never more than 64."""
    journal.letter("alpha")
    assert last_letter(journal).recipients == ("",)
    journal.letter("alpha", "beta", "beta")
    assert last_letter(journal).recipients == ("beta",)
    journal.letter("alpha", *[f"b{number}" for number in range(65)])
    assert len(last_letter(journal).recipients) == 64


def test_letter_that_does_not_decode(journal: SyntheticJournal) -> None:
    """All that is known of it stands in its head; it is still a letter that was refused."""
    alpha = journal.speaker("alpha")
    statement = dataclasses.replace(alpha).letter("beta").statement
    journal.say("alpha", alpha.sign_bytes(statement[:-1]))
    fact = last_letter(journal)
    assert (fact.sender, fact.reason, fact.recipients) == ("alpha", "statement-unreadable", ("",))
    assert (fact.message_id, fact.course.created) == ("", NOW)


def test_statement_of_unknown_schema(journal: SyntheticJournal) -> None:
    """Numbered by its head, refused, and kept as such."""
    alpha = journal.speaker("alpha")
    known = encode(Receipt(alpha.head(), bytes(32), "beta", "delivered", NOW, "", ()))
    signed = journal.say("alpha", alpha.sign_bytes(b"\0" + (99).to_bytes(4, "big") + known[5:]))
    fact = last(journal)
    assert isinstance(fact, StatementRefused)
    assert (fact.kind, fact.body, fact.reason, fact.statement) == ("", "alpha", "schema-unknown", signed.digest)


def test_receipt(journal: SyntheticJournal) -> None:
    """Signer, event, and from its card the registration and the reason's text."""
    letter = journal.letter("alpha", "beta")
    journal.receipt("beta", letter, "alpha", Event.REGISTERED, reg_number="77-1", reg_date=date(2026, 3, 2))
    fact = last(journal)
    assert isinstance(fact, ReceiptFact)
    assert (fact.letter, fact.signer, fact.sender) == (letter.digest, "beta", "alpha")
    assert fact.registration == Registration("", "77-1", "2026-03-02")
    journal.receipt("beta", letter, "alpha", Event.REFUSED, reason_text="не\nпо\0адресу")
    fact = last(journal)
    assert isinstance(fact, ReceiptFact)
    assert fact.text == "не по адресу"
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    fact = last(journal)
    assert isinstance(fact, ReceiptFact)
    assert (fact.registration, fact.text) == (Registration(), "")


def test_refused_receipt_changes_nothing(journal: SyntheticJournal) -> None:
    """It is a refused statement, not an event."""
    letter = journal.letter("alpha", "beta")
    journal.receipt("beta", letter, "alpha", "accepted")
    fact = last(journal)
    assert isinstance(fact, StatementRefused)
    assert (fact.kind, fact.reason) == ("receipt", "event-unknown")


def test_open_void_and_basis(journal: SyntheticJournal, world: World) -> None:
    """What moves no letter."""
    basis = read_fact(journal.records[0])
    assert isinstance(basis, BasisChanged)
    assert (basis.directory_version, basis.directory_digest) == (1, world.directory.digest)
    old = journal.speaker("alpha")
    journal.say("alpha", old.void(b"v" * 32))
    void = last(journal)
    assert isinstance(void, StatementVoided)
    assert (void.body, void.replaced, void.reason) == ("alpha", b"v" * 32, "oversized")
    journal.say("alpha", world.speaker("alpha").open(Predecessor(old.origin, old.number, old.last)))
    opened = last(journal)
    assert isinstance(opened, OriginOpened)
    assert (opened.body, opened.predecessor) == ("alpha", old.origin)


def test_what_people_wrote_stays_in_the_journal(journal: SyntheticJournal) -> None:
    """No title, annotation, person, file name or addressee leaves by a fact."""
    person = Person(name=PRIVATE, post=PRIVATE)
    card = letter_card(
        title=PRIVATE,
        annotation=PRIVATE,
        sender=Party(name=PRIVATE, person=person),
        addressees=(Party(name=PRIVATE),),
        signatories=(person,),
        executor=person,
        files=described([PRIVATE.encode()]),
    )
    letter = journal.letter("alpha", "beta", card=card, files=(PRIVATE.encode(),))
    assert PRIVATE not in repr(last(journal))
    journal.receipt("beta", letter, "alpha", Event.EXECUTOR_ASSIGNED, actor=person, note=PRIVATE)
    assert PRIVATE not in repr(last(journal))


def test_withheld_sealed_or_broken_cards_give_no_registration(journal: SyntheticJournal) -> None:
    """A card that was deleted, is sealed or does not decode says nothing."""
    journal.letter("alpha", "beta")
    record = journal.records[-1]
    carried = decode(Journalled, record.value)
    for card in (b"", b"junk", carried.contents[0].data[:8], b"\0\0\0\0\x15"):
        contents = (Content(b"", card), *carried.contents[1:])
        fact = read_fact(dataclasses.replace(record, value=encode(Journalled(carried.entry, contents))))
        assert isinstance(fact, LetterFact)
        assert fact.document == Registration()
    sealed = rewritten(journal, contents=(Commitment(bytes(32), 5, "text/plain", Form.SEALED),))
    assert isinstance(sealed, LetterFact)
    assert sealed.document == Registration()


def test_anybodys_values_fit_the_tables(journal: SyntheticJournal) -> None:
    """Long and strange texts are cut and cleaned, sizes stay numbers that databases hold."""
    journal.letter("alpha", "beta")
    commitments = (Commitment(bytes(32), 2**63 - 1, "", Form.REFERENCE), Commitment(bytes(32), -5, "", Form.INLINE))
    fact = rewritten(journal, message_id="\0" + "ж" * 900, recipients=("a\0b\n",), contents=commitments * 3)
    assert isinstance(fact, LetterFact)
    assert (len(fact.message_id), fact.message_id[0]) == (200, " ")
    assert fact.recipients == ("a b ",)
    assert fact.size == 2**53


def _saying(decided: Decided, letter: Letter) -> Decided:
    """A decision about `letter`."""
    return dataclasses.replace(decided, statement=encode(letter))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_fact(data: bytes) -> None:
    """Bytes that are no record are `Unreadable`, at their place."""
    fact = read_fact(JournalRecord(Position(1, 2), NOW, data))
    assert isinstance(fact, Unreadable)
    assert fact.position == Position(1, 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[JournalRecord]:
    """Records of everything that can happen."""
    return story(World(tmp_path_factory.mktemp("written"))).records


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_near_misses_are_facts(written: list[JournalRecord], data: st.DataObject) -> None:
    """Damaged records give some fact or other, never an error."""
    record = data.draw(st.sampled_from(written))
    value = data.draw(mutations(record.value))
    fact = read_fact(dataclasses.replace(record, value=value))
    assert fact.position == record.position


@given(values(Basis) | st.builds(_saying, values(Decided), values(Letter)))
def test_any_entry_is_a_fact(entry: Basis | Decided) -> None:
    """Every value that the schemas allow, whether or not a router would write it."""
    record = JournalRecord(Position(0, 0), NOW, encode(Journalled(encode(entry), ())))
    assert isinstance(read_fact(record), BasisChanged | LetterFact)


def test_story_is_read_whole(tmp_path: Path) -> None:
    """A router's journal has nothing unreadable."""
    journal = story(World(tmp_path))
    assert not any(isinstance(fact, Unreadable) for fact in journal.facts())
