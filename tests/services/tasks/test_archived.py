"""Letters that Kafka keeps no longer are said again out of the archive, byte for byte."""

from pathlib import Path

import pytest

from exchange.archive.contents import Authority
from exchange.domain.decision import Journalled
from exchange.domain.statement import Letter, Signed
from exchange.services.tasks.archived import ArchivedLetters
from exchange.services.tasks.letters import Flaw, Letters
from exchange.store.desk.items import Item
from exchange.store.rows import place_of
from exchange.wire.records import decode
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.services.tasks.place import JournalRecords
from tests.world import World


@pytest.fixture
def letter_in(tmp_path: Path) -> tuple[Archived, Signed]:
    """A letter in an archive."""
    journal = SyntheticJournal(World(tmp_path / "world"))
    letter = journal.letter("alpha", "beta")
    archived = Archived(tmp_path / "archive", journal)
    archived.archive()
    return archived, letter


def item(archived: Archived, letter: bytes) -> Item:
    """A delivery that is to be redriven."""
    position = archived.journal.records[-1].position
    return Item("t", 1, letter, place_of(position), "alpha", "beta", "accepted", "deliver", "waiting")


async def test_what_the_journal_keeps_no_longer(letter_in: tuple[Archived, Signed]) -> None:
    """The same record as the router wrote, so the router and the recipient's agent take it as ever."""
    archived, letter = letter_in
    journalled = archived.journal.record_of(letter)
    wanted = item(archived, letter.digest)
    archived.journal.records.clear()
    missing = await Letters(JournalRecords(archived.journal).open).read([wanted])
    assert [found.flaw for found in missing] == [Flaw.MISSING]
    refilled = Letters(JournalRecords(archived.journal).open, ArchivedLetters(archived.folder).record)
    (found,) = await refilled.read([wanted])
    assert (found.record, found.flaw) == (journalled, None)
    (unknown,) = await refilled.read([wanted._replace(letter=bytes(32))])
    assert unknown.flaw is Flaw.MISSING


async def test_what_was_lawfully_deleted_is_not_said_again(letter_in: tuple[Archived, Signed]) -> None:
    """Its proof stays, its contents are gone."""
    archived, letter = letter_in
    archived.contents.delete(decode(Letter, letter.statement).contents[1].digest, Authority(0, 0))
    wanted = item(archived, letter.digest)
    archived.journal.records.clear()
    refilled = Letters(JournalRecords(archived.journal).open, ArchivedLetters(archived.folder).record)
    (found,) = await refilled.read([wanted])
    assert found.flaw is Flaw.DELETED
    record = decode(Journalled, ArchivedLetters(archived.folder).record(letter.digest))
    assert [bool(content.salt) for content in record.contents] == [True, False]


async def test_an_archive_that_cannot_be_read(letter_in: tuple[Archived, Signed]) -> None:
    """Is no archive: the letter is missing, and that is told."""
    archived, letter = letter_in
    wanted = item(archived, letter.digest)
    archived.journal.records.clear()
    refilled = Letters(JournalRecords(archived.journal).open, ArchivedLetters(archived.folder / "nowhere").record)
    (found,) = await refilled.read([wanted])
    assert found.flaw is Flaw.MISSING
