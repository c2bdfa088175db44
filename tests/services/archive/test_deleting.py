"""Contents go by an order that the log has, and by no other; everything else is proven as before."""

from pathlib import Path

import pytest

from exchange.archive.contents import Authority
from exchange.archive.errors import ArchiveError
from exchange.archive.index import Index
from exchange.domain.event import Event
from exchange.domain.statement import Command, Letter, Signed
from exchange.journal.commands import DELETE_CONTENTS
from exchange.services.archive.deleting import delete_letter, delete_month
from exchange.wire.records import decode
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.world import World

CONSOLE = "exchange-console"


@pytest.fixture
def journal(tmp_path: Path) -> SyntheticJournal:
    """Nothing was said yet."""
    return SyntheticJournal(World(tmp_path / "world", ("alpha", "beta", CONSOLE)))


def order(journal: SyntheticJournal, letter: bytes | None, detail: str = "") -> Signed:
    """An order, journalled."""
    act = journal.speaker(CONSOLE).act(DELETE_CONTENTS, letter=letter, detail=detail)
    return journal.say(CONSOLE, act)


def archived(tmp_path: Path, journal: SyntheticJournal) -> Archived:
    """Everything, under a checkpoint."""
    made = Archived(tmp_path / "archive", journal)
    made.archive()
    return made


def code(archive: Archived, commitment: bytes) -> str:
    """Why an item is not there; empty when it is."""
    try:
        archive.contents.get(commitment)
    except ArchiveError as error:
        return error.code
    return ""


def nothing(_command: Command, _authority: Authority) -> None:
    """Keep nothing."""


def test_what_cannot_be_kept_is_not_deleted(tmp_path: Path, journal: SyntheticJournal) -> None:
    """The act first, then the contents."""
    letter = journal.letter("alpha", "beta")
    order(journal, letter.digest)
    archive = archived(tmp_path, journal)

    def refuse(_command: Command, _authority: Authority) -> None:
        """As a full disk does."""
        raise ArchiveError("no room", code="act-not-kept")

    with pytest.raises(ArchiveError, match="no room"):
        delete_letter(archive.folder, letter.digest, refuse)
    assert code(archive, decode(Letter, letter.statement).contents[0].digest) == ""


def test_a_letter(tmp_path: Path, journal: SyntheticJournal) -> None:
    """Its items alone; a second time nothing is left to do."""
    letter, other = journal.letter("alpha", "beta"), journal.letter("alpha", "beta", message_id="2")
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    order(journal, letter.digest)
    archive = archived(tmp_path, journal)
    kept: list[tuple[bytes | None, str]] = []

    def remember(command: Command, _authority: Authority) -> None:
        """By which order, and that nothing went yet the first time."""
        kept.append((command.letter, code(archive, decode(Letter, letter.statement).contents[0].digest)))

    for _ in range(2):
        done = delete_letter(archive.folder, letter.digest, remember)
        assert done.items == len(decode(Letter, letter.statement).contents)
        assert done.person
    assert kept == [(letter.digest, ""), (letter.digest, "content-deleted")]
    for each in decode(Letter, letter.statement).contents:
        assert code(archive, each.digest) == "content-deleted"
    for each in decode(Letter, other.statement).contents:
        assert code(archive, each.digest) == ""
    assert archive.verified().findings == []


def test_without_an_order(tmp_path: Path, journal: SyntheticJournal) -> None:
    """Neither that of another letter, nor that of a month, nor the letter itself."""
    letter, other = journal.letter("alpha", "beta"), journal.letter("alpha", "beta", message_id="2")
    order(journal, other.digest)
    month = order(journal, None, "2020-01")
    archive = archived(tmp_path, journal)
    with pytest.raises(ArchiveError) as caught:
        delete_letter(archive.folder, letter.digest, nothing)
    assert caught.value.code == "deletion-not-ordered"
    with Index(archive.folder) as index:
        said, place = index.place_of(letter.digest), index.place_of(month.digest)
    for name, at in (("2020-02", place), ("2020-01", said)):
        with pytest.raises(ArchiveError) as caught:
            delete_month(archive.folder, name, Authority(at.partition, at.index), nothing)
        assert caught.value.code == "deletion-not-ordered"
    assert code(archive, decode(Letter, letter.statement).contents[0].digest) == ""


def test_a_month(tmp_path: Path, journal: SyntheticJournal) -> None:
    """All of it, by the order that names it."""
    letter = journal.letter("alpha", "beta")
    month = journal.now.strftime("%Y-%m")
    said = order(journal, None, month)
    archive = archived(tmp_path, journal)
    with Index(archive.folder) as index:
        place = index.place_of(said.digest)
    done = delete_month(archive.folder, month, Authority(place.partition, place.index), nothing)
    assert done.items >= len(decode(Letter, letter.statement).contents)
    assert archive.contents.months() == []
    assert archive.verified().findings == []
