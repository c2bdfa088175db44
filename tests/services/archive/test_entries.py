"""From a record of the journal to a leaf: what it is about, and which contents are kept."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.archive.layout import ENTRY_BYTES, TakenRecord
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.domain.decision import Basis, Decided, Journalled, Tick, Verdict
from exchange.domain.ids import digest
from exchange.domain.statement import Content, Head, Letter, Receipt, commitment_digest
from exchange.services.archive.entries import batch_of
from exchange.wire import avro
from exchange.wire.records import decode, decode_statement, encode, kind_of
from tests.golden.samples import SAMPLES
from tests.journal.synthetic import SyntheticJournal, story
from tests.services.journal_fake import as_taken
from tests.world import NOW, World


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> SyntheticJournal:
    """A story with a bit of everything."""
    return story(World(tmp_path_factory.mktemp("entries")))


def taken(value: bytes | None) -> TakenRecord:
    """What becomes of a value."""
    (record,) = batch_of([Record(JOURNAL, 1, 7, NOW, None, value)]).records
    return record


def test_a_letter_finds_everything_about_it(journal: SyntheticJournal) -> None:
    """Its own entry and every receipt are about its digest; each knows its origin and number."""
    about: dict[bytes | None, int] = {}
    for record in batch_of(map(as_taken, journal.records)).records:
        assert record.entry is not None
        about[record.about] = about.get(record.about, 0) + 1
        if kind_of(record.entry) is Decided:
            statement = decode_statement(decode(Decided, record.entry).statement)
            assert (record.origin, record.number) == (statement.head.origin, statement.head.number)
            assert record.about == (statement.letter if isinstance(statement, Receipt) else record.about)
            if isinstance(statement, Letter):
                assert record.about == record.statement
    assert max(count for key, count in about.items() if key is not None) > 2


def test_contents_are_kept_by_their_commitments(journal: SyntheticJournal) -> None:
    """What accepted letters and receipts promised, and files that prove a basis; nothing of what was refused."""
    for journalled in journal.records:
        carried, record = decode(Journalled, journalled.value), taken(journalled.value)
        kind = kind_of(carried.entry)
        refused = kind is Decided and decode(Decided, carried.entry).decision.verdict is Verdict.REFUSED
        expected = () if kind is Tick or refused else tuple(map(commitment_digest, carried.contents))
        assert tuple(kept.commitment for kept in record.contents) == expected
        assert kind is not Basis or record.about is record.origin is record.statement is None


def test_what_nobody_promised_is_not_kept(journal: SyntheticJournal) -> None:
    """An item by reference lies elsewhere; one that is not what was promised is nothing."""
    values = (decode(Journalled, record.value) for record in journal.records)
    carried = next(each for each in values if kind_of(each.entry) is Decided and each.contents)
    other = replace(carried, contents=(*carried.contents, Content(bytes(32), b"another")))
    assert taken(encode(other)).contents == taken(encode(carried)).contents


def test_a_statement_that_nobody_can_read_is_a_leaf_all_the_same() -> None:
    """It was refused (rule 1.8); what is known of it is its head."""
    refused, head = SAMPLES[Decided]["refused"], SAMPLES[Head][""]
    assert isinstance(refused, Decided)
    assert isinstance(head, Head)
    unknown = avro.frame(9_999) + encode(head)[avro.FRAME_BYTES :] + b"what nobody knows"
    record = taken(encode(Journalled(encode(replace(refused, statement=unknown)), ())))
    assert (record.origin, record.number) == (head.origin, head.number)
    assert record.about == record.statement == digest(unknown)


@given(st.one_of(st.none(), st.binary(max_size=200), st.binary(max_size=200).map(lambda data: b"\0\0\0\0\x27" + data)))
def test_any_other_value_moves_the_position_alone(value: bytes | None) -> None:
    """And is named by its place."""
    batch = batch_of([Record(JOURNAL, 1, 7, NOW, None, value)])
    ((record,), (stray,)) = batch.records, batch.strays
    assert (record.entry, record.offset, record.contents) == (None, 7, ())
    assert (stray.partition, stray.offset) == (1, 7)


def test_an_entry_that_no_bundle_holds_is_none() -> None:
    """No router writes such a one (rule 5.1)."""
    assert taken(encode(Journalled(bytes(ENTRY_BYTES + 1), ()))).entry is None
